"""One span as the right side of the trace page shows it: what went in and out, what failed, what it used."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import fields as fields_of
from datetime import datetime
from decimal import Decimal

from traces import conversation, tool_calls
from traces.conversation import Message
from traces.moment import nanoseconds
from traces.queries import SpanUsage, StoredSpan, parse_trace_id
from traces.span import JSONValue
from traces.tool_calls import ToolCalls

USAGE_WORDS = {
    "input": "input",
    "input_uncached": "of it uncached",
    "cache_read": "of it read from cache",
    "cache_write_5m": "of it written to cache, 5 min",
    "cache_write_1h": "of it written to cache, 1 h",
    "output": "output",
    "reasoning": "of it reasoning",
}

ONE_LINE = 100
_EXCEPTION = ("exception.type", "exception.message", "exception.stacktrace")


@dataclass(frozen=True, slots=True)
class Content:
    messages: list[Message] | None
    text: str

    @property
    def is_prose(self) -> bool:
        return conversation.is_prose(self.text)


@dataclass(frozen=True, slots=True)
class Failure:
    type: str
    message: str
    stacktrace: str


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    after_ms: float
    attributes: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Link:
    trace_id: str  # hex, or "" when it is not an id
    span_id: str
    attributes: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Run:
    """A tool span that ran a call."""

    span_id: str
    failed: bool
    latency_ms: float


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that the model asked for, and the spans that ran it."""

    name: str
    arguments: str
    runs: list[Run]


@dataclass(frozen=True, slots=True)
class Step:
    span: StoredSpan
    input: Content | None
    output: Content | None
    calls: list[Call]
    asked_by: StoredSpan | None  # the model call that asked for what this tool span ran
    failures: list[Failure]
    usage: list[tuple[str, int]]
    facts: list[tuple[str, str]]
    events: list[Event]
    links: list[Link]
    tools: str
    raw: str


def describe(span: StoredSpan, others: Sequence[StoredSpan]) -> Step:
    """The step of `span`; results of tools it asked for are found among the `others` of its trace."""
    calls = tool_calls.by_model_call(others) if span.kind in {"llm", "tool"} else {}
    asker = tool_calls.asked_by(calls, span.span_id) if span.kind == "tool" else ""
    results = {
        other.tool_call_id: conversation.plain(other.output)
        for other in others
        if other.tool_call_id and other.kind == "tool" and other.output is not None
    }
    return Step(
        span=span,
        input=_content(span.input, results),
        output=_content(span.output, results),
        calls=_calls(calls.get(span.span_id)),
        asked_by=next((other for other in others if other.span_id == asker), None) if asker else None,
        failures=_failures(span),
        usage=_usage(span.usage),
        facts=[(label, value) for label, value in _facts(span) if value],
        events=[_event(event, span) for event in span.events if isinstance(event, dict)],
        links=[_link(link) for link in span.links if isinstance(link, dict)],
        tools=conversation.plain(span.tool_definitions) if span.tool_definitions else "",
        raw=_raw(span),
    )


def _calls(calls: ToolCalls | None) -> list[Call]:
    if calls is None:
        return []
    runs = {ran.span_id: Run(ran.span_id, ran.status == "error", ran.latency_ms) for ran in calls.executed}
    return [
        Call(
            name=asked.name,
            arguments="" if asked.arguments is None else _line(asked.arguments),
            runs=[runs[span_id] for span_id in asked.executed_by],
        )
        for asked in calls.requested
    ]


def _line(value: JSONValue) -> str:
    """One line, cut where it would leave the page."""
    line = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    line = " ".join(line.split())
    return line if len(line) <= ONE_LINE else f"{line[: ONE_LINE - 1]}…"


def pairs(values: Mapping[str, JSONValue]) -> list[tuple[str, str]]:
    """Attributes by name, each value as text."""
    return [(name, _short(value)) for name, value in sorted(values.items())]


def _short(value: JSONValue) -> str:
    """Small lists and objects on one line."""
    if isinstance(value, str):
        return value
    line = json.dumps(value, ensure_ascii=False)
    return line if len(line) <= ONE_LINE else conversation.plain(value)


def _content(value: JSONValue, results: Mapping[str, str]) -> Content | None:
    if value is None or value == "":
        return None
    found = conversation.messages(value)
    if found is None:
        return Content(None, conversation.plain(value))
    return Content(conversation.with_results(found, results), "")


def _failures(span: StoredSpan) -> list[Failure]:
    """The exceptions of the span; its status message where no exception says the same."""
    found = [
        Failure(*(_text(told, name) for name in _EXCEPTION))
        for event in span.events
        if isinstance(event, dict) and event.get("name") == "exception" and (told := _attributes(event))
    ]
    if span.status != "error" or any(span.status_message in failure.message for failure in found):
        return found
    named = any(failure.type == span.error_type for failure in found)
    return [Failure("" if named else span.error_type, span.status_message, ""), *found]


def _usage(usage: SpanUsage | None) -> list[tuple[str, int]]:
    if usage is None:
        return []
    counts = [(words, getattr(usage, name)) for name, words in USAGE_WORDS.items()]
    # Parts of the input are worth a line when they are not nothing and not all of it.
    return [
        (words, count)
        for words, count in counts
        if count is not None and (not words.startswith("of it") or 0 < count != usage.input)
    ]


def _facts(span: StoredSpan) -> list[tuple[str, str]]:
    asked = span.request_model if span.request_model != span.model else ""
    prompt = f"{span.prompt_name} {span.prompt_version}".strip()
    return [
        ("Model", span.model),
        ("Asked for", asked),
        ("Provider", span.provider),
        ("Tool", span.tool_name),
        ("Call id", span.tool_call_id),
        ("Agent", span.agent_name),
        ("Workflow", span.workflow_name),
        ("Prompt", prompt),
        ("Finish reason", span.finish_reason),
        ("Release", span.release),
        ("Input type", span.input_type),
        ("Tags", ", ".join(span.tags)),
        ("Recorded by", span.scope),
        ("Vocabulary", span.vocabulary),
        ("Span id", span.span_id),
        ("Redacted", ", ".join(f"{count} × {name}" for name, count in span.redactions.items())),
    ]


def _event(event: dict[str, JSONValue], span: StoredSpan) -> Event:
    at = nanoseconds(str(event.get("time") or ""))
    after = (at - span.start_ns) / 1e6 if at is not None else 0.0
    name = str(event.get("name") or "")
    # What an exception says stands above, in its own box.
    shown = _EXCEPTION if name == "exception" else ()
    told = {key: value for key, value in _attributes(event).items() if key not in shown}
    return Event(name, after, pairs(told))


def _link(link: dict[str, JSONValue]) -> Link:
    trace_id = parse_trace_id(str(link.get("trace_id") or ""))
    return Link(trace_id.hex if trace_id else "", str(link.get("span_id") or ""), pairs(_attributes(link)))


def _attributes(holder: Mapping[str, JSONValue]) -> dict[str, JSONValue]:
    found = holder.get("attributes")
    return found if isinstance(found, dict) else {}


def _text(values: Mapping[str, JSONValue], name: str) -> str:
    value = values.get(name)
    return "" if value is None else conversation.plain(value)


def _raw(span: StoredSpan) -> str:
    """Everything stored except the content that is shown above it."""
    skipped = {"input", "output", "usage", "tool_definitions"}
    values = {field.name: getattr(span, field.name) for field in fields_of(span) if field.name not in skipped}
    return conversation.plain(
        {
            name: str(value) if isinstance(value, Decimal | datetime) else value
            for name, value in values.items()
            if value not in ("", None, [], {})
        }
    )
