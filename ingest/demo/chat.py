"""A streamed chat: four traces of one session and one user, each turn with the whole conversation so far."""

import random
from datetime import datetime, timedelta

from ingest.demo import genai
from ingest.demo.otlp import Service, SpanKind, Step, Trace, new_trace_id
from ingest.demo.scenario import Page, Scenario
from traces.span import Attributes

SERVICE = Service(name="shop-chat", version="8.0.2")
USER = "mara.jensen@fjordmail.no"  # a user id that is an e-mail address is stored as its keyed hash
SESSION = "chat-2026-11-jensen"
MODEL = genai.Model(provider="openai", name="gpt-5-mini", temperature=1.0, max_tokens=1024)
PROMPT = genai.Prompt(
    name="shop-chat",
    version="31",
    system="You are the shop's assistant. Never repeat a card number. Offer a person for refunds.",
)
_TURNS = (
    (
        "Hi, my card 4242 4242 4242 4242 was charged twice for order 88213.",
        "I am sorry about that. I can see two charges of 64.90 EUR for order 88213; one is an authorisation"
        " that drops off within five days.",
    ),
    (
        "It has been a week. Can you refund it? You can reach me at +47 22 98 76 54.",
        "A colleague can refund it today. Shall I hand this over with your order number?",
    ),
    (
        "Yes please. Send the confirmation to mara.jensen@fjordmail.no",
        "Done: case C-5512. You get a mail shortly.",
    ),
    ("Thanks, that is all.", "You are welcome. Have a good day."),
)


def build(now: datetime, ids: random.Random) -> Scenario:
    traces = tuple(
        Trace(
            trace_id=new_trace_id(ids),
            root=_turn(number),
            began=now - timedelta(minutes=62 - 2 * number),
            service=SERVICE,
        )
        for number in range(len(_TURNS))
    )
    last = traces[-1].trace_id
    return Scenario(
        traces=traces, pages=(Page(trace_id=last, title="Streamed chat, last turn of a session"),)
    )


def _turn(number: int) -> Step:
    asked, answered = _TURNS[number]
    caller = genai.Caller(
        user=USER, session=SESSION, organization="fjordmail", feature="query", tags=("chat",)
    )
    attributes = genai.agent("shop-chat", caller, asked=asked, answered=answered)
    seconds = 1.2 + 0.3 * number
    return Step(
        name="chat.turn",
        at=0.0,
        seconds=seconds,
        attributes={**attributes, "gen_ai.conversation.id": SESSION},
        children=(_stream(number, seconds - 0.1),),
        kind=SpanKind.SPAN_KIND_SERVER,
    )


def _stream(number: int, seconds: float) -> Step:
    tokens = genai.Tokens(input=96 + 61 * number, output=44, cache_read=64 if number else 0, reasoning=12)
    answer = genai.message("assistant", _TURNS[number][1], finish_reason="stop")
    first_chunk = round(0.31 + 0.04 * number, 2)
    return Step(
        name=f"chat {MODEL.name}",
        at=0.05,
        seconds=seconds,
        attributes=genai.call(MODEL, PROMPT, _so_far(number), answer, tokens, first_chunk=first_chunk),
        kind=SpanKind.SPAN_KIND_CLIENT,
    )


def _so_far(number: int) -> list[Attributes]:
    messages: list[Attributes] = []
    for asked, answered in _TURNS[:number]:
        messages += [genai.message("user", asked), genai.message("assistant", answered)]
    return [*messages, genai.message("user", _TURNS[number][0])]
