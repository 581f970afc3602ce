"""Feedback on pages: who may give it, what it becomes, and what a changed mind does."""

import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.template import Context, Template
from django.test import Client
from django.urls import reverse

from evals import queries, services
from evals.score import FEEDBACK, Score, Source, Subject
from ingest.policy import Policy
from tests import cast
from tracehouse.clickhouse.insert import InsertUnavailable
from tracehouse.clickhouse.query import QueryUnavailable
from tracehouse.tenancy.models import AuditEntry, Project, Role, User
from tracehouse.tenancy.scope import Scope
from traces.span import Kind, Span, Status

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.clickhouse,
    pytest.mark.filterwarnings("ignore:No directory at"),
]
SPAN = "00000000000000aa"


@pytest.fixture
def trace(project: Project, store_spans: Callable[[list[Span]], None]) -> str:
    trace_id = secrets.token_hex(16)
    now = time.time_ns()
    span = Span(
        project_id=project.pk,
        trace_id=trace_id,
        span_id=SPAN,
        parent_id="",
        start_ns=now - 10**9,
        end_ns=now,
        name="agent.invocation",
        kind=Kind.AGENT,
        status=Status.OK,
    )
    store_spans([span])
    return trace_id


@pytest.fixture
def member(client: Client, teammate: User) -> Client:
    client.force_login(teammate)
    return client


def give(client: Client, project: Project, *, target: str = "", **fields: str) -> Any:
    """`target`: the element that htmx replaces; without, a plain form is posted."""
    headers = {"HX-Request": "true", "HX-Target": target} if target else {}
    return client.post(reverse("evals:feedback", args=[project.slug]), fields, headers=headers)


def remove(client: Client, project: Project, **fields: str) -> Any:
    return client.post(reverse("evals:remove-score", args=[project.slug]), fields)


def page(client: Client, project: Project, trace: str) -> str:
    return client.get(reverse("traces:detail", args=[project.slug, trace])).content.decode()


def stored(project: Project, trace: str, span_id: str = "") -> list[Score]:
    return queries.of_subject(Scope(project.pk), Subject(trace_id=trace, span_id=span_id))


def write(project: Project, **fields: Any) -> None:
    score = Score(
        **{
            "id": "s",
            "value": 0.82,
            "name": "quality",
            "source": Source.API,
            "time": datetime.now(UTC),
            **fields,
        }
    )
    services.write_scores(project_id=project.pk, scores=[score], policy=Policy(key=b"k" * 32))


def test_a_changed_mind_replaces_ones_own_score_and_leaves_others(
    member: Client, teammate: User, owner: User, project: Project, trace: str
) -> None:
    answer = give(member, project, trace_id=trace, verdict="up")
    assert answer["Location"] == reverse("traces:detail", args=[project.slug, trace])
    others = Client()
    others.force_login(owner)
    give(others, project, trace_id=trace, verdict="up")
    give(member, project, trace_id=trace, verdict="wrong", comment="Write to jane.doe@example.com")
    [wrong, up] = stored(project, trace)
    assert (wrong.name, wrong.value, wrong.source, up.value) == (FEEDBACK, "wrong", Source.UI, "up")
    assert wrong.comment.startswith("Write to [email:")
    assert str(teammate.pk) in wrong.author
    assert "@" not in wrong.author
    shown = page(member, project, trace)
    assert 'id="trace-wrong" aria-pressed="true"' in shown
    assert 'id="trace-up" aria-pressed="false"' in shown
    assert "owner@example.com" in shown
    give(member, project, trace_id=trace, verdict="none")
    assert [score.value for score in stored(project, trace)] == ["up"]
    assert list(
        AuditEntry.objects.filter(target=trace, actor=teammate.email).values_list("action", flat=True)
    ) == [
        "feedback.taken_back",
        "feedback.given",
        "feedback.given",
    ]


def test_feedback_on_a_step_leads_back_to_the_step(member: Client, project: Project, trace: str) -> None:
    answer = give(member, project, trace_id=trace, span_id=SPAN, verdict="down")
    assert answer["Location"].endswith(f"{trace}?span={SPAN}#step")
    assert (len(stored(project, trace)), len(stored(project, trace, SPAN))) == (0, 1)
    shown = page(member, project, trace)
    assert 'id="span-down" aria-pressed="true"' in shown
    assert 'id="trace-down" aria-pressed="false"' in shown


def test_feedback_on_a_session_leads_back_to_it(member: Client, project: Project, clickhouse: None) -> None:
    answer = give(member, project, session_id="s 1/&", verdict="up")
    assert answer["Location"] == f"{reverse('sessions:detail', args=[project.slug])}?id=s+1%2F%26"
    [score] = queries.of_subject(Scope(project.pk), Subject(session_id="s 1/&"))
    assert score.value == "up"


def test_the_audit_log_names_a_session_as_it_is_stored(
    member: Client, project: Project, clickhouse: None
) -> None:
    for verdict in ("up", "none"):
        give(member, project, session_id="jane.doe@example.com", verdict=verdict)
    targets = AuditEntry.objects.filter(action__startswith="feedback.").values_list("target", flat=True)
    assert [target[:7] for target in targets] == ["[email:", "[email:"]


def test_a_comment_keeps_the_verdict_and_a_verdict_the_comment(
    member: Client, project: Project, trace: str
) -> None:
    told = []
    for fields in (
        {"verdict": "keep", "comment": "late"},
        {"verdict": "down", "comment": "late"},
        {"verdict": "keep", "comment": "too late"},
        {"verdict": "keep", "comment": ""},
    ):
        give(member, project, trace_id=trace, **fields)
        [score] = stored(project, trace)
        told.append((score.value, score.comment))
    assert told == [("comment", "late"), ("down", "late"), ("down", "too late"), ("down", "")]


def test_a_page_that_is_behind_takes_no_comment_back_that_it_never_showed(
    member: Client, project: Project, trace: str
) -> None:
    def said(**fields: str) -> tuple[Any, str]:
        give(member, project, trace_id=trace, **fields)
        [score] = stored(project, trace)
        return score.value, score.comment

    assert said(verdict="keep", comment="One\r\ntwo", comment_shown="") == ("comment", "One\ntwo")
    shown = page(member, project, trace).partition('id="scores-trace"')[2]
    assert 'name="comment_shown" value="One\ntwo"' in shown
    # Opened before that was written:
    assert said(verdict="down", comment="", comment_shown="") == ("down", "One\ntwo")
    assert said(verdict="keep", comment="Three", comment_shown="") == ("down", "Three")
    # Opened after it:
    assert said(verdict="up", comment="", comment_shown="Three") == ("up", "")


def test_what_the_api_wrote_in_place_of_ones_feedback_is_no_verdict(
    member: Client, project: Project, trace: str
) -> None:
    give(member, project, trace_id=trace, verdict="up")
    [given] = stored(project, trace)
    for value, name in ((0.5, "quality"), (0.5, FEEDBACK), ("down", "tone")):
        write(project, id=given.id, name=name, value=value, subject=given.subject)
        assert give(member, project, trace_id=trace, verdict="keep", comment="why").status_code == 302
        [now] = stored(project, trace)
        assert (now.value, now.comment) == ("comment", "why")


def test_htmx_gets_the_panel_anew(member: Client, project: Project, trace: str) -> None:
    answer = give(
        member,
        project,
        target="scores-trace",
        trace_id=trace,
        verdict="keep",
        comment="Look at <b>this</b>",
    )
    text = answer.content.decode()
    assert answer.status_code == 200
    assert text.lstrip().startswith('<div class="scores" id="scores-trace"')
    assert "Look at &lt;b&gt;this&lt;/b&gt;" in text
    assert "Your feedback is saved." in text


def test_a_comment_without_words_and_one_too_long_are_told(
    member: Client, project: Project, trace: str
) -> None:
    answer = give(member, project, target="scores-trace", trace_id=trace, verdict="keep", comment=" ")
    assert (answer.status_code, "Write what you have to say first." in answer.content.decode()) == (400, True)
    answer = give(
        member, project, target="scores-trace", trace_id=trace, verdict="up", comment="word " * 1_001
    )
    assert (answer.status_code, "word word" in answer.content.decode()) == (400, True)
    answer = give(member, project, trace_id=trace, verdict="keep")
    assert "Write what you have to say first." in member.get(answer["Location"]).content.decode()
    assert stored(project, trace) == []


@pytest.mark.parametrize(
    "fields",
    [{}, {"trace_id": "x"}, {"trace_id": "1" * 32, "session_id": "s"}, {"trace_id": "1" * 32, "span_id": "x"},
     {"trace_id": "0" * 32}, {"trace_id": "1" * 32, "span_id": "0" * 16}, {"trace_id": "1" * 32, "verdict": "great"}],
)  # fmt: skip
def test_a_form_that_is_not_ours_is_refused(
    member: Client, owner: User, project: Project, clickhouse: None, fields: dict[str, str]
) -> None:
    assert give(member, project, **{"verdict": "up", **fields}).status_code == 400
    member.force_login(owner)
    expected = 302 if fields.get("verdict") else 400
    assert remove(member, project, **fields).status_code == expected


def test_viewers_see_scores_and_give_none(client: Client, viewer: User, project: Project, trace: str) -> None:
    client.force_login(viewer)
    assert "No scores yet." in page(client, project, trace)
    write(project, subject=Subject(trace_id=trace), comment="fine")
    shown = page(client, project, trace)
    assert "0.82" in shown
    assert "fine" in shown
    assert 'name="verdict"' not in shown
    assert give(client, project, trace_id=trace, verdict="up").status_code == 403
    assert remove(client, project, trace_id=trace, score_id="s").status_code == 403


def test_admins_remove_what_others_wrote(
    client: Client, teammate: User, owner: User, project: Project, trace: str
) -> None:
    write(project, subject=Subject(trace_id=trace))
    client.force_login(teammate)
    assert "Remove this score" not in page(client, project, trace)
    assert remove(client, project, trace_id=trace, score_id="s").status_code == 403
    client.force_login(owner)
    assert "Remove this score" in page(client, project, trace)
    for _ in range(2):
        assert remove(client, project, trace_id=trace, score_id="s").status_code == 302
    assert stored(project, trace) == []
    assert AuditEntry.objects.filter(action="score.removed", actor=owner.email).count() == 1


def test_strangers_find_nothing(client: Client, stranger: User, project: Project, trace: str) -> None:
    client.force_login(stranger)
    assert give(client, project, trace_id=trace, verdict="up").status_code == 404
    assert remove(client, project, trace_id=trace, score_id="s").status_code == 404


def test_a_member_of_two_teams_writes_into_the_project_of_the_address(
    member: Client, teammate: User, project: Project, trace: str
) -> None:
    elsewhere = cast.project(cast.team("Two", teammate), "Other", teammate)
    give(member, elsewhere, trace_id=trace, verdict="up")
    assert (stored(project, trace), len(stored(elsewhere, trace))) == ([], 1)


def test_who_has_left_the_team_is_not_named(
    client: Client, team: Any, owner: User, project: Project, trace: str
) -> None:
    leaver = cast.member(team, "leaver@example.com", Role.MEMBER)
    client.force_login(leaver)
    give(client, project, trace_id=trace, verdict="down")
    leaver.memberships.all().delete()
    client.force_login(owner)
    shown = page(client, project, trace)
    assert "somebody who has left the team" in shown
    assert "leaver@example.com" not in shown


def test_stores_that_are_away_are_told_and_the_page_stands(
    member: Client, project: Project, trace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> Any:
        raise InsertUnavailable("away")

    def unread(*_: object, **__: object) -> Any:
        raise QueryUnavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr("evals.services.insert_json_lines", away)
        answer = give(
            member, project, target="scores-trace", trace_id=trace, verdict="up", comment="kept words"
        )
        assert answer.status_code == 503
        assert "was not stored" in answer.content.decode()
        assert "kept words" in answer.content.decode()
    monkeypatch.setattr("evals.queries.run", unread)
    shown = page(member, project, trace)
    assert "agent.invocation" in shown
    assert "The scores cannot be read just now." in shown


def test_a_cell_counts_verdicts_and_names_other_scores(
    member: Client, teammate: User, project: Project, trace: str
) -> None:
    give(member, project, trace_id=trace, verdict="wrong")
    for number in range(4):
        write(
            project,
            id=str(number),
            name=f"n{number}",
            value=number == 3,
            subject=Subject(trace_id=trace, span_id=SPAN),
        )
    request = type("Request", (), {"scope": Scope(project.pk), "project": project})()
    write(project, id="u", name="resolved", value=True, subject=Subject(session_id="s-1"))
    many = [
        Score(
            id=f"m{number}", name="quality", value=0.5, subject=Subject(trace_id="3" * 32), source=Source.EVAL,
            time=datetime.now(UTC),
        )
        for number in range(queries.MAX_OF_ONE)
    ]  # fmt: skip
    write(project, id="0.25", name=FEEDBACK, value=0.25, subject=Subject(trace_id="4" * 32))
    complaint = replace(many[0], id="f", name=FEEDBACK, value="wrong", time=many[0].time - timedelta(days=1))
    services.write_scores(
        project_id=project.pk,
        scores=[complaint, *many, replace(many[0], id="n")],
        policy=Policy(key=b"k" * 32),
    )
    traces = [
        type("Trace", (), {"trace_id": one, "session_id": session})
        for one, session in ((trace, "s-1"), ("1" * 32, "s-2"), ("3" * 32, "s-2"), ("4" * 32, "s-2"))
    ]
    cells = Template(
        "{% load scores %}{% scores_of_traces traces as scored %}"
        "{% for trace in traces %}{% score_cell scored trace.trace_id %}|{% endfor %}"
    ).render(Context({"request": request, "traces": traces}))
    with_scores, without, with_many, with_other, _ = (" ".join(cell.split()) for cell in cells.split("|"))
    assert 'aria-label="wrong"' in with_scores
    assert "n3 yes" in with_scores
    assert "+2" in with_scores
    assert "resolved yes" in with_scores.partition("session</span>")[2]
    assert "and more" not in with_scores
    assert without == '<span class="faint">-</span>'
    assert "feedback 0.25" in with_other
    # A complaint stands there whatever was measured since.
    assert 'aria-label="wrong"' in with_many
    assert "and more" in with_many


def test_a_page_with_a_panel_of_the_trace_and_of_a_step_reads_its_scores_once(
    member: Client, project: Project, trace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project, id="t", name="of-the-trace", subject=Subject(trace_id=trace))
    write(project, id="s", name="of-the-step", subject=Subject(trace_id=trace, span_id=SPAN))
    run, asked = queries.run, []

    def noted(query: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(query.name)
        return run(query, *args, **kwargs)

    monkeypatch.setattr(queries, "run", noted)
    shown = page(member, project, trace)
    assert asked == ["scores.of_trace"]
    of_trace, of_step = (
        shown.partition(f'id="list-{key}"')[2].partition("</ul>")[0] for key in ("trace", "span")
    )
    assert ("of-the-trace" in of_trace, "of-the-step" in of_trace) == (True, False)
    assert ("of-the-trace" in of_step, "of-the-step" in of_step) == (False, True)
    assert "the newest" not in shown
    monkeypatch.setattr(queries, "MAX_SHOWN", 2)
    shown = page(member, project, trace)
    assert "of-the-step" in shown
    assert "the newest 1 on steps" in shown
    assert asked[1:] == ["scores.of_trace", "scores.of_span", "scores.of_span"]


def test_what_was_said_of_steps_is_told_by_the_panel_of_the_trace_and_by_their_rows(
    member: Client, project: Project, trace: str
) -> None:
    write(project, id="q", value=0.5, subject=Subject(trace_id=trace, span_id=SPAN))
    write(project, id="x", value=0.5, subject=Subject(trace_id=trace, span_id="00000000000000bb"))
    shown = page(member, project, trace)
    on_steps = shown.partition('id="on-steps"')[2].partition('<section class="tree"')[0]
    assert "2 on steps" in on_steps
    assert f"{reverse('traces:detail', args=[project.slug, trace])}?span={SPAN}#step" in on_steps
    assert "a step that has not arrived" in on_steps
    row = shown.partition('id="tlist"')[2].partition('id="nothing"')[0]
    assert '<span class="visually-hidden">Scores: quality 0.5</span>' in row
    assert f'"{SPAN}": ["score", "Scores: quality 0.5"]' in shown
    # Given on the page, it is told there at once: by the step's panel, and by what is sent along.
    asked = {"trace_id": trace, "span_id": SPAN, "verdict": "wrong"}
    answer = give(member, project, target="verdicts-span", **asked).content.decode()
    assert 'data-icon="wrong" data-words="Scores: 1 wrong, quality 0.5"' in answer
    assert "3 on steps" in answer.partition('id="on-steps" hx-swap-oob="true"')[2]


def test_scores_of_sessions_stand_in_the_lists_of_sessions_and_of_traces(
    member: Client, project: Project, store_spans: Callable[[list[Span]], None]
) -> None:
    now = time.time_ns() - 10**9
    span = Span(
        project_id=project.pk, trace_id="5" * 32, span_id=SPAN, parent_id="", start_ns=now, end_ns=now,
        name="run", session_id="s-1",
    )  # fmt: skip
    store_spans([span])
    sessions, traces = (reverse(f"{name}:list", args=[project.slug]) for name in ("sessions", "traces"))
    assert "c-scores" not in member.get(sessions).content.decode()
    assert "c-scores" not in member.get(traces).content.decode()
    give(member, project, session_id="s-1", verdict="wrong")
    row = member.get(sessions).content.decode().partition("<tbody>")[2]
    assert 'aria-label="wrong"' in row
    row = member.get(traces).content.decode().partition("<tbody")[2]
    assert 'aria-label="wrong"' in row.partition("session</span>")[2]
    assert "s-1" in member.get(sessions, {"score": "feedback=wrong"}).content.decode().partition("<tbody>")[2]
    assert "No session matches" in member.get(sessions, {"score": "feedback=up"}).content.decode()


def test_a_users_page_sums_what_was_said_of_their_traces(
    member: Client, project: Project, store_spans: Callable[[list[Span]], None]
) -> None:
    def run(number: int, user_id: str, *, hours_ago: int = 0, session_id: str = "") -> str:
        start = time.time_ns() - (hours_ago * 3600 + 60) * 10**9
        trace_id = f"{number:032x}"
        span = Span(
            project_id=project.pk, trace_id=trace_id, span_id=SPAN, parent_id="", start_ns=start,
            end_ns=start + 10**9, name="run", kind=Kind.AGENT, status=Status.OK, user_id=user_id,
            session_id=session_id,
        )  # fmt: skip
        store_spans([span])
        return trace_id

    def users_page(user_id: str) -> str:
        address = reverse("users:user", args=[project.slug])
        answer = member.get(address, {"id": user_id, "range": "24h"}).content.decode()
        return " ".join(answer.partition("<h2>Feedback</h2>")[2].partition("</section>")[0].split())

    first, second = run(1, "ann"), run(2, "ann", session_id="s-1")
    older, others = run(3, "ann", hours_ago=48), run(4, "bo", session_id="s-2")
    assert "Nobody said anything of these traces" in users_page("ann")
    said: list[tuple[Subject, str, str]] = [
        (Subject(trace_id=first), "down", "<i>Too slow</i>"),
        (Subject(trace_id=first, span_id=SPAN), "down", ""),
        (Subject(trace_id=second), "wrong", "No such contract"),
        (Subject(trace_id=older), "up", "Yesterday's"),
        (Subject(trace_id=others), "up", "Of bo"),
    ]
    for number, (subject, value, comment) in enumerate(said):
        write(project, id=f"f{number}", name=FEEDBACK, value=value, subject=subject, comment=comment)
    for number, session in enumerate(("s-1", "s-2")):
        subject = Subject(session_id=session)
        write(
            project, id=f"s{number}", name=FEEDBACK, value="up", subject=subject, comment=f"All of {session}"
        )
    write(project, id="q", subject=Subject(trace_id=second), comment="Another score")
    services.delete_score(project_id=project.pk, score_id="f2")
    write(
        project, id="f5", name=FEEDBACK, value="comment", subject=Subject(trace_id=second), comment="Fine now"
    )
    shown = users_page("ann")
    # Two of one trace are one trace, as the list that the number leads to shows.
    assert "score=feedback%3Ddown" in shown
    assert "user_id=ann" in shown
    assert ">1 bad</a>" in shown
    assert ">1 good</a>" in shown
    assert "All of s-1" in shown
    assert f"{reverse('sessions:detail', args=[project.slug])}?id=s-1" in shown
    assert ">0 wrong</span>" in shown
    assert ">1 with a comment only</a>" in shown
    assert "&lt;i&gt;Too slow&lt;/i&gt;" in shown
    assert "Fine now" in shown
    assert not [
        text
        for text in ("No such contract", "Yesterday", "Of bo", "Another score", "All of s-2")
        if text in shown
    ]
    assert reverse("traces:detail", args=[project.slug, first]) in shown
