"""The part of a page that shows the scores of one thing, and takes feedback on it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from evals import queries, services
from evals.forms import FeedbackForm
from evals.score import FEEDBACK, MAX_COMMENT, Score, Source, Subject, Target, Verdict
from tracehouse.clickhouse.query import QueryTooLarge, QueryUnavailable
from tracehouse.tenancy.models import Role, User
from tracehouse.tenancy.permissions import ProjectRequest, may

log = structlog.get_logger()
# Rows shown at once; the others unfold.
FIRST = 4
_TITLES = {
    Target.TRACE: "Feedback on this trace",
    Target.SPAN: "Feedback on this step",
    Target.SESSION: "Feedback on this session",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One score as a row. `may_remove`: by this reader, otherwise than by taking back their own feedback."""

    score: Score
    by: str
    is_own: bool
    may_remove: bool


@dataclass(frozen=True, slots=True)
class Panel:
    subject: Subject
    scores: list[Shown]
    own: Shown | None
    may_give: bool
    unreadable: bool = False
    verdicts: tuple[str, ...] = tuple(Verdict)
    max_comment: int = MAX_COMMENT
    form: FeedbackForm | None = None  # what was sent and could not be taken

    @property
    def key(self) -> str:
        """Part of the ids of its elements: a page may hold one for the trace and one for a step."""
        return self.subject.target.value

    @property
    def title(self) -> str:
        return _TITLES[self.subject.target]

    @property
    def first(self) -> list[Shown]:
        return self.scores[:FIRST]

    @property
    def rest(self) -> list[Shown]:
        return self.scores[FIRST:]

    @property
    def own_verdict(self) -> str:
        return str(self.own.score.value) if self.own else ""

    @property
    def comment(self) -> str:
        """What stands in the field."""
        if self.form is not None:
            return str(self.form["comment"].value() or "")
        return self.own.score.comment if self.own else ""


def panel_of(request: ProjectRequest, subject: Subject, form: FeedbackForm | None = None) -> Panel:
    """The panel as this reader sees it. One that cannot be read says so: the page around it stands."""
    may_give = may(request.role, Role.MEMBER)
    try:
        found = _scores_of(request, subject)
    except (QueryUnavailable, QueryTooLarge) as error:
        log.warning("scores_read_failed", project=request.project.slug, error=type(error).__name__)
        return Panel(subject, [], None, may_give, unreadable=True, form=form)
    own_id = services.feedback_id(request.project.pk, request.user.pk, subject)
    emails = _emails(request, found)
    is_admin = may(request.role, Role.ADMIN)
    shown = [
        Shown(score, _by(score, emails), score.id == own_id, is_admin and score.id != own_id)
        for score in found
    ]
    shown.sort(key=lambda one: not one.is_own)
    own = shown[0] if shown and shown[0].is_own else None
    return Panel(subject, shown, own, may_give, form=form)


def _scores_of(request: ProjectRequest, subject: Subject) -> list[Score]:
    """A page with panels of a trace and of a step reads once, unless there are more scores than one read has."""
    if not subject.trace_id:
        return queries.of_subject(request.scope, subject)
    kept: dict[str, list[Score]] = vars(request).setdefault("scores_by_trace", {})
    if subject.trace_id not in kept:
        kept[subject.trace_id] = queries.of_trace(request.scope, subject.trace_id)
    whole = kept[subject.trace_id]
    if len(whole) >= queries.MAX_SHOWN:
        return queries.of_subject(request.scope, subject)
    return [score for score in whole if score.subject.span_id == subject.span_id]


def verdict_counts(scores: Iterable[Score]) -> Mapping[str, int]:
    """How often each verdict was given."""
    given = [str(score.value) for score in scores if score.name == FEEDBACK]
    return {verdict: given.count(verdict) for verdict in Verdict if verdict in given}


def _emails(request: ProjectRequest, scores: Sequence[Score]) -> dict[int, str]:
    """Addresses of the team's members among those who gave a score."""
    numbers = {number for score in scores if (number := services.member_number(score)) is not None}
    if not numbers:
        return {}
    team = request.project.team
    return dict(User.objects.filter(pk__in=numbers, memberships__team=team).values_list("pk", "email"))


def _by(score: Score, emails: Mapping[int, str]) -> str:
    number = services.member_number(score)
    if number is not None:
        return emails.get(number, "somebody who has left the team")
    words = {Source.API: "API", Source.UI: "page", Source.EVAL: "eval"}[score.source]
    return f"{score.author}, {words}" if score.author else words
