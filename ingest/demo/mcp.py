"""A tool that lives behind the Model Context Protocol: client and server spans join one tree."""

import random
from datetime import datetime, timedelta

from ingest.demo import genai
from ingest.demo.otlp import Service, SpanKind, Step, Trace, in_sequence, new_trace_id
from ingest.demo.scenario import Page, Scenario
from traces.span import Attributes

CLIENT = Service(name="support-copilot", version="5.2.0")
SERVER = Service(name="mcp-ticketing", version="0.9.1")
HAIKU = genai.Model(provider="anthropic", name="claude-haiku-4-5-20251001")
PROMPT = genai.Prompt(
    name="support-copilot",
    version="7",
    system="You are a support engineer's copilot. Use the ticketing tools; quote ticket numbers; be brief.",
    tools=(
        genai.function("search_tickets", "Search open tickets.", query="words", status="open, closed or any"),
    ),
)
QUESTION = "Has anyone else reported that invoices arrive without VAT? Customer: j.okafor@brightline.io"
_ARGUMENTS: Attributes = {"query": "invoice VAT missing", "status": "open"}
_TICKETS: Attributes = {
    "content": [
        {
            "type": "text",
            "text": "#4812 Invoice PDF lacks VAT line (m.lindqvist@nordhandel.se)\n"
            "#4790 VAT id not printed since 5.1 (call back +46 8 123 456 78)",
        }
    ],
    "isError": False,
}
_ANSWER = "Yes: #4812 and #4790 describe the same since version 5.1. I suggest linking both to this ticket."


def build(now: datetime, ids: random.Random) -> Scenario:
    trace = Trace(trace_id=new_trace_id(ids), root=_root(), began=now - timedelta(minutes=31), service=CLIENT)
    return Scenario(
        traces=(trace,),
        pages=(Page(trace_id=trace.trace_id, title="MCP: client and server spans in one tree"),),
    )


def _root() -> Step:
    children = in_sequence(0.05, _decide(), _client_span(), _answer())
    caller = genai.Caller(
        user="u-2207", session="s-ticket-4831", organization="brightline", feature="query", tags=("support",)
    )
    return Step(
        name="invoke_agent support-copilot",
        at=0.0,
        seconds=round(0.1 + sum(child.seconds for child in children), 3),
        attributes=genai.agent("support-copilot", caller, asked=QUESTION, answered=_ANSWER),
        children=children,
        kind=SpanKind.SPAN_KIND_SERVER,
    )


def _decide() -> Step:
    answer = genai.message(
        "assistant", genai.call_part("toolu_mcp1", "search_tickets", _ARGUMENTS), finish_reason="tool_call"
    )
    tokens = genai.Tokens(input=642, output=58)
    return _chat(0.82, [genai.message("user", QUESTION)], answer, tokens)


def _answer() -> Step:
    messages = [
        genai.message("user", QUESTION),
        genai.message("assistant", genai.call_part("toolu_mcp1", "search_tickets", _ARGUMENTS)),
        genai.message("tool", genai.result_part("toolu_mcp1", _TICKETS)),
    ]
    answer = genai.message("assistant", _ANSWER, finish_reason="stop")
    return _chat(1.14, messages, answer, genai.Tokens(input=811, output=71))


def _chat(seconds: float, messages: list[Attributes], answer: Attributes, tokens: genai.Tokens) -> Step:
    return Step(
        name=f"chat {HAIKU.name}",
        at=0.0,
        seconds=seconds,
        attributes=genai.call(HAIKU, PROMPT, messages, answer, tokens),
        kind=SpanKind.SPAN_KIND_CLIENT,
    )


def _client_span() -> Step:
    attributes = {**_mcp("4f1c"), **genai.tool("search_tickets", "toolu_mcp1", _ARGUMENTS, _TICKETS)}
    return Step(
        name="tools/call search_tickets",
        at=0.0,
        seconds=0.46,
        attributes=attributes,
        children=(_server_span(),),
        kind=SpanKind.SPAN_KIND_CLIENT,
    )


def _server_span() -> Step:
    query = Step(
        name="SELECT tickets",
        at=0.07,
        seconds=0.31,
        attributes={
            "db.system.name": "postgresql",
            "db.operation.name": "SELECT",
            "db.query.text": "SELECT id, title FROM tickets WHERE search @@ to_tsquery($1) AND status = $2",
        },
        kind=SpanKind.SPAN_KIND_CLIENT,
    )
    return Step(
        name="tools/call search_tickets",
        at=0.04,
        seconds=0.38,
        attributes={**_mcp("4f1c"), "gen_ai.tool.name": "search_tickets"},
        children=(query,),
        kind=SpanKind.SPAN_KIND_SERVER,
        service=SERVER,
    )


def _mcp(session: str) -> Attributes:
    return {
        "mcp.method.name": "tools/call",
        "mcp.session.id": session,
        "mcp.protocol.version": "2025-06-18",
        "jsonrpc.request.id": "7",
        "network.transport": "tcp",
    }
