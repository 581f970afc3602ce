"""A research agent of sixty spans, nine levels deep: what a long tree looks like."""

import random
from datetime import datetime, timedelta

from ingest.demo import genai
from ingest.demo.otlp import Service, SpanKind, Step, Trace, in_sequence, moved, new_trace_id
from ingest.demo.scenario import Page, Scenario
from traces.span import JSONValue

SERVICE = Service(name="deep-research", environment="staging", version="0.7.4")
MODEL = genai.Model(provider="anthropic", name="claude-opus-4-5-20251101", temperature=1.0)
PROMPT = genai.Prompt(
    name="deep-research",
    version="3",
    system="You lead a research. Split the question, send a researcher for each part, merge the findings.",
)
QUESTION = "How have outdoor brands changed their returns since 2023, and what did it do to repeat purchases?"
LEVELS = 8
STEPS_A_LEVEL = 7
_TOPICS = (
    "free returns",
    "restocking fees",
    "in-store returns",
    "repair programmes",
    "second-hand resale",
    "return windows",
    "repeat purchases",
    "customer surveys",
)


def build(now: datetime, ids: random.Random) -> Scenario:
    trace = Trace(
        trace_id=new_trace_id(ids), root=_root(), began=now - timedelta(minutes=90), service=SERVICE
    )
    return Scenario(
        traces=(trace,), pages=(Page(trace_id=trace.trace_id, title="A deep agent of sixty spans"),)
    )


def _root() -> Step:
    """One root, eight nested researchers of seven spans each, three spans to write the answer: 60."""
    caller = genai.Caller(
        user="u-0007",
        session="s-research-2",
        organization="fern-and-fell",
        feature="analyze",
        tags=("research",),
    )
    researchers = moved(_researcher(0), 0.2)
    closing = in_sequence(
        researchers.at + researchers.seconds, _think("merge"), _think("check"), _think("write")
    )
    return Step(
        name="invoke_agent lead-researcher",
        at=0.0,
        seconds=round(closing[-1].at + closing[-1].seconds + 0.1, 3),
        attributes=genai.agent("lead-researcher", caller, asked=QUESTION, answered=_finding("all of it")),
        children=(researchers, *closing),
    )


def _researcher(level: int) -> Step:
    topic = _TOPICS[level]
    own = in_sequence(
        0.1, _think(topic), _search(topic), _fetch(topic, 1), _fetch(topic, 2), _fetch(topic, 3)
    )
    last = in_sequence(own[-1].at + own[-1].seconds, *_deeper(level), _think(f"summary of {topic}"))
    return Step(
        name="invoke_agent researcher",
        at=0.0,
        seconds=round(last[-1].at + last[-1].seconds + 0.05, 3),
        attributes={
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "researcher",
            "gen_ai.input.messages": genai.to_json([genai.message("user", f"Research: {topic}")]),
            "gen_ai.output.messages": genai.to_json([genai.message("assistant", _finding(topic))]),
        },
        children=(*own, *last),
    )


def _deeper(level: int) -> tuple[Step, ...]:
    return (_researcher(level + 1),) if level + 1 < LEVELS else ()


def _think(topic: str) -> Step:
    answer = genai.message("assistant", _finding(topic), finish_reason="stop")
    tokens = genai.Tokens(input=1450, output=180, cache_read=1100)
    return Step(
        name=f"chat {MODEL.name}",
        at=0.0,
        seconds=1.3,
        attributes=genai.call(
            MODEL, PROMPT, [genai.message("user", f"Next step on {topic}?")], answer, tokens
        ),
        kind=SpanKind.SPAN_KIND_CLIENT,
    )


def _search(topic: str) -> Step:
    results = [f"https://news.example/{topic.replace(' ', '-')}/{number}" for number in range(1, 4)]
    return _tool("web_search", {"query": f"outdoor brands {topic} 2023..2026"}, {"results": [*results]}, 0.6)


def _fetch(topic: str, number: int) -> Step:
    text = (
        f"{topic.capitalize()}: article {number}. Press contact: press{number}@news.example, +1 212 736 5000."
    )
    return _tool("web_fetch", {"url": f"https://news.example/{topic.replace(' ', '-')}/{number}"}, text, 0.4)


def _tool(name: str, arguments: dict[str, str], result: JSONValue, seconds: float) -> Step:
    return Step(
        name=f"execute_tool {name}",
        at=0.0,
        seconds=seconds,
        attributes=genai.tool(name, f"toolu_{name}", arguments, result),
    )


def _finding(topic: str) -> str:
    return f"On {topic}: eleven of fourteen brands shortened the window; fees cost repeat purchases."
