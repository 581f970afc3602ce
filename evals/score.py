"""The one shape of a score: what somebody, or something, says of a trace, a span or a session. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

Value: TypeAlias = float | str | bool


MAX_ID = 200
MAX_SESSION_ID = 1_000
MAX_LABEL = 200
MAX_COMMENT = 5_000


class DataType(StrEnum):
    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    BOOLEAN = "boolean"


class Source(StrEnum):
    API = "api"
    UI = "ui"
    EVAL = "eval"


class Target(StrEnum):
    TRACE = "trace"
    SPAN = "span"
    SESSION = "session"


# What a person says on a page: one score of this name for each person and thing, with one of these values.
FEEDBACK = "feedback"


class Verdict(StrEnum):
    UP = "up"
    DOWN = "down"
    WRONG = "wrong"  # it says something that is not so
    COMMENT = "comment"  # only words


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is scored: a trace (hex id), one span of it (both ids), or a session."""

    trace_id: str = ""
    span_id: str = ""
    session_id: str = ""

    @property
    def target(self) -> Target:
        if self.session_id:
            return Target.SESSION
        return Target.SPAN if self.span_id else Target.TRACE


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """`id` is what it is known by in its project: written again under the same id, it takes the place of the former."""

    id: str
    name: str
    value: Value
    subject: Subject
    source: Source
    time: datetime
    comment: str = ""
    author: str = ""

    @property
    def data_type(self) -> DataType:
        return data_type_of(self.value)


def data_type_of(value: Value) -> DataType:
    if isinstance(value, bool):
        return DataType.BOOLEAN
    return DataType.CATEGORICAL if isinstance(value, str) else DataType.NUMERIC
