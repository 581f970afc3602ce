"""The ingest workload: seeded agent traces of about five spans, 2.4 kB a span, as OTLP protobuf requests.

Text is drawn from a made-up vocabulary whose words are as unevenly used as those of a language, so that it
compresses like text. One word in two hundred is personal data; as many again are numbers and dates that only
look like it.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate

from ingest.demo import genai
from ingest.demo.otlp import Service, SpanKind, Step, Trace, in_sequence, new_trace_id, requests
from traces.span import Attributes

SEED = 5
SPANS_A_REQUEST = 100
PERSONAL_SHARE = 0.005
LOOKALIKE_SHARE = 0.005
VOCABULARY = 6000
WITHIN = timedelta(minutes=10)
PROMPT_BYTES = 2500
SERVICE = Service(name="bench-agent")
MODELS = (
    genai.Model(provider="anthropic", name="claude-sonnet-4-5-20250929"),
    genai.Model(provider="anthropic", name="claude-haiku-4-5-20251001"),
    genai.Model(provider="openai", name="gpt-4.1-mini"),
    genai.Model(provider="google", name="gemini-2.5-flash"),
)
LAST, LAST_STEP = 60, 12
TOOLS = ("hubspot_query", "ga4_query", "web_search", "warehouse_query")
FEATURES = ("analyze", "draft", "query")
_CONSONANTS = ("b", "c", "d", "f", "g", "l", "m", "n", "p", "r", "s", "t", "v", "st", "tr", "ch", "pl")
_VOWELS = ("a", "e", "i", "o", "u", "ea", "io")


@dataclass(frozen=True, slots=True)
class Payload:
    """One request's bytes and how many spans they hold."""

    body: bytes
    spans: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    payloads: tuple[Payload, ...]
    traces: int
    last: tuple[str, ...]  # ids of the traces sent last, a few requests' worth
    spans: int
    size: int  # bytes of all bodies
    began: datetime
    ended: datetime


@dataclass(slots=True)
class Writer:
    """Seeded text, counting the words and the personal data among them."""

    chance: random.Random
    words_written: int = 0
    personal_written: int = 0
    _words: Sequence[str] = field(init=False)
    _weights: Sequence[float] = field(init=False)

    def __post_init__(self) -> None:
        self._words = [_word(self.chance) for _ in range(VOCABULARY)]
        self._weights = list(accumulate(1 / (rank + 10) for rank in range(VOCABULARY)))

    def text(self, size: int) -> str:
        """About `size` bytes of words."""
        written: list[str] = []
        length = 0
        while length < size:
            batch = self.chance.choices(
                self._words, cum_weights=self._weights, k=min(40, (size - length) // 7 + 1)
            )
            for word in batch:
                written.append(self._maybe_replaced(word))
                length += len(written[-1]) + 1
        self.words_written += len(written)
        return " ".join(written)

    def _maybe_replaced(self, word: str) -> str:
        roll = self.chance.random()
        if roll < PERSONAL_SHARE:
            self.personal_written += 1
            return _personal(self.chance, word)
        if roll < PERSONAL_SHARE + LOOKALIKE_SHARE:
            return _lookalike(self.chance)
        return word


def build(
    spans: int,
    now: datetime,
    *,
    seed: int = SEED,
    spans_a_request: int = SPANS_A_REQUEST,
    within: timedelta = WITHIN,
) -> Workload:
    """At least `spans` spans (whole traces), started in the time `within` before `now`."""
    chance = random.Random(seed)
    writer = Writer(chance)
    traces = list(_traces(chance, writer, spans, now, within))
    bodies = [
        request.SerializeToString() for request in requests(traces, chance, spans_a_request=spans_a_request)
    ]
    total = sum(trace.span_count for trace in traces)
    return Workload(
        payloads=tuple(_payloads(bodies, total, spans_a_request)),
        traces=len(traces),
        last=tuple(trace.trace_id for trace in traces[-LAST::LAST_STEP]),
        spans=total,
        size=sum(map(len, bodies)),
        began=now - within,
        ended=now + timedelta(minutes=1),
    )


def _payloads(bodies: Sequence[bytes], total: int, spans_a_request: int) -> Iterator[Payload]:
    for body in bodies:
        yield Payload(body, min(spans_a_request, total))
        total -= spans_a_request


def _traces(
    chance: random.Random, writer: Writer, spans: int, now: datetime, within: timedelta
) -> Iterator[Trace]:
    made = 0
    while made < spans:
        began = now - timedelta(seconds=chance.uniform(20, within.total_seconds()))
        trace = Trace(trace_id=new_trace_id(chance), root=_run(chance, writer), began=began, service=SERVICE)
        made += trace.span_count
        yield trace


def _run(chance: random.Random, writer: Writer) -> Step:
    """A root, and model calls with tools between them: 3, 5 or 7 spans, five on average."""
    model = chance.choice(MODELS)
    prompt = genai.Prompt(name="bench", version=str(chance.randint(1, 9)), system=writer.text(300))
    rounds = chance.choice((1, 2, 2, 3))
    steps = [
        step for _ in range(rounds) for step in (_call(chance, writer, model, prompt), _tool(chance, writer))
    ]
    children = in_sequence(0.01, *steps)
    number = chance.randint(1, 2000)
    caller = genai.Caller(
        user=f"user-{number}",
        session=f"session-{number}-{chance.randint(1, 9)}",
        organization=f"org-{number % 50}",
        feature=chance.choice(FEATURES),
    )
    error = "tool failed" if chance.random() < 0.05 else ""
    return Step(
        name="agent.invocation",
        at=0.0,
        seconds=round(sum(child.seconds for child in children) + 0.02, 6),
        attributes=genai.agent("bench-agent", caller, asked=writer.text(500), answered=writer.text(400)),
        children=children,
        error=error,
        kind=SpanKind.SPAN_KIND_SERVER,
    )


def _call(chance: random.Random, writer: Writer, model: genai.Model, prompt: genai.Prompt) -> Step:
    messages = [genai.message("user", writer.text(PROMPT_BYTES))]
    answer = genai.message("assistant", writer.text(470), finish_reason="stop")
    tokens = genai.Tokens(input=chance.randint(700, 9000), output=chance.randint(50, 700), cache_read=512)
    return Step(
        name=f"chat {model.name}",
        at=0.0,
        seconds=round(chance.uniform(0.4, 4.0), 6),
        attributes=genai.call(model, prompt, messages, answer, tokens, first_chunk=0.4),
        kind=SpanKind.SPAN_KIND_CLIENT,
    )


def _tool(chance: random.Random, writer: Writer) -> Step:
    name = chance.choice(TOOLS)
    arguments: Attributes = {"query": writer.text(80), "limit": chance.randint(1, 100)}
    result: Attributes = {
        "rows": [{"id": chance.randint(1, 10**6), "text": writer.text(200)} for _ in range(3)]
    }
    return Step(
        name=f"execute_tool {name}",
        at=0.0,
        seconds=round(chance.uniform(0.05, 2.0), 6),
        attributes=genai.tool(name, f"call_{chance.randbytes(8).hex()}", arguments, result),
    )


def _word(chance: random.Random) -> str:
    syllables = chance.choices((1, 2, 3, 4), weights=(3, 5, 3, 1))[0]
    return "".join(chance.choice(_CONSONANTS) + chance.choice(_VOWELS) for _ in range(syllables))


def _personal(chance: random.Random, word: str) -> str:
    match chance.choice(("email", "phone", "card")):
        case "email":
            return f"{word}.{chance.randint(1, 9999)}@example.com"
        case "phone":
            return f"+1 415 555 {chance.randint(0, 9999):04d}"
        case _:
            return card_number(chance)


def card_number(chance: random.Random) -> str:
    """Sixteen digits that pass the Luhn check."""
    digits = [4, *(chance.randint(0, 9) for _ in range(14))]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[::2]]
    digits.append(-(sum(doubled) + sum(digits[1::2])) % 10)
    text = "".join(map(str, digits))
    return " ".join(text[start : start + 4] for start in range(0, 16, 4))


def _lookalike(chance: random.Random) -> str:
    match chance.choice(("amount", "date", "id")):
        case "amount":
            return f"{chance.randint(1, 99_999)}.{chance.randint(0, 99):02d}"
        case "date":
            return f"2026-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}"
        case _:
            return f"order-{chance.randint(10_000, 9_999_999)}"
