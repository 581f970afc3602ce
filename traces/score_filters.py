"""Traces by their scores: a condition such as `quality >= 0.5`, and the scores that are in force.

Scores are written by the app above (`evals`), which owns their table. A score is known by its id and what was written
last of it counts, wherever that stands: it may be deleted since, or said of another trace.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

Operator: TypeAlias = Literal[">=", "<=", "=", ""]

COLUMNS = (
    "trace_id",
    "span_id",
    "session_id",
    "name",
    "data_type",
    "number",
    "label",
    "comment",
    "source",
    "author",
    "time",
    "deleted",
)
MAX_NAME = 200
_NAME = r"[^<>=\x00-\x1f\x7f]+"
_CONDITION = re.compile(rf"\s*({_NAME}?)\s*(?:(>=|<=|=)\s*(\S.*?)\s*)?", re.DOTALL)
_TRUTH: Mapping[str, float] = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}


class BadScoreCondition(ValueError):
    """The text is no condition on a score; says what one looks like."""


@dataclass(frozen=True, slots=True)
class ScoreCondition:
    """`value` as it was written; without an operator any score of the name will do."""

    name: str
    operator: Operator = ""
    value: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.operator} {self.value}" if self.operator else self.name

    @property
    def number(self) -> float | None:
        """The value where it is one, or yes or no: booleans are stored as 1 and 0."""
        if self.value.lower() in _TRUTH:
            return _TRUTH[self.value.lower()]
        try:
            number = float(self.value)
        except ValueError:
            return None
        return number if math.isfinite(number) else None


def is_name(text: str) -> bool:
    """Whether a score may be called so: no control characters, and none of the signs that conditions are made of."""
    return 0 < len(text) <= MAX_NAME and re.fullmatch(_NAME, text) is not None and text == text.strip()


def parse(text: str) -> ScoreCondition:
    """`quality>=0.5`, `feedback=down`, `helpful=true`, or a name alone. Raises `BadScoreCondition`."""
    found = _CONDITION.fullmatch(text)
    if found is None or not is_name(found[1]):
        raise BadScoreCondition(
            "Give a name, or a name with =, >= or <= and a value: quality>=0.5 or feedback=down."
        )
    operator: Operator = next((one for one in get_args(Operator) if one == found[2]), "")
    condition = ScoreCondition(found[1], operator, found[3] or "")
    if operator in {">=", "<="} and condition.number is None:
        raise BadScoreCondition(f"After {operator} comes a number, such as 0.5.")
    return condition


def parameters_of(wanted: ScoreCondition) -> dict[str, str | float]:
    """What `candidates` and `decides` name, but for `trace_ids`."""
    parameters: dict[str, str | float] = {"score_name": wanted.name}
    if wanted.operator and wanted.number is not None:
        parameters["score_number"] = wanted.number
    if wanted.operator == "=":
        parameters["score_label"] = wanted.value
    return parameters


def candidates(wanted: ScoreCondition) -> str:
    """SQL that holds for every trace which has such a score, on itself, a span or its session; and for some that had.

    It reads the scores written since the window began, for a trace is scored after it started; those of sessions from
    whenever, for a session goes on after it was scored.
    """
    written = f"scores WHERE project_id = {{project_id:UInt64}} AND {_matching(wanted)}"
    return _of_either(f"{written} AND day >= {{first_day:Date}}", f"{written} AND {_OF_A_SESSION}")


def counted(wanted: ScoreCondition) -> str:
    """SQL that holds for traces which have such a score; a trace goes by every session it was ever said to be of."""
    in_a_session = f"{_OF_A_SESSION} AND {_matching(wanted)}"
    return _of_either(in_force(_matching(wanted)), in_force(in_a_session, whenever=True))


def decides(wanted: ScoreCondition, *, session: str, of_these: bool = False) -> str:
    """SQL over the spans of a trace that holds just where it has such a score, on itself, a span or its session.

    `session`: an expression for the session it belongs to; `of_these`: for traces of the parameter `trace_ids`.
    """
    of_traces, of_sessions = _matching(wanted), f"{_OF_A_SESSION} AND {_matching(wanted)}"
    if of_these:
        of_traces = f"trace_id IN {{trace_ids:Array(UUID)}} AND {of_traces}"
        of_sessions = f"{_OF_THEIR_SESSIONS} AND {of_sessions}"
    return f"""(trace_id GLOBAL IN
      (
          SELECT trace_id
          FROM {in_force(of_traces)}
      )
      OR {session} GLOBAL IN
      (
          SELECT session_id
          FROM {in_force(of_sessions, whenever=True)}
      ))"""  # noqa: S608  # closed parts only


def in_force(narrowed: str, *, whenever: bool = False) -> str:
    """A subquery of whole scores, each as written last, that match `narrowed`: the FROM of every read of scores.

    Rows that once matched say which ids to look at, and the last row of each decides. Days are those of writing: what
    was written last of a score is never of an earlier day, so there is no upper bound; `whenever`: nor a lower one.
    """
    picked = ",\n            ".join(f"argMax(part.{name}, part.updated_at) AS {name}" for name in COLUMNS)
    since = "" if whenever else "\n          AND {alias}day >= {first_day:Date}"
    bound = f"project_id = {{project_id:UInt64}}{since}"
    return f"""(
        SELECT
            part.score_id AS score_id,
            {picked}
        FROM scores AS part
        WHERE part.{bound.replace("{alias}", "part.")}
          AND part.score_id IN
          (
              SELECT score_id
              FROM scores
              WHERE {bound.replace("{alias}", "")}
                AND {narrowed}
          )
        GROUP BY part.score_id
        HAVING NOT deleted
           AND {narrowed}
    )"""  # noqa: S608  # closed parts only


_BOUND = """project_id = {project_id:UInt64}
            AND day BETWEEN {first_day:Date} AND {last_day:Date}"""
_OF_A_SESSION = "session_id != ''"
_OF_THEIR_SESSIONS = f"""session_id GLOBAL IN
      (
          SELECT arrayJoin(session_ids)
          FROM traces
          WHERE {_BOUND}
            AND trace_id IN {{trace_ids:Array(UUID)}}
      )"""  # noqa: S608  # closed parts only


def _of_either(scores: str, of_sessions: str) -> str:
    """Traces that some of the `scores` are of, and those of the sessions that others are of, by the index of traces."""
    # GLOBAL: on a cluster a score does not lie on the shard of its trace.
    return f"""trace_id GLOBAL IN
      (
          SELECT trace_id
          FROM {scores}
          UNION ALL
          SELECT trace_id
          FROM traces
          ARRAY JOIN session_ids AS one_session_id
          WHERE {_BOUND}
            AND one_session_id GLOBAL IN
            (
                SELECT session_id
                FROM {of_sessions}
            )
      )"""  # noqa: S608  # closed parts only


def _matching(wanted: ScoreCondition) -> str:
    named = "name = {score_name:String}"
    if not wanted.operator:
        return named
    either = []
    if wanted.number is not None:
        either.append(f"data_type != 'categorical' AND number {wanted.operator} {{score_number:Float64}}")
    if wanted.operator == "=":
        either.append("data_type = 'categorical' AND label = {score_label:String}")
    return f"{named} AND ({' OR '.join(either)})"
