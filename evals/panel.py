"""The part of a page that shows the scores of one thing, and takes feedback on it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog

from evals import queries, services
from evals.forms import FeedbackForm
from evals.score import FEEDBACK, MAX_COMMENT, Score, Source, Subject, Target, Value, Verdict
from tracehouse.clickhouse.query import QueryTooLarge, QueryUnavailable
from tracehouse.tenancy.models import Role, User
from tracehouse.tenancy.permissions import ProjectRequest, may
from traces import outline_queries

log = structlog.get_logger()
Read = TypeVar("Read")
# Rows shown at once; the others unfold.
FIRST = 4
_GRAVEST_FIRST = (Verdict.WRONG, Verdict.DOWN, Verdict.UP, Verdict.COMMENT)
_WORDS = {Verdict.UP: "good", Verdict.DOWN: "bad", Verdict.WRONG: "wrong", Verdict.COMMENT: "with a comment"}
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
class Mark:
    """What was said of one step, in an icon and in words."""

    icon: str
    words: str


@dataclass(frozen=True, slots=True)
class ScoredStep:
    """`name` is None while the span itself is not there."""

    span_id: str
    name: str | None
    mark: Mark


@dataclass(frozen=True, slots=True)
class OnSteps:
    """The scores of a trace that are of its steps."""

    scores: int
    steps: list[ScoredStep]
    are_newest: bool  # of more than are read

    @property
    def first(self) -> list[ScoredStep]:
        return self.steps[:FIRST]

    @property
    def rest(self) -> list[ScoredStep]:
        return self.steps[FIRST:]


@dataclass(frozen=True, slots=True)
class Panel:
    subject: Subject
    scores: list[Shown]
    own: Shown | None
    own_id: str  # of what this reader says of it
    may_give: bool
    unreadable: bool = False
    on_steps: OnSteps | None = None  # of a trace
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
    def mark(self) -> Mark | None:
        return mark_of([one.score for one in self.scores])

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
    own_id = services.feedback_id(request.project.pk, request.user.pk, subject)
    found = unless_away(request, lambda: _scores_of(request, subject))
    if found is None:
        return Panel(subject, [], None, own_id, may_give, unreadable=True, form=form)
    on_steps = steps_of(request, subject.trace_id) if subject.target is Target.TRACE else None
    emails = _emails(request, found)
    is_admin = may(request.role, Role.ADMIN)
    shown = [
        Shown(score, _by(score, emails), score.id == own_id, is_admin and score.id != own_id)
        for score in found
    ]
    shown.sort(key=lambda one: not one.is_own)
    own = shown[0] if shown and shown[0].is_own else None
    return Panel(subject, shown, own, own_id, may_give, on_steps=on_steps, form=form)


def unless_away(request: ProjectRequest, read: Callable[[], Read]) -> Read | None:
    """None while the scores cannot be read: what they stand beside does without."""
    try:
        return read()
    except (QueryUnavailable, QueryTooLarge) as error:
        log.warning("scores_read_failed", project=request.project.slug, error=type(error).__name__)
        return None


def _scores_of(request: ProjectRequest, subject: Subject) -> list[Score]:
    """A page with panels of a trace and of a step reads once, unless there are more scores than one read has."""
    if not subject.trace_id:
        return queries.of_subject(request.scope, subject)
    whole = _of_trace(request, subject.trace_id)
    if len(whole) >= queries.MAX_SHOWN:
        return queries.of_subject(request.scope, subject)
    return [score for score in whole if score.subject.span_id == subject.span_id]


def _of_trace(request: ProjectRequest, trace_id: str) -> list[Score]:
    kept: dict[str, list[Score]] = vars(request).setdefault("scores_by_trace", {})
    if trace_id not in kept:
        kept[trace_id] = queries.of_trace(request.scope, trace_id)
    return kept[trace_id]


def marks_of(request: ProjectRequest, trace_id: str) -> Mapping[str, Mark]:
    """By span id, for the steps that have scores."""
    return _marks(_by_step(unless_away(request, lambda: _of_trace(request, trace_id)) or ()))


def steps_of(request: ProjectRequest, trace_id: str) -> OnSteps | None:
    def read() -> OnSteps:
        found = _of_trace(request, trace_id)
        scored = _by_step(found)
        names = outline_queries.names(request.scope, trace_id, list(scored))
        steps = [ScoredStep(span_id, names.get(span_id), mark) for span_id, mark in _marks(scored).items()]
        return OnSteps(sum(map(len, scored.values())), steps, are_newest=len(found) >= queries.MAX_SHOWN)

    return unless_away(request, read)


def _marks(scored: Mapping[str, list[Score]]) -> Mapping[str, Mark]:
    return {span_id: mark for span_id, scores in scored.items() if (mark := mark_of(scores))}


def _by_step(scores: Iterable[Score]) -> Mapping[str, list[Score]]:
    found: defaultdict[str, list[Score]] = defaultdict(list)
    for score in scores:
        if score.subject.span_id:
            found[score.subject.span_id].append(score)
    return found


def mark_of(scores: Sequence[Score]) -> Mark | None:
    """The icon is of the gravest verdict, the words are of all verdicts and of other scores by name and value."""
    if not scores:
        return None
    counts = verdict_counts(scores)
    gravest = next((verdict for verdict in _GRAVEST_FIRST if verdict in counts), None)
    others = [f"{one.name} {value_in_words(one.value)}" for one in scores if not is_verdict(one)]
    said = [f"{count} {_WORDS[verdict]}" for verdict, count in counts.items()]
    return Mark(icon=gravest or "score", words="Scores: " + ", ".join([*said, *others]))


def value_in_words(value: Value) -> str:
    """yes or no, 0.82, or the text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else f"{value:.6g}"


def is_verdict(score: Score) -> bool:
    """A program may send anything under the name of feedback; what is no verdict is a score as others are."""
    return score.name == FEEDBACK and any(score.value == verdict for verdict in Verdict)


def verdict_counts(scores: Iterable[Score]) -> Mapping[Verdict, int]:
    """How often each verdict was given."""
    given = [str(score.value) for score in scores if is_verdict(score)]
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
