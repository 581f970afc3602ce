"""The plain JSON shape of a span, as the API takes and documents it, and what is wrong with one that is not. Pure.

The types here are the contract: decoding, error messages and the OpenAPI description all come from them.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeAlias, get_args

import msgspec
from msgspec import Meta

from traces.span import Kind, Status

MAX_COUNT = 2**53
# A field that nobody of ours knows is named back to its sender, up to this length; not one that is no name.
LONGEST_NAME = 60
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
# What other APIs call our fields, where the spelling does not tell.
ELSEWHERE: Mapping[str, str] = {
    "prompt_tokens": "input_tokens",
    "completion_tokens": "output_tokens",
    "cached_tokens": "cache_read_tokens",
    "id": "span_id",
    "parent_span_id": "parent_id",
    "type": "kind",
    "timestamp": "start_time",
    "start": "start_time",
    "end": "end_time",
    "latency_ms": "duration_ms",
    "error": "status_message",
    "cost": "cost_usd",
    "metadata": "attributes",
    "prompt": "input",
    "completion": "output",
}


def _told(expected: str, description: str = "", **rules: Any) -> Meta:
    """`expected` finishes the sentence "must be ..." of an error, `description` is for the documentation."""
    return Meta(description=description or None, extra={"expected": expected}, **rules)


Text: TypeAlias = Annotated[str, _told("text")]
Texts: TypeAlias = Annotated[list[str], _told("a list of texts")]
Count: TypeAlias = Annotated[int, _told("a whole number of 0 or more", ge=0, le=MAX_COUNT)]
Milliseconds: TypeAlias = Annotated[float, _told("a number of 0 or more", ge=0, le=1e12)]
Object: TypeAlias = Annotated[dict[str, Any], _told("an object")]
TraceId: TypeAlias = Annotated[
    str,
    _told(
        "32 hex digits (the dashes of a UUID are fine)",
        "32 hex digits; the dashes of a UUID are fine. Made up when absent.",
        pattern="^([0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$",
    ),
]
SpanId: TypeAlias = Annotated[
    str,
    _told(
        "16 hex digits",
        "16 hex digits. Made up when absent; send your own, so that a retry is the same span.",
        pattern="^[0-9a-fA-F]{16}$",
    ),
]
ParentId: TypeAlias = Annotated[
    str,
    _told(
        "16 hex digits",
        "The `span_id` of the span that called this one; absent for the root.",
        pattern="^[0-9a-fA-F]{16}$",
    ),
]
Moment: TypeAlias = Annotated[
    str | int | float,
    _told(
        "a time: RFC 3339 text with a zone, or a number since 1970",
        "RFC 3339 text with a zone, or a number since 1970: seconds, milliseconds, microseconds and nanoseconds"
        " are told apart by their size.",
    ),
]
KindName: TypeAlias = Annotated[
    Kind,
    _told(
        f"one of {', '.join(Kind)}",
        "Guessed when absent: `tool` with a tool name, `llm` with a model and usage or messages, else `span`.",
    ),
]
StatusName: TypeAlias = Annotated[
    Status,
    _told(
        f"one of {', '.join(Status)}",
        "When absent: `error` with a `status_message` or `error_type`, else `unset`.",
    ),
]
Dollars: TypeAlias = Annotated[
    str | int | float,
    _told(
        "US dollars of 0 or more, as a number or a decimal text",
        "What the call cost in US dollars, as decimal text or a number; wins over the price book.",
    ),
]


class GivenUsage(msgspec.Struct, forbid_unknown_fields=True, rename=None):
    """Tokens of a model call. The first two are totals, the others say what they are made of."""

    input_tokens: Annotated[Count, Meta(description="All input tokens, cached ones included.")] | None = None
    output_tokens: Annotated[Count, Meta(description="All output tokens, reasoning included.")] | None = None
    cache_read_tokens: (
        Annotated[Count, Meta(description="The part of `input_tokens` read from a cache.")] | None
    ) = None
    cache_write_tokens: (
        Annotated[Count, Meta(description="The part of `input_tokens` written to a cache.")] | None
    ) = None
    cache_write_1h_tokens: (
        Annotated[
            Count, Meta(description="The part of `cache_write_tokens` that lives an hour, not five minutes.")
        ]
        | None
    ) = None
    reasoning_tokens: (
        Annotated[Count, Meta(description="The part of `output_tokens` spent on reasoning.")] | None
    ) = None


class GivenEvent(msgspec.Struct, forbid_unknown_fields=True):
    """Something that happened during the span. An `exception` has `exception.type` and `exception.message`."""

    name: Text
    time: Annotated[Moment, Meta(description="The span's start when absent.")] | None = None
    attributes: Object | None = None


class GivenSpan(msgspec.Struct, forbid_unknown_fields=True):
    """One step of a run. A span sent again under its ids is the same span: the fields it names replace those
    stored, the others stay; its `kind`, `status` and `parent_id` are always those of the last time."""

    name: Text
    trace_id: TraceId | None = None
    span_id: SpanId | None = None
    parent_id: ParentId | None = None
    kind: KindName | None = None
    start_time: (
        Annotated[
            Moment,
            Meta(description="May be left out with a `span_id` made here: the span ended as it arrived."),
        ]
        | None
    ) = None
    end_time: Moment | None = None
    duration_ms: Annotated[Milliseconds, Meta(description="In place of `end_time`.")] | None = None
    status: StatusName | None = None
    status_message: Text | None = None
    error_type: Text | None = None
    user_id: Text | None = None
    session_id: Text | None = None
    organization_id: Text | None = None
    feature: Text | None = None
    input_type: Text | None = None
    environment: Text | None = None
    release: Text | None = None
    tags: Texts | None = None
    agent_name: Text | None = None
    workflow_name: Text | None = None
    model: Text | None = None
    request_model: Text | None = None
    provider: Text | None = None
    tool_name: Text | None = None
    tool_call_id: Text | None = None
    prompt_name: Text | None = None
    prompt_version: Text | None = None
    finish_reason: Text | None = None
    response_id: (
        Annotated[
            Text,
            Meta(description="The provider's id of its answer; a call that several spans tell counts once."),
        ]
        | None
    ) = None
    time_to_first_token_ms: Milliseconds | None = None
    usage: GivenUsage | None = None
    cost_usd: Dollars | None = None
    input: Annotated[Any, Meta(description='Any JSON, or messages: `[{"role", "content"}]`.')] = None
    output: Annotated[Any, Meta(description="Any JSON, or messages.")] = None
    tool_definitions: Annotated[Any, Meta(description="The tools that the model could ask for.")] = None
    request_params: Object | None = None
    attributes: Annotated[Object, Meta(description="Anything else worth keeping.")] | None = None
    events: Annotated[list[GivenEvent], Meta(extra={"expected": "a list of objects"})] | None = None


class FieldError(msgspec.Struct, frozen=True):
    """`field` is a path such as `spans[3].usage.input_tokens`. No message quotes a value."""

    field: str
    message: str


_OBJECTS: Mapping[str, type[msgspec.Struct]] = {"usage": GivenUsage}
_LISTS: Mapping[str, type[msgspec.Struct]] = {"events": GivenEvent}


def read(value: object, path: str) -> GivenSpan | list[FieldError]:
    """The span that `value` is, or everything that is wrong with its fields."""
    try:
        return msgspec.convert(value, GivenSpan)
    except msgspec.ValidationError:
        return list(_problems(value, GivenSpan, path))


def _problems(value: object, shape: type[msgspec.Struct], path: str) -> Iterator[FieldError]:
    if not isinstance(value, dict):
        yield FieldError(path, "must be an object")
        return
    fields = {field.name: field for field in msgspec.structs.fields(shape)}
    for name in value:
        if name not in fields:
            yield FieldError(f"{path}.{_shown(str(name))}", _unknown(str(name), list(fields)))
    for name, field in fields.items():
        if name in value:
            yield from _field_problems(value[name], field.type, name, f"{path}.{name}")
        elif field.required:
            yield FieldError(f"{path}.{name}", "is required")


def _field_problems(value: object, kind: Any, name: str, path: str) -> Iterator[FieldError]:
    if name in _OBJECTS and value is not None:
        yield from _problems(value, _OBJECTS[name], path)
    elif name in _LISTS and isinstance(value, list):
        for place, item in enumerate(value):
            yield from _problems(item, _LISTS[name], f"{path}[{place}]")
    else:
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError:
            yield FieldError(path, f"must be {_expected(kind)}")


def _shown(name: str) -> str:
    return name[:LONGEST_NAME] if _NAME.fullmatch(name) else "?"


def _unknown(name: str, known: list[str]) -> str:
    asked = name[:LONGEST_NAME].lower()
    elsewhere = [ELSEWHERE[asked]] if ELSEWHERE.get(asked) in known else []
    near = elsewhere or difflib.get_close_matches(asked, known, n=1, cutoff=0.75)
    if near:
        return f"unknown field; did you mean {near[0]}?"
    return "unknown field; put it into attributes" if "attributes" in known else "unknown field"


def _expected(kind: Any) -> str:
    """The words of the type's own `Meta`, which says what is expected."""
    for part in (kind, *get_args(kind)):
        for meta in getattr(part, "__metadata__", ()):
            if isinstance(meta, Meta) and meta.extra:
                return str(meta.extra["expected"])
    raise TypeError("a field of the plain shape does not say what it expects")
