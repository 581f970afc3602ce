"""The pipeline's price step: what arrives is priced by what the project set."""

import time
from decimal import Decimal
from typing import Any

import pytest

from costs.models import ModelPrice, ToolPrice
from ingest import pipeline
from tests import cast
from tests.browser import otlp
from tracehouse.tenancy.keys import KeyHolder, identify
from tracehouse.tenancy.models import Project, User
from traces.span import CostState, Kind, Span, Usage

pytestmark = pytest.mark.django_db


@pytest.fixture
def holder(project: Project, owner: User) -> KeyHolder:
    found = identify(f"Bearer {cast.secret_key(project, owner)}")
    assert isinstance(found, KeyHolder)
    return found


def priced(holder: KeyHolder, **fields: Any) -> Span:
    now = time.time_ns()
    span = Span(
        project_id=holder.project_id,
        trace_id="a" * 32,
        span_id="1" * 16,
        start_ns=now - 3_000_000_000,
        end_ns=now,
        **fields,
    )
    batch = pipeline.Batch(b"", "json", holder, now_ns=now)
    (found,) = pipeline.price(batch, [span])
    return found


LARGE: dict[str, Any] = {
    "kind": Kind.LLM,
    "model": "acme-large",
    "usage": Usage(input_uncached=1_000_000),
}


def test_a_call_costs_what_its_project_set(holder: KeyHolder, project: Project) -> None:
    price = ModelPrice.objects.create(project=project, model="acme-large", input=Decimal("2.5"))
    cost = priced(holder, **LARGE).cost
    assert cost is not None
    assert (cost.state, cost.total) == (CostState.COMPUTED, Decimal("2.5"))
    assert cost.source == f"project price #{price.pk} acme-large"


def test_another_projects_price_does_not_count(holder: KeyHolder, stranger: User) -> None:
    elsewhere = Project.objects.exclude(pk=holder.project_id).get()
    ModelPrice.objects.create(project=elsewhere, model="acme-large", input=Decimal("2.5"))
    cost = priced(holder, **LARGE).cost
    assert cost is not None
    assert cost.state is CostState.UNPRICED


def test_a_tool_call_costs_its_time(holder: KeyHolder, project: Project) -> None:
    ToolPrice.objects.create(project=project, tool="search", per_second=Decimal("0.5"))
    cost = priced(holder, kind=Kind.TOOL, tool_name="search").cost
    assert cost is not None
    assert cost.total == Decimal("1.5")


def test_a_cached_answer_is_free(holder: KeyHolder) -> None:
    cost = priced(holder, **LARGE, attributes={"litellm.cache_hit": True}).cost
    assert cost is not None
    assert (cost.state, cost.total) == (CostState.COMPUTED, 0)


CALL: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 5,
}


@pytest.mark.parametrize(
    ("attributes", "is_free"),
    [
        ({**CALL, "litellm.cache_hit": "true"}, True),
        ({**CALL, "lmnr.span.type": "CACHED", "lmnr.span.original_type": "LLM"}, True),
        ({**CALL, "langfuse.observation.metadata.cache_hit": "true"}, True),
        ({**CALL, "http.response.header.cf-aig-cache-status": "HIT"}, True),
        ({**CALL, "litellm.cache_hit": "false"}, False),
        (CALL, False),
    ],
)
def test_vocabularies_leave_what_says_that_a_cache_answered(
    holder: KeyHolder, attributes: dict[str, Any], is_free: bool
) -> None:
    body = otlp.body("a" * 32, [otlp.Step("chat", attributes=attributes)])
    batch = pipeline.Batch(body, "json", holder, now_ns=time.time_ns())
    (found,) = pipeline.price(batch, pipeline.normalize(batch, pipeline.decode(batch)))
    assert found.kind is Kind.LLM
    assert found.cost is not None
    assert (found.cost.total == 0) is is_free
