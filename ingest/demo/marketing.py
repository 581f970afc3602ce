"""The marketing assistant: one run that fails on its context window, and its good twin."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from ingest.demo import genai
from ingest.demo.otlp import Service, SpanKind, Step, StepEvent, Trace, in_sequence, new_trace_id
from ingest.demo.scenario import Page, Scenario
from traces.span import Attributes, JSONValue

SERVICE = Service(name="marketing-assistant", version="2026.11.3")
SONNET = genai.Model(provider="anthropic", name="claude-sonnet-4-5-20250929", max_tokens=8192)
CONTEXT_WINDOW = 200_000
TOO_LONG = "context window exceeded: prompt is too long: 214583 tokens > 200000 maximum"
QUESTION = (
    "Which contacts from the spring webinar have gone quiet since, and which landing page did they come from?"
    " Write a re-engagement e-mail for the top three. Copy my manager Priya Natarajan"
    " (priya.natarajan@northwind-outdoor.com, +1 415 555 2671) on the summary."
)
SYSTEM = """You are the marketing assistant of Northwind Outdoor.

You answer questions of the marketing team about contacts, campaigns and web traffic, and you draft copy.
- Look facts up with the tools. Never invent a contact, a number or a quote.
- `hubspot_query` reads the CRM. Ask for the properties you need and always set a limit.
- `ga4_query` reads web analytics. Dates are ISO 8601.
- Write in a warm, plain tone: short sentences, no exclamation marks, one call to action.
- Do not offer discounts above 15 %. Do not mention competitors by name.
- Finish with a table of the contacts that you used, so that a person can check them."""
PROMPT = genai.Prompt(
    name="marketing-assistant",
    version="14",
    system=SYSTEM,
    tools=(
        genai.function(
            "hubspot_query",
            "Search contacts in HubSpot.",
            object="contacts, companies or deals",
            filter="HubSpot filter expression",
            properties="comma-separated property names",
            limit="most rows to return",
        ),
        genai.function(
            "ga4_query",
            "Run a Google Analytics 4 report.",
            dimensions="comma-separated dimensions",
            metrics="comma-separated metrics",
            date_range="start..end, ISO 8601",
        ),
    ),
)
_FIRST = ("Dana", "Miguel", "Aisha", "Tom", "Ingrid", "Kofi", "Yuki", "Lena", "Omar", "Sofia", "Peter", "Mei")
_LAST = (
    "Whitfield",
    "Alvarez",
    "Rahman",
    "Becker",
    "Solberg",
    "Mensah",
    "Tanaka",
    "Novak",
    "Haddad",
    "Rossi",
)
_COMPANIES = ("alpine-gear", "bluepeak", "trailhouse", "kayak-kin", "summit-supply", "fern-and-fell")
_PAGES = ("/webinar/spring-fit-guide", "/lp/layering-101", "/blog/boots-that-last", "/lp/spring-sale")


def build(now: datetime, ids: random.Random) -> Scenario:
    failed = Trace(
        trace_id=new_trace_id(ids), root=_failed(), began=now - timedelta(minutes=14), service=SERVICE
    )
    good = Trace(trace_id=new_trace_id(ids), root=_good(), began=now - timedelta(minutes=9), service=SERVICE)
    return Scenario(
        traces=(failed, good),
        pages=(
            Page(trace_id=failed.trace_id, title="Marketing assistant, failed: context window exceeded"),
            Page(trace_id=good.trace_id, title="Marketing assistant, the good twin"),
        ),
    )


def _failed() -> Step:
    """A CRM answer without a limit fills the context window: 10.2 s, and nothing to show for it."""
    return _invocation(
        in_sequence(
            0.0,
            _plan(2.1, hubspot_limit=""),
            _hubspot(6.8, rows=260, limit=""),
            _ga4(0.9),
            _too_long(0.4),
        ),
        answer=None,
        error=TOO_LONG,
    )


def _good() -> Step:
    return _invocation(
        in_sequence(
            0.0,
            _plan(1.9, hubspot_limit="25"),
            _hubspot(1.2, rows=25, limit="25"),
            _ga4(0.8),
            _draft(5.6),
        ),
        answer=_ANSWER,
        error="",
    )


def _invocation(children: tuple[Step, ...], *, answer: str | None, error: str) -> Step:
    caller = genai.Caller(
        user="u-1042",
        session="s-spring-webinar",
        organization="northwind-outdoor",
        feature="draft",
        tags=("webinar", "re-engagement"),
    )
    return Step(
        name="agent.invocation",
        at=0.0,
        seconds=round(sum(child.seconds for child in children), 3),
        attributes=genai.agent("marketing-assistant", caller, asked=QUESTION, answered=answer),
        children=children,
        error=error,
        kind=SpanKind.SPAN_KIND_SERVER,
    )


def _plan(seconds: float, *, hubspot_limit: str) -> Step:
    answer = genai.message(
        "assistant",
        "I will look up the webinar's contacts and the pages they came from.",
        genai.call_part("toolu_01HubSpot", "hubspot_query", _hubspot_arguments(hubspot_limit)),
        genai.call_part("toolu_02Ga4", "ga4_query", _GA4_ARGUMENTS),
        finish_reason="tool_call",
    )
    tokens = genai.Tokens(input=1893, output=214, cache_write=1204)
    return _llm(
        seconds,
        genai.call(SONNET, PROMPT, [genai.message("user", QUESTION)], answer, tokens, first_chunk=0.71),
    )


def _hubspot(seconds: float, *, rows: int, limit: str) -> Step:
    return _tool(
        seconds, "hubspot_query", "toolu_01HubSpot", _hubspot_arguments(limit), {"results": _contacts(rows)}
    )


def _ga4(seconds: float) -> Step:
    return _tool(seconds, "ga4_query", "toolu_02Ga4", _GA4_ARGUMENTS, _GA4_RESULT)


def _too_long(seconds: float) -> Step:
    failed = genai.failed_call(SONNET, PROMPT, _conversation(260, limit=""), "context_length_exceeded")
    events = (
        StepEvent(
            name="exception",
            at=seconds,
            attributes={
                "exception.type": "anthropic.BadRequestError",
                "exception.message": TOO_LONG,
                "exception.stacktrace": _STACK,
            },
        ),
    )
    return _llm(seconds, failed, error=TOO_LONG, events=events)


def _draft(seconds: float) -> Step:
    answer = genai.message("assistant", _ANSWER, finish_reason="stop")
    tokens = genai.Tokens(input=6480, output=611, cache_read=1204)
    return _llm(
        seconds,
        genai.call(SONNET, PROMPT, _conversation(25, limit="25"), answer, tokens, first_chunk=0.94),
    )


def _llm(
    seconds: float, attributes: Attributes, *, error: str = "", events: tuple[StepEvent, ...] = ()
) -> Step:
    return Step(
        name="llm.claude.call",
        at=0.0,
        seconds=seconds,
        attributes=attributes,
        error=error,
        events=events,
        kind=SpanKind.SPAN_KIND_CLIENT,
    )


def _tool(seconds: float, name: str, call_id: str, arguments: Attributes, result: Attributes) -> Step:
    return Step(
        name=f"tool.{name}",
        at=0.0,
        seconds=seconds,
        attributes=genai.tool(name, call_id, arguments, result),
    )


def _conversation(rows: int, *, limit: str) -> Sequence[Attributes]:
    return [
        genai.message("user", QUESTION),
        genai.message(
            "assistant",
            genai.call_part("toolu_01HubSpot", "hubspot_query", _hubspot_arguments(limit)),
            genai.call_part("toolu_02Ga4", "ga4_query", _GA4_ARGUMENTS),
        ),
        genai.message(
            "tool",
            genai.result_part("toolu_01HubSpot", {"results": _contacts(rows)}),
            genai.result_part("toolu_02Ga4", _GA4_RESULT),
        ),
    ]


def _hubspot_arguments(limit: str) -> Attributes:
    return {
        "object": "contacts",
        "filter": "webinar_name = 'Spring fit guide' AND last_engagement < 2026-06-01",
        "properties": "firstname,lastname,email,phone,company,last_engagement,first_page",
        **({"limit": limit} if limit else {}),
    }


def _contacts(rows: int) -> list[JSONValue]:
    return [_contact(number) for number in range(rows)]


def _contact(number: int) -> Attributes:
    first, last = _FIRST[number % len(_FIRST)], _LAST[(number * 7) % len(_LAST)]
    company = _COMPANIES[number % len(_COMPANIES)]
    return {
        "id": f"{151_000 + number}",
        "firstname": first,
        "lastname": last,
        "email": f"{first}.{last}{number}@{company}.com".lower(),
        "phone": f"+1 415 555 {1000 + number * 13 % 9000:04d}",
        "company": company,
        "last_engagement": f"2026-0{1 + number % 5}-1{number % 10}",
        "first_page": _PAGES[number % len(_PAGES)],
    }


_GA4_ARGUMENTS: Attributes = {
    "dimensions": "landingPage",
    "metrics": "sessions,engagementRate,conversions",
    "date_range": "2026-03-01..2026-06-01",
}
_GA4_RESULT: Attributes = {
    "rows": [
        {
            "landingPage": "/webinar/spring-fit-guide",
            "sessions": 8412,
            "engagementRate": 0.61,
            "conversions": 412,
        },
        {"landingPage": "/lp/layering-101", "sessions": 5120, "engagementRate": 0.48, "conversions": 133},
        {"landingPage": "/blog/boots-that-last", "sessions": 3987, "engagementRate": 0.66, "conversions": 58},
        {"landingPage": "/lp/spring-sale", "sessions": 2210, "engagementRate": 0.31, "conversions": 41},
    ]
}
_ANSWER = """Three contacts stand out: they stayed for the whole webinar and opened nothing since May.

| contact | company | came from | quiet since |
| --- | --- | --- | --- |
| Dana Whitfield (dana.whitfield0@alpine-gear.com) | alpine-gear | /webinar/spring-fit-guide | 2026-01-10 |
| Miguel Novak (miguel.novak1@bluepeak.com) | bluepeak | /lp/layering-101 | 2026-02-11 |
| Aisha Solberg (aisha.solberg2@trailhouse.com) | trailhouse | /blog/boots-that-last | 2026-03-12 |

**Subject:** Your spring layers, two minutes

Hi Dana,

You joined our spring fit guide and asked about layering for wet days. We have turned the answers into a
one-page checklist. It takes two minutes and needs no sign-up.

Read the checklist

Warmly, the Northwind Outdoor team

A summary is on its way to Priya Natarajan (priya.natarajan@northwind-outdoor.com)."""
_STACK = f"""Traceback (most recent call last):
  File "/app/assistant/agent.py", line 118, in run
    reply = self.client.messages.create(model=self.model, messages=messages, tools=TOOLS)
  File "/app/.venv/lib/python3.12/site-packages/anthropic/resources/messages/messages.py", line 930, in create
    return self._post("/v1/messages", body=body, cast_to=Message)
  File "/app/.venv/lib/python3.12/site-packages/anthropic/_base_client.py", line 1068, in request
    raise self._make_status_error_from_response(err.response) from None
anthropic.BadRequestError: Error code: 400 - {{'type': 'error', 'error': {{'type': 'invalid_request_error',
 'message': '{TOO_LONG}'}}}}"""
