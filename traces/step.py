"""One span as the right side of the trace page shows it: what went in and out, what failed, what it used."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tracehouse.web import figures
from traces import conversation, tool_calls
from traces.body import Body, Pair, Texts, of_value, plain
from traces.conversation import Message, Result
from traces.moment import nanoseconds
from traces.queries import SpanUsage, StoredSpan, parse_trace_id
from traces.span import JSONValue
from traces.tool_calls import CallSpan, ToolCalls

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
# Of a longer conversation the first messages are shown, and the last that make up this many.
MAX_MESSAGES = 60
FIRST_MESSAGES = 4
_EXCEPTION = ("exception.type", "exception.message", "exception.stacktrace")


@dataclass(frozen=True, slots=True)
class Content:
    """Input or output: a conversation where it is one. Of a long conversation the middle is left out."""

    body: Body
    beginning: list[Message]
    left_out: int
    end: list[Message]

    @property
    def is_conversation(self) -> bool:
        return bool(self.beginning or self.end)


@dataclass(frozen=True, slots=True)
class Failure:
    type: str
    message: Body
    stacktrace: Body | None = None

    @property
    def frames(self) -> int:
        """Lines of the stack trace."""
        return self.stacktrace.text.strip().count("\n") + 1 if self.stacktrace else 0


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    after_ms: float | None  # None where it has no time
    attributes: list[Pair]

    @property
    def when(self) -> str:
        if self.after_ms is None:
            return "without a time"
        if self.after_ms < 0:
            return f"{figures.duration(-self.after_ms)} before the start"
        return f"after {figures.duration(self.after_ms)}"


@dataclass(frozen=True, slots=True)
class Link:
    trace_id: str  # hex, or "" when it is not an id
    span_id: str
    attributes: list[Pair]


@dataclass(frozen=True, slots=True)
class Run:
    """A tool span that ran a call."""

    span_id: str
    failed: bool
    latency_ms: float
    is_open: bool  # its end has not arrived


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
    asked_by: CallSpan | None  # the model call that asked for what this tool span ran
    failures: list[Failure]
    usage: list[tuple[str, int]]
    facts: list[tuple[str, str]]
    events: list[Event]
    links: list[Link]
    tools: Body | None
    tool_count: int
    parameters: list[Pair]
    attributes: list[Pair]
    resource: list[Pair]


def describe(
    span: StoredSpan,
    others: Sequence[StoredSpan],
    texts: str = "",
    *,
    all_calls: Sequence[CallSpan] = (),
    everything: bool = False,
) -> Step:
    """The step of `span`; results of tools it asked for are found among the `others` of its trace.

    `all_calls`: those of the trace, where the others are not all of them. `texts` is the address of the trace's whole
    texts. With `everything`, no message of a long conversation is left out.
    """
    here = Texts(texts, span.span_id)
    known = _known(others, all_calls)
    calls = tool_calls.by_model_call(known)
    asker = tool_calls.asked_by(calls, span.span_id) if span.kind == "tool" else ""
    told = _results_told(others, calls, texts)
    own = _own_results(calls.get(span.span_id), others, texts)
    return Step(
        span=span,
        input=_content(span.input, told, here.at("input"), everything),
        output=_content(span.output, told, here.at("output"), everything, own),
        calls=_calls(calls.get(span.span_id), {other.span_id for other in others if other.is_open}),
        asked_by=next((other for other in known if other.span_id == asker), None) if asker else None,
        failures=_failures(span, here),
        usage=_usage(span.usage),
        facts=[(label, value) for label, value in _facts(span, others) if value],
        events=[_event(event, span, place, here) for place, event in _objects(span.events)],
        links=[_link(link, place, here) for place, link in _objects(span.links)],
        tools=of_value(span.tool_definitions, here.at("tools")) if span.tool_definitions else None,
        tool_count=len(span.tool_definitions) if isinstance(span.tool_definitions, list) else 0,
        parameters=_pairs(span.request_params, "parameters", here),
        attributes=_pairs(span.attributes, "attributes", here),
        resource=_pairs(span.resource, "resource", here),
    )


def _known(others: Sequence[StoredSpan], all_calls: Sequence[CallSpan]) -> Sequence[CallSpan]:
    """All calls of the trace, whole where they were read whole."""
    whole = {other.span_id: other for other in others}
    return [whole.get(call.span_id, call) for call in all_calls] or others


def _own_results(calls: ToolCalls | None, others: Sequence[StoredSpan], texts: str) -> list[Result | None]:
    """What each call that a model asked for returned, in the order of asking: the last of its runs that says so."""
    results = {other.span_id: _result(other, texts) for other in _with_result(others)}
    return [
        next((results[ran] for ran in reversed(asked.executed_by) if ran in results), None)
        for asked in (calls.requested if calls else ())
    ]


def _results_told(
    others: Sequence[StoredSpan], calls: Mapping[str, ToolCalls], texts: str
) -> dict[str, Result]:
    """What calls returned, by id; some emitters number the calls of each answer anew, and such an id tells nothing."""
    askers = {ran.span_id: asker for asker, of_call in calls.items() for ran in of_call.executed}
    outer = {tool.span_id for tool in tool_calls.outer_tool_spans(others)}
    bearers: defaultdict[str, list[StoredSpan]] = defaultdict(list)
    for other in _with_result(others):
        if other.span_id in outer and other.tool_call_id:
            bearers[other.tool_call_id].append(other)
    return {
        call_id: _result(spans[-1], texts)
        for call_id, spans in bearers.items()
        if len({askers.get(span.span_id, span.span_id) for span in spans}) == 1
    }


def _with_result(spans: Sequence[StoredSpan]) -> Iterator[StoredSpan]:
    return (span for span in spans if span.kind == "tool" and span.output is not None)


def _result(span: StoredSpan, texts: str) -> Result:
    return Result(plain(span.output), Texts(texts, span.span_id).at("output"))


def _objects(values: Sequence[JSONValue]) -> list[tuple[int, dict[str, JSONValue]]]:
    return [(place, value) for place, value in enumerate(values) if isinstance(value, dict)]


def _calls(calls: ToolCalls | None, open_spans: Collection[str]) -> list[Call]:
    if calls is None:
        return []
    runs = {
        ran.span_id: Run(ran.span_id, ran.status == "error", ran.latency_ms, ran.span_id in open_spans)
        for ran in calls.executed
    }
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


def _pairs(values: Mapping[str, JSONValue], place: str, texts: Texts) -> list[Pair]:
    """Values by name, and where each can be read whole."""
    return [
        Pair(name, of_value(value, texts.at(f"{place}.{name}"))) for name, value in sorted(values.items())
    ]


def _content(
    value: JSONValue,
    results: Mapping[str, Result],
    source: str,
    everything: bool,
    own: Sequence[Result | None] = (),
) -> Content | None:
    """`results` of calls by id; of the model's `own` calls in their order."""
    if value is None or value == "":
        return None
    found = conversation.messages(value, source)
    if found is None:
        return Content(of_value(value, source), [], 0, [])
    found = conversation.with_own_results(found, own) or conversation.with_results(found, results)
    left_out = 0 if everything else max(len(found) - MAX_MESSAGES, 0)
    body = Body("", source)
    if not left_out:
        return Content(body, found, 0, [])
    return Content(body, found[:FIRST_MESSAGES], left_out, found[FIRST_MESSAGES + left_out :])


def _failures(span: StoredSpan, texts: Texts) -> list[Failure]:
    """The exceptions of the span; its status message where no exception says the same."""
    found = [
        _failure(told, f"events.{place}", texts)
        for place, event in _objects(span.events)
        if event.get("name") == "exception" and (told := _attributes(event))
    ]
    if span.status != "error" or any(span.status_message in failure.message.text for failure in found):
        return found
    named = any(failure.type == span.error_type for failure in found)
    message = Body(span.status_message, texts.at("status_message"))
    return [Failure("" if named else span.error_type, message), *found]


def _failure(told: dict[str, JSONValue], place: str, texts: Texts) -> Failure:
    kind, message, trace = (Body(_text(told, name), texts.at(f"{place}.{name}")) for name in _EXCEPTION)
    return Failure(kind.text, message, trace if trace.text else None)


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


def _facts(span: StoredSpan, others: Sequence[StoredSpan]) -> list[tuple[str, str]]:
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
        ("Response id", span.response_id),
        ("Same call as", _same_call(span, others)),
        ("Release", span.release),
        ("Input type", span.input_type),
        ("Tags", ", ".join(span.tags)),
        ("Recorded by", span.scope),
        ("Vocabulary", span.vocabulary),
        ("Span id", span.span_id),
        ("Redacted", ", ".join(f"{count} × {name}" for name, count in span.redactions.items())),
    ]


def _same_call(span: StoredSpan, others: Sequence[StoredSpan]) -> str:
    """The span that is counted in place of this one."""
    counted = next((other for other in others if other.span_id == span.counted_in), None)
    return f"{counted.name} ({counted.span_id}), counted there" if counted and span.counted_in else ""


def _event(event: dict[str, JSONValue], span: StoredSpan, place: int, texts: Texts) -> Event:
    at = nanoseconds(str(event.get("time") or ""))
    after = (at - span.start_ns) / 1e6 if at else None  # 0 is OTLP's absent
    name = str(event.get("name") or "")
    # What an exception says stands above, in its own box.
    shown = _EXCEPTION if name == "exception" else ()
    told = {key: value for key, value in _attributes(event).items() if key not in shown}
    return Event(name, after, _pairs(told, f"events.{place}", texts))


def _link(link: dict[str, JSONValue], place: int, texts: Texts) -> Link:
    trace_id = parse_trace_id(str(link.get("trace_id") or ""))
    told = _pairs(_attributes(link), f"links.{place}", texts)
    return Link(trace_id.hex if trace_id else "", str(link.get("span_id") or ""), told)


def _attributes(holder: Mapping[str, JSONValue]) -> dict[str, JSONValue]:
    found = holder.get("attributes")
    return found if isinstance(found, dict) else {}


def _text(values: Mapping[str, JSONValue], name: str) -> str:
    value = values.get(name)
    return "" if value is None else plain(value)
