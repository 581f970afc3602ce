"""Everything that changes scores. What is written is redacted by the project's rules first."""

import io
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from django.utils import timezone

from evals import queries, store
from evals.score import FEEDBACK, Score, Source, Subject, Verdict
from ingest import loose_text
from ingest.policies import policy_of
from ingest.policy import Policy
from tracehouse.clickhouse.insert import insert_json_lines
from tracehouse.tenancy.models import Project, User
from tracehouse.tenancy.scope import Scope
from tracehouse.tenancy.services import record

_OF_PEOPLE = uuid.uuid5(uuid.NAMESPACE_DNS, "feedback.tracehouse")
MEMBER = "member:"


class NothingSaid(Exception):
    """A comment without words, and no verdict."""


def write_scores(*, project_id: int, scores: Sequence[Score], policy: Policy) -> list[Score]:
    """Stores scores, each in the place of a former one of its id, and gives them as they are stored.

    Of several with one id the last counts. Raises `InsertUnavailable`; then none is stored.
    """
    redacted = [_redacted(score, policy) for score in scores]
    last = {score.id: score for score in redacted}
    _insert(store.line(project_id, score) for score in last.values())
    return redacted


def delete_score(*, project_id: int, score_id: str) -> None:
    """Ends a score. Doing it again, or to one that never was, changes nothing. Raises `InsertUnavailable`."""
    _insert([store.deletion(project_id, score_id)])


def stored_id(given: str, policy: Policy) -> str:
    """The id under which a score with this id is stored."""
    return loose_text.identifier(given, policy)


def give_feedback(
    *,
    scope: Scope,
    project: Project,
    user: User,
    subject: Subject,
    verdict: Verdict | None,
    comment: str | None,
) -> None:
    """Stores what a person says, in the place of what they said of the same before.

    Without a verdict, or without a comment, the one given before stays. Raises `NothingSaid`, `InsertUnavailable`,
    `QueryTooLarge`, `QueryUnavailable`.
    """
    score_id = feedback_id(project.pk, user.pk, subject)
    before = queries.get_score(scope, score_id) if verdict is None or comment is None else None
    verdict = verdict or _verdict_of(before)
    if comment is None:
        comment = before.comment if before else ""
    if verdict is Verdict.COMMENT and not comment:
        raise NothingSaid
    score = Score(
        id=score_id,
        name=FEEDBACK,
        value=verdict.value,
        subject=subject,
        source=Source.UI,
        time=timezone.now(),
        comment=comment,
        author=author_of(user),
    )
    [stored] = write_scores(project_id=project.pk, scores=[score], policy=policy_of(project))
    _record(project, user.email, "feedback.given", stored.subject, verdict=verdict.value)


def _verdict_of(before: Score | None) -> Verdict:
    """Under the id of what a person said, the API may have written anything since."""
    given = before.value if before and before.name == FEEDBACK else None
    return next((one for one in Verdict if one == given), Verdict.COMMENT)


def take_back_feedback(*, project: Project, user: User, subject: Subject) -> None:
    """Deletes what the person said of the subject. Raises `InsertUnavailable`."""
    delete_score(project_id=project.pk, score_id=feedback_id(project.pk, user.pk, subject))
    _record(project, user.email, "feedback.taken_back", _redacted_subject(subject, policy_of(project)))


def remove_score(*, scope: Scope, project: Project, user: User, score_id: str) -> Score | None:
    """Deletes a score of anybody's, and gives what it was; None when there is none.

    Raises `InsertUnavailable`, `QueryTooLarge`, `QueryUnavailable`.
    """
    found = queries.get_score(scope, score_id)
    if found is not None:
        delete_score(project_id=project.pk, score_id=score_id)
        record_removal(found, project=project, actor=user.email)
    return found


def record_removal(score: Score, *, project: Project, actor: str) -> None:
    _record(project, actor, "score.removed", score.subject, name=score.name, id=score.id)


def feedback_id(project_id: int, user_id: int, subject: Subject) -> str:
    """One for each person and subject: whoever changes their mind writes the same score again."""
    key = (project_id, user_id, subject.trace_id, subject.span_id, subject.session_id)
    return str(uuid.uuid5(_OF_PEOPLE, repr(key)))


def author_of(user: User) -> str:
    """People of the platform are stored by number, not by address."""
    return f"{MEMBER}{user.pk}"


def member_number(score: Score) -> int | None:
    """The number of the person who gave the score on a page."""
    number = score.author.removeprefix(MEMBER)
    return int(number) if score.source is Source.UI and number.isdecimal() else None


def _redacted_subject(subject: Subject, policy: Policy) -> Subject:
    return replace(subject, session_id=loose_text.identity(subject.session_id, policy))


def _redacted(score: Score, policy: Policy) -> Score:
    return replace(
        score,
        # Ids and authors that are not a client's are our own.
        id=stored_id(score.id, policy) if score.source is Source.API else score.id,
        author=loose_text.identity(score.author, policy) if score.source is Source.API else score.author,
        name=loose_text.words(score.name, policy),
        value=loose_text.words(score.value, policy) if isinstance(score.value, str) else score.value,
        comment=loose_text.words(score.comment, policy),
        subject=_redacted_subject(score.subject, policy),
    )


def _insert(lines: Iterable[bytes]) -> None:
    insert_json_lines(store.TABLE, io.BytesIO(b"".join(lines)), token=uuid.uuid4().hex)


def _record(project: Project, actor: str, action: str, subject: Subject, **details: str) -> None:
    if subject.span_id:
        details["span_id"] = subject.span_id
    target = subject.session_id or subject.trace_id
    told: dict[str, Any] = {"target": target[:200], **details}
    record(actor=actor, action=action, project=project, **told)
