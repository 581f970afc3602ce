"""Feedback given on a page. With htmx the answer is the panel anew; without script, the page it was given on."""

from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from evals import services
from evals.forms import FeedbackForm, SubjectForm
from evals.panel import panel_of, steps_of
from evals.score import Subject, Target
from tracehouse.clickhouse.insert import InsertUnavailable
from tracehouse.clickhouse.query import QueryTooLarge, QueryUnavailable
from tracehouse.tenancy.models import Role
from tracehouse.tenancy.permissions import ProjectRequest, project_page
from tracehouse.web.htmx import part_asked_for

AWAY = (InsertUnavailable, QueryUnavailable, QueryTooLarge)
NOT_STORED = "ClickHouse does not answer, so this was not stored. Try again in a few seconds."


@require_POST
@project_page(Role.MEMBER)
def give_feedback(request: ProjectRequest) -> HttpResponse:
    form = FeedbackForm(request.POST)
    if not form.is_valid():
        return _answer(request, form, problem=_what_is_wrong(form), status=400)
    try:
        done = _take_back(request, form) if form.takes_back else _give(request, form)
    except services.NothingSaid:
        return _answer(request, form, problem="Write what you have to say first.", status=400)
    except AWAY:
        return _answer(request, form, problem=NOT_STORED, status=503)
    return _answer(request, form, done=done)


@require_POST
@project_page(Role.ADMIN)
def remove_score(request: ProjectRequest) -> HttpResponse:
    form = SubjectForm(request.POST)
    if not form.is_valid():
        raise BadRequest(_what_is_wrong(form))
    score_id = request.POST.get("score_id", "")
    try:
        services.remove_score(
            scope=request.scope, project=request.project, user=request.user, score_id=score_id
        )
    except AWAY:
        return _answer(request, form, problem=NOT_STORED, status=503)
    return _answer(request, form, done="The score is removed.")


def _give(request: ProjectRequest, form: FeedbackForm) -> str:
    services.give_feedback(
        scope=request.scope,
        project=request.project,
        user=request.user,
        subject=form.subject,
        verdict=form.chosen_verdict,
        comment=form.written_comment,
    )
    return "Your feedback is saved."


def _take_back(request: ProjectRequest, form: FeedbackForm) -> str:
    services.take_back_feedback(project=request.project, user=request.user, subject=form.subject)
    return "Your feedback is removed."


def _what_is_wrong(form: SubjectForm) -> str:
    """A sentence on a field that a person fills in. Raises `BadRequest` where the page itself was tampered with."""
    if set(form.errors) <= {"comment"}:
        return " ".join(map(str, form.errors["comment"]))
    raise BadRequest("This is not a form of ours.")


def _answer(
    request: ProjectRequest, form: SubjectForm, *, done: str = "", problem: str = "", status: int = 200
) -> HttpResponse:
    if part_asked_for(request):
        kept = form if problem and isinstance(form, FeedbackForm) else None
        shown = panel_of(request, form.subject, kept)
        context = {"panel": shown, "problem": problem, "done": done}
        if form.subject.target is Target.SPAN:
            context["on_steps"] = steps_of(request, form.subject.trace_id)
        return render(request, "evals/panel.html", context, status=status)
    if problem:
        messages.error(request, problem)
    else:
        messages.success(request, done)
    return redirect(_page_of(request, form.subject))


def _page_of(request: ProjectRequest, subject: Subject) -> str:
    """Where the subject is shown."""
    slug = request.project.slug
    if subject.session_id:
        return f"{reverse('sessions:detail', args=[slug])}?{urlencode({'id': subject.session_id})}"
    step = f"?span={subject.span_id}#step" if subject.span_id else ""
    return f"{reverse('traces:detail', args=[slug, subject.trace_id])}{step}"
