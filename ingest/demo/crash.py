"""A tool that raises: the exception with its stack trace is an event of the failed span."""

import random
from datetime import datetime, timedelta

from ingest.demo import genai
from ingest.demo.otlp import Service, SpanKind, Step, StepEvent, Trace, in_sequence, new_trace_id
from ingest.demo.scenario import Page, Scenario

SERVICE = Service(name="report-writer", version="1.18.0")
MODEL = genai.Model(provider="google", name="gemini-2.5-pro")
PROMPT = genai.Prompt(
    name="report-writer",
    version="5",
    system="Write the weekly revenue report. Read numbers with `warehouse_query`; never guess one.",
    tools=(genai.function("warehouse_query", "Run SQL on the warehouse.", sql="one SELECT statement"),),
)
QUESTION = "Weekly revenue by region, and mail it to cfo@alpine-gear.com"
SQL = "SELECT region, sum(net) FROM revenue WHERE week = '2026-W47' GROUP BY region"
ERROR = "canceling statement due to statement timeout"
STACK = """Traceback (most recent call last):
  File "/srv/report/agent.py", line 88, in call_tool
    return self.tools[name](**arguments)
  File "/srv/report/tools/warehouse.py", line 41, in warehouse_query
    rows = connection.execute(sql).fetchall()
  File "/srv/report/.venv/lib/python3.12/site-packages/psycopg/connection.py", line 896, in execute
    return cur.execute(query, params, prepare=prepare)
psycopg.errors.QueryCanceled: canceling statement due to statement timeout
CONTEXT:  user=report_rw host=10.4.0.17 application=report-writer owner=tom.becker@alpine-gear.com"""


def build(now: datetime, ids: random.Random) -> Scenario:
    trace = Trace(trace_id=new_trace_id(ids), root=_root(), began=now - timedelta(minutes=5), service=SERVICE)
    return Scenario(
        traces=(trace,),
        pages=(Page(trace_id=trace.trace_id, title="A tool that raises, with its stack trace"),),
    )


def _root() -> Step:
    caller = genai.Caller(
        user="u-1188",
        session="s-weekly-47",
        organization="alpine-gear",
        feature="analyze",
        input_type="structured",
    )
    children = in_sequence(0.02, _ask(), _warehouse())
    return Step(
        name="weekly_report",
        at=0.0,
        seconds=round(0.05 + sum(child.seconds for child in children), 3),
        attributes=genai.agent("report-writer", caller, asked=QUESTION, answered=None),
        children=children,
        error=f"tool warehouse_query failed: {ERROR}",
    )


def _ask() -> Step:
    answer = genai.message(
        "assistant", genai.call_part("call_wh1", "warehouse_query", {"sql": SQL}), finish_reason="tool_call"
    )
    tokens = genai.Tokens(input=530, output=96, reasoning=51)
    return Step(
        name=f"generate_content {MODEL.name}",
        at=0.0,
        seconds=1.7,
        attributes=genai.call(MODEL, PROMPT, [genai.message("user", QUESTION)], answer, tokens),
        kind=SpanKind.SPAN_KIND_CLIENT,
    )


def _warehouse() -> Step:
    exception = StepEvent(
        name="exception",
        at=15.0,
        attributes={
            "exception.type": "psycopg.errors.QueryCanceled",
            "exception.message": ERROR,
            "exception.stacktrace": STACK,
            "exception.escaped": True,
        },
    )
    return Step(
        name="execute_tool warehouse_query",
        at=0.0,
        seconds=15.0,
        attributes=genai.tool(
            "warehouse_query", "call_wh1", {"sql": SQL}, error_type="psycopg.errors.QueryCanceled"
        ),
        error=ERROR,
        events=(exception,),
    )
