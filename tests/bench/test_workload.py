"""The benchmark's workload is the one that docs/benchmarks.md describes."""

from datetime import UTC, datetime
from random import Random

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from bench import workload
from bench.workload import Workload

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
SPANS = 3000


@pytest.fixture(scope="module")
def built() -> Workload:
    return workload.build(SPANS, NOW)


@pytest.fixture(scope="module")
def spans(built: Workload) -> list[Span]:
    return [span for payload in built.payloads for span in _spans(payload.body)]


def test_a_span_is_two_point_four_kilobytes(built: Workload) -> None:
    assert built.size / built.spans == pytest.approx(2400, rel=0.03)


def test_a_trace_has_about_five_spans(built: Workload) -> None:
    assert built.spans / built.traces == pytest.approx(5, rel=0.05)


def test_every_request_but_the_last_holds_a_hundred_spans(built: Workload) -> None:
    assert {payload.spans for payload in built.payloads[:-1]} == {100}
    assert sum(payload.spans for payload in built.payloads) == built.spans >= SPANS


def test_the_payloads_hold_as_many_spans_as_they_say(built: Workload, spans: list[Span]) -> None:
    assert len(spans) == built.spans == len({span.span_id for span in spans})
    assert len({span.trace_id for span in spans}) == built.traces


def test_a_prompt_is_two_and_a_half_kilobytes(spans: list[Span]) -> None:
    prompts = [
        len(pair.value.string_value)
        for span in spans
        for pair in span.attributes
        if pair.key == "gen_ai.input.messages" and span.name.startswith("chat ")
    ]
    assert sum(prompts) / len(prompts) == pytest.approx(2570, rel=0.03)


def test_one_word_in_two_hundred_is_personal() -> None:
    writer = workload.Writer(Random(3))
    writer.text(400_000)
    assert writer.personal_written / writer.words_written == pytest.approx(0.005, rel=0.15)


def test_a_card_number_passes_the_luhn_check() -> None:
    numbers = [workload.card_number(Random(seed)).replace(" ", "") for seed in range(50)]
    assert all(len(number) == 16 and _luhn(number) == 0 for number in numbers)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_ids() -> None:
    one, same, other = (workload.build(200, NOW, seed=seed) for seed in (1, 1, 2))
    assert one.payloads == same.payloads
    assert not _trace_ids(one) & _trace_ids(other)


def _spans(body: bytes) -> list[Span]:
    request = ExportTraceServiceRequest.FromString(body)
    return [span for group in request.resource_spans for scope in group.scope_spans for span in scope.spans]


def _trace_ids(built: Workload) -> set[bytes]:
    return {span.trace_id for payload in built.payloads for span in _spans(payload.body)}


def _luhn(number: str) -> int:
    doubled = [sum(divmod(int(digit) * 2, 10)) for digit in number[-2::-2]]
    return (sum(doubled) + sum(int(digit) for digit in number[-1::-2])) % 10
