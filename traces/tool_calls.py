"""The tools that each model call of a trace asked for, and the spans that ran them. Pure.

Found when a trace is read: the request lies in the answer of the model call, the execution in a span of its own, and
whichever arrives last would have to look for the other among what is stored already.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from traces.span import JSONValue


class CallSpan(Protocol):
    """What is looked at of a span."""

    @property
    def span_id(self) -> str: ...
    @property
    def parent_id(self) -> str | None: ...
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def status_message(self) -> str: ...
    @property
    def error_type(self) -> str: ...
    @property
    def start_ns(self) -> int: ...
    @property
    def latency_ms(self) -> float: ...
    @property
    def tool_name(self) -> str: ...
    @property
    def tool_call_id(self) -> str: ...
    @property
    def input(self) -> JSONValue: ...
    @property
    def output(self) -> JSONValue: ...


_CALLS = frozenset({"tool_call", "server_tool_call", "tool_use", "function_call"})
_NAMED = ("arguments", "input", "args")
# In a trace of thousands of calls of one tool, no more than so many are weighed against each other.
_WEIGHED = 50


@dataclass(frozen=True, slots=True)
class Requested:
    """A call as the model asked for it. `executed_by`: ids of the spans that ran it, more than one when retried."""

    id: str  # "" where the model gave none
    name: str
    arguments: JSONValue
    executed_by: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Executed:
    """A call as it was run, told by a tool span."""

    span_id: str
    tool_call_id: str
    name: str
    parameters: JSONValue
    result: JSONValue
    status: str
    error: str
    latency_ms: float


@dataclass(frozen=True, slots=True)
class ToolCalls:
    requested: list[Requested] = field(default_factory=list)
    executed: list[Executed] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """A request, where it stands in the answer, and the model call that gave the answer."""

    request: Requested
    position: int
    call: CallSpan


_Index: TypeAlias = defaultdict[str, list[_Asked]]


def by_model_call(spans: Iterable[CallSpan]) -> dict[str, ToolCalls]:
    """What each model call asked for and what was run of it, by the id of its span.

    1. A tool span belongs to the request of its call id.
    2. Without one, to the last request before it for a tool of its name that nothing has run yet.
    A tool span inside another for the same tool (an MCP client's, an MCP server's) is the same call once more.
    """
    in_order = sorted(spans, key=lambda span: (span.start_ns, span.span_id))
    found = {span.span_id: ToolCalls(_requests(span.output)) for span in in_order if span.kind == "llm"}
    asked = [
        _Asked(request, position, span)
        for span in in_order
        if span.span_id in found
        for position, request in enumerate(found[span.span_id].requested)
    ]
    by_id = _index(asked, lambda one: one.request.id)
    left = []
    for tool in outer_tool_spans(in_order):
        if match := _nearest(by_id.get(tool.tool_call_id, []), tool, late=True):
            _join(found, match, tool)
        else:
            left.append(tool)
    by_name = _index([one for one in asked if not one.request.executed_by], lambda one: one.request.name)
    for tool in left:
        open_requests = by_name.get(_name(tool), [])
        if match := _nearest(open_requests, tool, late=False):
            open_requests.remove(match)
            _join(found, match, tool)
    return found


def asked_by(calls: Mapping[str, ToolCalls], tool_span_id: str) -> str:
    """The id of the model call that asked for what a tool span ran, or ""."""
    for span_id, of_call in calls.items():
        if any(tool_span_id in request.executed_by for request in of_call.requested):
            return span_id
    return ""


def _requests(output: JSONValue) -> list[Requested]:
    """The calls in the messages of an answer, in the stored shape or as OpenAI and Anthropic write them."""
    said = output.get("messages") if isinstance(output, dict) and "messages" in output else output
    return [
        _requested(call)
        for message in (said if isinstance(said, list) else [said])
        if isinstance(message, dict)
        for call in _calls(message)
    ]


def _calls(message: dict[str, JSONValue]) -> Iterator[dict[str, JSONValue]]:
    for name in ("parts", "content", "tool_calls"):
        held = message.get(name)
        for item in held if isinstance(held, list) else ():
            if isinstance(item, dict) and (name == "tool_calls" or item.get("type") in _CALLS):
                yield item


def _requested(call: dict[str, JSONValue]) -> Requested:
    function = call.get("function")
    told = function if isinstance(function, dict) else call
    arguments = next((told[name] for name in _NAMED if told.get(name) is not None), None)
    return Requested(str(call.get("id") or ""), str(told.get("name") or ""), arguments)


def outer_tool_spans(spans: Iterable[CallSpan]) -> list[CallSpan]:
    """The tool spans that stand in no other for the same tool, in the order given."""
    tools = {span.span_id: span for span in spans if span.kind == "tool"}
    return [
        tool
        for tool in tools.values()
        if not ((parent := tools.get(tool.parent_id or "")) and _name(parent) == _name(tool))
    ]


def _index(asked: Iterable[_Asked], key: Callable[[_Asked], str]) -> _Index:
    index: _Index = defaultdict(list)
    for one in asked:
        if name := key(one):
            index[name].append(one)
    return index


def _nearest(asked: Sequence[_Asked], tool: CallSpan, *, late: bool) -> _Asked | None:
    """The request that `tool` runs most likely. `late` looks behind it too: the clock of the machine that ran it may be
    behind."""
    before = bisect_right(asked, tool.start_ns, key=lambda one: one.call.start_ns)
    weighed = asked[max(before - _WEIGHED, 0) : before]
    if not weighed:
        return asked[0] if late and asked else None
    return min(weighed, key=lambda one: _distance(one, tool))


def _distance(asked: _Asked, tool: CallSpan) -> tuple[int, int, bool, int]:
    """How far a request stands from a span: in the tree, in time, in what it asks for, in its answer."""
    call = asked.call
    apart = 0 if tool.parent_id == call.span_id else 1 if tool.parent_id == call.parent_id else 2
    return apart, -call.start_ns, asked.request.arguments != tool.input, asked.position


def _join(found: Mapping[str, ToolCalls], asked: _Asked, tool: CallSpan) -> None:
    asked.request.executed_by.append(tool.span_id)
    found[asked.call.span_id].executed.append(
        Executed(
            span_id=tool.span_id,
            tool_call_id=tool.tool_call_id,
            name=_name(tool),
            parameters=tool.input,
            result=tool.output,
            status=tool.status,
            error=tool.status_message or tool.error_type if tool.status == "error" else "",
            latency_ms=tool.latency_ms,
        )
    )


def _name(tool: CallSpan) -> str:
    return tool.tool_name or tool.name
