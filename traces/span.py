"""The one shape of a span that ingest, costs, queries and pages share. Frozen; `None` means absent.

A stored span may be written in parts (a retry, a log record, a re-pricing). An absent field never wipes one
that is present, so every field that an emitter may leave out is optional here and nullable in the table.
"""

from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

import msgspec

JSONValue: TypeAlias = str | int | float | bool | list["JSONValue"] | dict[str, "JSONValue"] | None
Attributes: TypeAlias = dict[str, JSONValue]


class Kind(StrEnum):
    AGENT = "agent"
    LLM = "llm"
    TOOL = "tool"
    EMBEDDING = "embedding"
    RETRIEVER = "retriever"
    RERANKER = "reranker"
    WORKFLOW = "workflow"
    GUARDRAIL = "guardrail"
    EVALUATOR = "evaluator"
    PROMPT = "prompt"
    MEMORY = "memory"
    EVENT = "event"
    SPAN = "span"


# Only these spans' tokens and cost are summed: agent spans of some emitters repeat their children's usage.
BILLED_KINDS = frozenset({Kind.LLM, Kind.EMBEDDING, Kind.RERANKER})


class Status(StrEnum):
    UNSET = "unset"
    OK = "ok"
    ERROR = "error"


class CostState(StrEnum):
    """How a span's cost came about. A span whose kind is not billed has none (`None`)."""

    COMPUTED = "computed"  # from the price book
    REPORTED = "reported"  # sent by the client, which wins
    UNPRICED = "unpriced"  # a billed call whose model has no known price; never shown as 0


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens in disjoint buckets. The input is the sum of the first four; reasoning is a part of output."""

    input_uncached: int | None = None
    cache_read: int | None = None
    cache_write_5m: int | None = None
    cache_write_1h: int | None = None
    output: int | None = None
    reasoning: int | None = None

    @property
    def input(self) -> int:
        return (
            (self.input_uncached or 0)
            + (self.cache_read or 0)
            + (self.cache_write_5m or 0)
            + (self.cache_write_1h or 0)
        )

    @property
    def is_empty(self) -> bool:
        return not (self.input or self.output)


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """US dollars, at least nine decimals kept; rounding happens only where it is shown."""

    state: CostState
    total: Decimal | None = None
    source: str = ""  # which price: "genai-prices 0.2.3 anthropic/claude-sonnet-4"


class Event(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    time_ns: int
    attributes: Attributes = {}


class EntryKind(StrEnum):
    """What a log record tells of its span."""

    INPUT = "input"  # one message of the prompt
    OUTPUT = "output"  # one answer of the model
    DETAILS = "details"  # a whole call: prompt, answer, tools
    EVENT = "event"


class LogEntry(Event, frozen=True, kw_only=True):
    """What one log record says; its content is in `attributes`. The same record sent twice has the same `key`.

    `place` is the record's position in its request: it orders records of one moment.
    """

    key: str
    kind: EntryKind
    place: int = 0


class Link(msgspec.Struct, frozen=True, kw_only=True):
    trace_id: str
    span_id: str
    attributes: Attributes = {}


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """One span. Ids are lower-case hex (32 and 16 digits), times nanoseconds since the epoch in UTC.

    `parent_id` is `""` for a root and `None` where a part does not say. Content (`input`, `output`,
    `tool_definitions`) is structured where the emitter sent structure: messages in the OTel GenAI shape
    (`{"role", "parts": [...]}`) for model calls, any JSON value or text otherwise.
    """

    project_id: int
    trace_id: str
    span_id: str
    parent_id: str | None = None
    start_ns: int | None = None
    end_ns: int | None = None
    name: str | None = None
    kind: Kind | None = None
    status: Status | None = None
    status_message: str | None = None
    error_type: str | None = None

    user_id: str | None = None
    session_id: str | None = None
    organization_id: str | None = None
    feature: str | None = None
    environment: str | None = None
    release: str | None = None
    input_type: str | None = None
    tags: tuple[str, ...] | None = None

    agent_name: str | None = None
    workflow_name: str | None = None
    model: str | None = None
    request_model: str | None = None
    provider: str | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None
    prompt_name: str | None = None
    prompt_version: str | None = None
    finish_reason: str | None = None
    response_id: str | None = None  # the provider's id of its answer
    time_to_first_token_ns: int | None = None

    usage: Usage = Usage()
    reported_cost: Decimal | None = None
    cost: Cost | None = None

    input: JSONValue = None
    output: JSONValue = None
    output_bytes: int | None = None  # UTF-8 bytes of the output as it was sent
    tool_definitions: JSONValue = None
    request_params: Attributes | None = None
    attributes: Attributes | None = None
    resource: Attributes | None = None
    scope: str | None = None
    vocabulary: str | None = None
    events: tuple[Event, ...] | None = None
    links: tuple[Link, ...] | None = None
    log_entries: tuple[LogEntry, ...] | None = None  # added to those that are stored, never in their place
    recorded_ns: int | None = None  # the time of a part that does not know when its span began
    redactions: dict[str, int] | None = None  # detector -> how many values it replaced
