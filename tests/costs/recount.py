"""A plain recount of spans in Python: what the roll-up must come to, said in another way than its SQL."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec

from traces.span import CostState, Kind, Span, Status, Usage

BILLED = {Kind.LLM, Kind.EMBEDDING, Kind.RERANKER}


@dataclass
class Sums:
    invocations: int = 0
    failed: int = 0
    llm_calls: int = 0
    tool_calls: int = 0
    unpriced_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal = Decimal(0)

    def add(self, span: Span, *, fails: bool) -> None:
        billed = span.kind in BILLED
        unpriced = span.cost is not None and span.cost.state is CostState.UNPRICED
        self.failed += fails and span.status is Status.ERROR
        self.llm_calls += span.kind is Kind.LLM
        self.tool_calls += span.kind is Kind.TOOL
        self.unpriced_calls += billed and unpriced
        self.input_tokens += input_of(span) if billed else 0
        self.output_tokens += (span.usage.output or 0) if billed else 0
        if span.cost and span.cost.total and not unpriced:
            self.cost_usd += span.cost.total

    def plus(self, other: "Sums") -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


@dataclass
class Recount:
    """Sums of an hour, a user and an organization: all of it, and by key."""

    all: Sums = field(default_factory=Sums)
    by_feature: dict[str, Sums] = field(default_factory=lambda: defaultdict(Sums))
    by_model: dict[str, Sums] = field(default_factory=lambda: defaultdict(Sums))
    by_tool: dict[str, Sums] = field(default_factory=lambda: defaultdict(Sums))
    by_prompt: dict[str, Sums] = field(default_factory=lambda: defaultdict(Sums))


Key = tuple[datetime, str, str]  # hour, user, organization


def recount(written: Iterable[Span]) -> dict[Key, Recount]:
    """Of spans in the order in which they were written, again, in parts or with another cost."""
    traces: dict[str, dict[str, Span]] = defaultdict(dict)
    for span in written:
        of_trace = traces[span.trace_id]
        before = of_trace.get(span.span_id)
        of_trace[span.span_id] = _merged(before, span) if before else span
    found: dict[Key, Recount] = defaultdict(Recount)
    for spans in traces.values():
        _count(list(spans.values()), found)
    return found


def _merged(before: Span, part: Span) -> Span:
    """The last present value of each field. Cost goes as one: who writes a state writes an amount, or a zero."""
    given: dict[str, Any] = {
        name: value
        for name in Span.__struct_fields__
        if (value := getattr(part, name)) is not None and name != "usage" and value != ""
    }
    if part.parent_id is not None:
        given["parent_id"] = part.parent_id
    usage = {
        name: value for name in Usage.__struct_fields__ if (value := getattr(part.usage, name)) is not None
    }
    return msgspec.structs.replace(before, **given, usage=msgspec.structs.replace(before.usage, **usage))


def input_of(span: Span) -> int:
    usage = span.usage
    return sum(
        part or 0
        for part in (usage.input_uncached, usage.cache_read, usage.cache_write_5m, usage.cache_write_1h)
    )


def _count(spans: list[Span], found: dict[Key, Recount]) -> None:
    ranked = sorted(spans, key=lambda span: (span.parent_id != "", span.start_ns, span.span_id))
    started = min(span.start_ns or 0 for span in spans) // 10**9
    has_root = any(span.parent_id == "" for span in spans)
    failing = ranked[:1] if has_root else spans
    failed = any(span.status is Status.ERROR for span in failing)

    def belongs(name: str) -> str:
        return next((getattr(span, name) for span in ranked if getattr(span, name)), "")

    hour = datetime.fromtimestamp(started - started % 3600, UTC)
    into = found[hour, belongs("user_id"), belongs("organization_id")]
    whole, split = Sums(invocations=1, failed=failed), Recount()
    for span in _counted(spans):
        whole.add(span, fails=False)
        for sums in _keyed(span, split):
            sums.add(span, fails=True)
            sums.invocations = 1
    into.all.plus(whole)
    into.by_feature[belongs("feature")].plus(whole)
    for name in ("by_model", "by_tool", "by_prompt"):
        for key, sums in getattr(split, name).items():
            getattr(into, name)[key].plus(sums)


def _keyed(span: Span, split: Recount) -> Iterator[Sums]:
    if span.kind is Kind.TOOL:
        yield split.by_tool[span.tool_name or ""]
    elif span.kind in BILLED:
        yield split.by_model[span.model or ""]
        name, version = span.prompt_name or "", span.prompt_version or ""
        yield split.by_prompt[f"{name}\n{version}" if name and version else name]


def _counted(spans: list[Span]) -> Iterator[Span]:
    """Tools, and each call of a model once: of those that share an answer the best, of one within another the inner."""
    yield from (span for span in spans if span.kind is Kind.TOOL)
    calls = sorted(
        (span for span in spans if span.kind in BILLED), key=lambda span: (span.start_ns, span.span_id)
    )
    best = {id(span): span for answer in _answers(calls) for span in [_best(answer)]}
    alike: dict[tuple[bool, int, int | None], list[Span]] = defaultdict(list)
    for span in calls:
        alike[_used(span), input_of(span), span.usage.output].append(span)
    following = {id(a): b for group in alike.values() for a, b in pairwise(group)}
    for span in calls:
        inner = following.get(id(span))
        if id(span) in best and not (inner and _tells(span, inner)):
            yield span


def _answers(calls: list[Span]) -> Iterator[list[Span]]:
    by_id: dict[str, list[list[Span]]] = defaultdict(list)
    for span in calls:
        if not span.response_id:
            yield [span]
            continue
        answers = by_id[span.response_id]
        earlier = [one for answer in answers for one in answer]
        if not earlier or (
            span.start_ns >= max(one.end_ns for one in earlier)
            and span.start_ns > max(one.start_ns for one in earlier)
        ):
            answers.append([])
        answers[-1].append(span)
    for answers in by_id.values():
        yield from answers


def _best(answer: list[Span]) -> Span:
    return min(
        answer,
        key=lambda span: (
            not _used(span),
            not (span.cost and span.cost.state is not CostState.UNPRICED),
            -(span.start_ns or 0),
            span.end_ns,
            span.span_id,
        ),
    )


def _used(span: Span) -> bool:
    return input_of(span) + (span.usage.output or 0) > 0


def _tells(outer: Span, inner: Span) -> bool:
    """Whether another library recorded the same call within this one."""
    same = not outer.response_id or not inner.response_id or outer.response_id == inner.response_id
    return bool(
        _used(outer)
        and inner.parent_id == outer.span_id
        and inner.scope != outer.scope
        and inner.end_ns <= outer.end_ns
        and same
    )
