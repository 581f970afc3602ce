"""A model that no price book knows: its cost is shown as unpriced, never as 0."""

import random
from datetime import datetime, timedelta

from ingest.demo import genai
from ingest.demo.otlp import Service, SpanKind, Step, Trace, new_trace_id
from ingest.demo.scenario import Page, Scenario

SERVICE = Service(name="contract-reader", environment="staging", version="0.3.0")
MODEL = genai.Model(provider="meridian-onprem", name="meridian-legal-70b-internal")
PROMPT = genai.Prompt(name="contract-reader", version="2", system="List every notice period in the contract.")
QUESTION = "Clause 14.2: either party may end it with ninety (90) days' notice to legal@meridian-labs.com."
ANSWER = "Clause 14.2: 90 days, in writing, either party."


def build(now: datetime, ids: random.Random) -> Scenario:
    trace = Trace(
        trace_id=new_trace_id(ids), root=_root(), began=now - timedelta(minutes=21), service=SERVICE
    )
    return Scenario(
        traces=(trace,),
        pages=(Page(trace_id=trace.trace_id, title="A model without a price: unpriced, not 0"),),
    )


def _root() -> Step:
    caller = genai.Caller(
        user="u-0099",
        session="s-contract-14",
        organization="meridian-labs",
        feature="analyze",
        input_type="structured",
    )
    answer = genai.message("assistant", ANSWER, finish_reason="stop")
    tokens = genai.Tokens(input=2210, output=63)
    call = Step(
        name=f"chat {MODEL.name}",
        at=0.03,
        seconds=3.42,
        attributes=genai.call(MODEL, PROMPT, [genai.message("user", QUESTION)], answer, tokens),
        kind=SpanKind.SPAN_KIND_CLIENT,
    )
    return Step(
        name="read_contract",
        at=0.0,
        seconds=3.5,
        attributes=genai.agent("contract-reader", caller, asked=QUESTION, answered=ANSWER),
        children=(call,),
    )
