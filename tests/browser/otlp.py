"""OTLP/JSON bodies from a few words."""

import json
import secrets
import time
from dataclasses import dataclass, field
from typing import TypeAlias

JSON: TypeAlias = "str | int | float | list[JSON] | dict[str, JSON]"
MS = 1_000_000


@dataclass
class Step:
    name: str
    after_ms: int = 0
    ms: int = 100
    attributes: dict[str, str | int] = field(default_factory=dict)
    error: str = ""
    events: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    span_id: str = field(default_factory=lambda: secrets.token_hex(8))
    parent_id: str = ""


def new_trace_id() -> str:
    return secrets.token_hex(16)


def body(trace_id: str, steps: list[Step], *, resource: dict[str, str] | None = None) -> bytes:
    began = time.time_ns() - 60_000 * MS
    spans: list[JSON] = [_span(trace_id, step, began) for step in steps]
    request: JSON = {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes(resource or {"service.name": "browser-test"})},
                "scopeSpans": [{"scope": {"name": "browser-test"}, "spans": spans}],
            }
        ]
    }
    return json.dumps(request).encode()


def failed_run(trace_id: str, *, name: str = "agent.invocation") -> bytes:
    """The marketing assistant: two tools answer, the last call exceeds the context window."""
    root = Step(
        name,
        ms=10_200,
        error="context window exceeded",
        attributes={
            "gen_ai.operation.name": "invoke_agent",
            "user.id": "u-1042",
            "session.id": f"talk/{trace_id}",
        },
    )
    llm: dict[str, str | int] = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "claude-sonnet-4-5"}
    asked = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Who went quiet?"}]}])
    answered = json.dumps(
        [
            {
                "role": "assistant",
                "parts": [
                    {"type": "text", "content": "I will look it up."},
                    {"type": "tool_call", "name": "hubspot_query", "arguments": {"limit": 5}},
                    {"type": "tool_call", "name": "mail_search", "arguments": {"words": "renewal"}},
                ],
            }
        ]
    )
    messages = {"gen_ai.input.messages": asked, "gen_ai.output.messages": answered}
    used = {"gen_ai.usage.input_tokens": 6_842, "gen_ai.usage.output_tokens": 310}
    tool: dict[str, str | int] = {"gen_ai.operation.name": "execute_tool"}
    thrown = {
        "exception.type": "BadRequestError",
        "exception.message": "prompt is too long: 214583 tokens > 200000 maximum",
        "exception.stacktrace": "Traceback (most recent call last):\n  File agent.py, line 40",
    }
    children = [
        Step("llm.claude.call", 5, 2_100, {**llm, **messages, **used}),
        Step("tool.hubspot_query", 2_110, 6_800, {**tool, "gen_ai.tool.name": "hubspot_query"}),
        Step("tool.ga4_query", 8_915, 870, {**tool, "gen_ai.tool.name": "ga4_query"}),
        Step("llm.claude.call", 9_790, 400, llm, "context window exceeded", [("exception", thrown)]),
    ]
    for child in children:
        child.parent_id = root.span_id
    return body(trace_id, [root, *children])


def long_run(trace_id: str, *, groups: int) -> bytes:
    """A root and groups of ten steps, one of which in two thirds of the way fails."""
    root = Step("agent.invocation", ms=groups * 100)
    steps = [root]
    for number in range(groups):
        group = Step(f"group {number}", number * 100, 100, parent_id=root.span_id)
        failed = number == groups * 2 // 3
        steps.append(group)
        for place in range(9):
            step = Step(f"step {number}.{place}", number * 100 + place * 10, 9, parent_id=group.span_id)
            step.attributes = {"input.value": f"question {number}.{place}", "openinference.span.kind": "TOOL"}
            step.error = "out of quota" if failed and place == 4 else ""
            steps.append(step)
    return body(trace_id, steps)


def good_run(trace_id: str, *, name: str = "agent.invocation") -> bytes:
    """The same assistant when its first tool answers little."""
    root = Step(name, ms=2_400, attributes={"gen_ai.operation.name": "invoke_agent", "user.id": "u-1042"})
    asked = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Who went quiet?"}]}])
    llm: dict[str, str | int] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "claude-sonnet-4-5",
        "gen_ai.input.messages": asked,
    }
    tool: dict[str, str | int] = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "hubspot_query",
    }
    children = [
        Step("llm.claude.call", 5, 2_000, llm),
        Step("tool.hubspot_query", 2_010, 300, {**tool, "gen_ai.tool.call.arguments": '{"limit": 5}'}),
    ]
    for child in children:
        child.parent_id = root.span_id
    return body(trace_id, [root, *children])


def _span(trace_id: str, step: Step, began: int) -> JSON:
    start = began + step.after_ms * MS
    return {
        "traceId": trace_id,
        "spanId": step.span_id,
        "parentSpanId": step.parent_id,
        "name": step.name,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + step.ms * MS),
        "attributes": _attributes(step.attributes),
        "status": {"code": 2, "message": step.error} if step.error else {"code": 1},
        "events": [
            {"name": name, "timeUnixNano": str(start), "attributes": _attributes(attributes)}
            for name, attributes in step.events
        ],
    }


def _attributes(values: "dict[str, str] | dict[str, str | int]") -> list[JSON]:
    return [
        {"key": key, "value": {"stringValue": value} if isinstance(value, str) else {"intValue": str(value)}}
        for key, value in values.items()
    ]
