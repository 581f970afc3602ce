"""A few hundred varied traces of the last seven days: what lists, filters and sums look like in use."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.demo import genai
from ingest.demo.otlp import Service, SpanKind, Step, Trace, in_sequence, new_trace_id
from ingest.demo.scenario import Page, Scenario
from traces.span import Attributes

SEED = 20_261
TRACES = 400
DAYS = 7
FAILURES = 0.05
# Share of a day's work in each hour, UTC: an office with people in Europe and on the US east coast.
HOURS = (1, 1, 1, 1, 1, 2, 4, 8, 14, 18, 18, 16, 13, 17, 20, 20, 18, 14, 11, 8, 6, 4, 2, 1)
WEEKEND = 0.25
SERVICES = (
    Service(name="marketing-assistant", version="2026.11.3"),
    Service(name="support-copilot", version="5.2.0"),
    Service(name="report-writer", version="1.18.0"),
)
ENVIRONMENTS = ("production",) * 8 + ("staging",) * 2
ORGANIZATIONS = ("northwind-outdoor", "brightline", "meridian-labs", "alpine-gear", "fern-and-fell")


@dataclass(frozen=True, slots=True)
class Offer:
    """A model, how often it is chosen, and how fast it writes."""

    model: genai.Model
    weight: int
    tokens_a_second: float
    caches: bool = False
    reasons: bool = False


OFFERS = (
    Offer(genai.Model(provider="anthropic", name="claude-sonnet-4-5-20250929"), 34, 70, caches=True),
    Offer(genai.Model(provider="anthropic", name="claude-haiku-4-5-20251001"), 22, 150, caches=True),
    Offer(genai.Model(provider="anthropic", name="claude-opus-4-5-20251101"), 6, 45, caches=True),
    Offer(genai.Model(provider="openai", name="gpt-5"), 12, 60, caches=True, reasons=True),
    Offer(genai.Model(provider="openai", name="gpt-4.1-mini"), 12, 120, caches=True),
    Offer(genai.Model(provider="google", name="gemini-2.5-flash"), 9, 180),
    Offer(genai.Model(provider="mistral", name="mistral-large-2512"), 4, 80),
    Offer(genai.Model(provider="meridian-onprem", name="meridian-legal-70b-internal"), 1, 30),
)


@dataclass(frozen=True, slots=True)
class Feature:
    """An agent of the product: what it is asked, which tools it has, how large its prompts are."""

    name: str
    agent: str
    service: Service
    prompt: genai.Prompt
    questions: tuple[str, ...]
    tools: tuple[str, ...]
    input_tokens: tuple[int, int]
    output_tokens: tuple[int, int]
    input_types: tuple[str, ...]


FEATURES = (
    Feature(
        "analyze",
        "report-writer",
        SERVICES[2],
        genai.Prompt(
            name="analyze-report", version="9", system="You analyse numbers. Show how you got each one."
        ),
        (
            "Why did conversions drop in week 46?",
            "Compare churn of the last two quarters",
            "Which region pays late?",
        ),
        ("warehouse_query", "ga4_query", "chart"),
        (3000, 24_000),
        (300, 1800),
        ("text", "structured"),
    ),
    Feature(
        "draft",
        "marketing-assistant",
        SERVICES[0],
        genai.Prompt(name="draft-copy", version="14", system="You draft copy in a warm, plain tone."),
        (
            "Draft a follow-up for Lena Novak, lena.novak@bluepeak.com",
            "Write a reminder about the spring sale",
            "Two subject lines for the boots launch",
        ),
        ("hubspot_query", "brand_guide"),
        (1200, 9000),
        (250, 1200),
        ("text",),
    ),
    Feature(
        "query",
        "support-copilot",
        SERVICES[1],
        genai.Prompt(
            name="answer-question", version="31", system="You answer questions of customers. Be brief."
        ),
        (
            "Where is order 88213?",
            "Call me at +1 206 555 0148 about the invoice",
            "Does the tent fit two people?",
        ),
        ("search_tickets", "order_status", "search_handbook"),
        (400, 4000),
        (40, 400),
        ("text", "text", "voice"),
    ),
)
VERSIONS_BEFORE = {"9": "8", "14": "13", "31": "30"}


@dataclass(frozen=True, slots=True)
class Failure:
    """How a run can end badly: in which kind of step, with which type and message."""

    in_tool: bool
    error_type: str
    message: str
    seconds: tuple[float, float]


FAILURE_KINDS = (
    Failure(False, "context_length_exceeded", "context window exceeded", (0.3, 0.6)),
    Failure(False, "overloaded_error", "Overloaded: the model's provider answered 529", (0.1, 30.0)),
    Failure(False, "rate_limit_error", "429: tokens a minute exceeded", (0.1, 0.4)),
    Failure(True, "TimeoutError", "the upstream API did not answer within 10 s", (10.0, 10.2)),
    Failure(True, "HTTPStatusError", "502 Bad Gateway", (0.2, 2.0)),
)


def build(now: datetime, ids: random.Random) -> Scenario:
    chance = random.Random(SEED)  # noqa: S311  # made-up traces
    moments = sorted(_moment(chance, now) for _ in range(TRACES))
    traces = tuple(_trace(chance, began, ids) for began in moments)
    dearest = max(traces, key=lambda trace: trace.span_count)
    return Scenario(
        traces=traces, pages=(Page(trace_id=dearest.trace_id, title="The longest of the last week's runs"),)
    )


def _moment(chance: random.Random, now: datetime) -> datetime:
    """A time in the last seven days, more likely in business hours; no run is still going on at `now`."""
    while True:
        moment = now - timedelta(seconds=chance.uniform(600, DAYS * 86_400))
        likely = HOURS[moment.hour] / max(HOURS) * (WEEKEND if moment.weekday() >= 5 else 1.0)
        if chance.random() < likely:
            return moment


def _trace(chance: random.Random, began: datetime, ids: random.Random) -> Trace:
    feature = chance.choices(FEATURES, weights=(2, 3, 5))[0]
    service = Service(
        name=feature.service.name, version=feature.service.version, environment=chance.choice(ENVIRONMENTS)
    )
    return Trace(trace_id=new_trace_id(ids), root=_run(chance, feature), began=began, service=service)


def _run(chance: random.Random, feature: Feature) -> Step:
    """Model call, then rounds of a tool and a model call; one run in twenty ends at a failing step."""
    offer = chance.choices(OFFERS, weights=[offer.weight for offer in OFFERS])[0]
    question = chance.choice(feature.questions)
    run = _Run(chance, feature, offer, _prompt(chance, feature), question)
    steps: list[Step] = [run.call(0)]
    for number in range(1, chance.choices((1, 2, 3, 4), weights=(2, 5, 4, 2))[0] + 1):
        steps += [run.tool(number), run.call(number)]
    failure = chance.choice(FAILURE_KINDS) if chance.random() < FAILURES else None
    if failure:
        steps = (
            [*steps[:-2], run.failing(failure)] if failure.in_tool else [*steps[:-1], run.failing(failure)]
        )
    return run.root(tuple(steps), failure)


def _prompt(chance: random.Random, feature: Feature) -> genai.Prompt:
    newest = feature.prompt
    version = newest.version if chance.random() < 0.7 else VERSIONS_BEFORE[newest.version]
    tools = tuple(
        genai.function(name, f"{name} of {feature.agent}", query="what to look for") for name in feature.tools
    )
    return genai.Prompt(name=newest.name, version=version, system=newest.system, tools=tools)


class _Run:
    """The choices of one run, and the steps made from them."""

    def __init__(
        self, chance: random.Random, feature: Feature, offer: Offer, prompt: genai.Prompt, question: str
    ) -> None:
        self.chance, self.feature, self.offer, self.prompt, self.question = (
            chance,
            feature,
            offer,
            prompt,
            question,
        )
        self.messages: list[Attributes] = [genai.message("user", question)]
        self.input_tokens = chance.randint(*feature.input_tokens)
        self.answer = f"Answer to: {question} Checked against {', '.join(feature.tools)}."

    def call(self, number: int) -> Step:
        output = self.chance.randint(*self.feature.output_tokens)
        answer = genai.message("assistant", self.answer, finish_reason="stop")
        attributes = genai.call(
            self.offer.model,
            self.prompt,
            list(self.messages),
            answer,
            self._tokens(number, output),
            first_chunk=round(self.chance.uniform(0.2, 1.4), 3),
        )
        return self._model_step(round(0.4 + output / self.offer.tokens_a_second, 3), attributes)

    def tool(self, number: int) -> Step:
        name, call_id = self.chance.choice(self.feature.tools), f"call_{number}"
        arguments: Attributes = {"query": f"{self.question} ({number})"}
        result: Attributes = {"rows": [self._row() for _ in range(self.chance.randint(1, 8))]}
        self.messages.append(genai.message("assistant", genai.call_part(call_id, name, arguments)))
        self.messages.append(genai.message("tool", genai.result_part(call_id, result)))
        seconds = round(self.chance.lognormvariate(-0.7, 0.9), 3)
        return _step(f"execute_tool {name}", seconds, genai.tool(name, call_id, arguments, result))

    def failing(self, failure: Failure) -> Step:
        seconds = round(self.chance.uniform(*failure.seconds), 3)
        if failure.in_tool:
            name = self.chance.choice(self.feature.tools)
            attributes = genai.tool(
                name, "call_last", {"query": self.question}, error_type=failure.error_type
            )
            return _step(f"execute_tool {name}", seconds, attributes, failure.message)
        refused = genai.failed_call(self.offer.model, self.prompt, self.messages, failure.error_type)
        return self._model_step(seconds, refused, failure.message)

    def root(self, steps: tuple[Step, ...], failure: Failure | None) -> Step:
        children = in_sequence(0.02, *steps)
        return Step(
            name=f"invoke_agent {self.feature.agent}",
            at=0.0,
            seconds=round(0.05 + sum(child.seconds for child in children), 3),
            attributes=genai.agent(
                self.feature.agent,
                self._caller(),
                asked=self.question,
                answered=None if failure else self.answer,
            ),
            children=children,
            error=failure.message if failure else "",
            kind=SpanKind.SPAN_KIND_SERVER,
        )

    def _tokens(self, number: int, output: int) -> genai.Tokens:
        asked = self.input_tokens + 350 * number
        cached = int(asked * self.chance.uniform(0.5, 0.9)) if self.offer.caches and number else 0
        written = int(asked * 0.6) if self.offer.model.provider == "anthropic" and not number else 0
        reasoning = output // 3 if self.offer.reasons else 0
        return genai.Tokens(
            input=asked, output=output, cache_read=cached, cache_write=written, reasoning=reasoning
        )

    def _caller(self) -> genai.Caller:
        # A few people do most of the work: the square root of a uniform number, turned round.
        person = int(24 * (1 - self.chance.random() ** 0.5))
        return genai.Caller(
            user=f"u-{1000 + person}",
            session=f"s-{1000 + person}-{self.chance.randint(1, 4)}",
            organization=ORGANIZATIONS[person % len(ORGANIZATIONS)],
            feature=self.feature.name,
            input_type=self.chance.choice(self.feature.input_types),
        )

    def _model_step(self, seconds: float, attributes: Attributes, error: str = "") -> Step:
        name = f"chat {self.offer.model.name}"
        return _step(name, seconds, attributes, error, SpanKind.SPAN_KIND_CLIENT)

    def _row(self) -> Attributes:
        number = self.chance.randint(1000, 9999)
        return {
            "id": number,
            "owner": f"owner{number}@bluepeak.com",
            "amount": round(number / 7, 2),
            "open": True,
        }


def _step(
    name: str,
    seconds: float,
    attributes: Attributes,
    error: str = "",
    kind: SpanKind.ValueType = SpanKind.SPAN_KIND_INTERNAL,
) -> Step:
    return Step(name=name, at=0.0, seconds=seconds, attributes=attributes, error=error, kind=kind)
