"""Prices over REST: the ledger, what is set, and what re-pricing did."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from costs import services
from costs.models import ModelPrice, PriceTier, ToolPrice
from costs.queries import Calls
from costs.services import Repricing
from tracehouse.tenancy.models import Project
from tracehouse.tenancy.scope import Window
from traces.span import Cost, CostState, Kind, Span, Usage

pytestmark = [pytest.mark.django_db, pytest.mark.clickhouse, pytest.mark.usefixtures("clickhouse")]


@pytest.fixture
def reader(api_key: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {api_key}"})


def test_the_ledger(reader: Client, project: Project, store_spans: Callable[[list[Span]], None]) -> None:
    now = timezone.now().replace(microsecond=0)
    start = int(now.timestamp()) * 10**9
    call = Span(
        project_id=project.pk,
        trace_id="a" * 32,
        span_id="1" * 16,
        start_ns=start,
        end_ns=start,
        kind=Kind.LLM,
        model="acme-large",
        usage=Usage(input_uncached=10, output=2),
        cost=Cost(state=CostState.UNPRICED),
    )
    store_spans([call])
    seen = f"{now:%Y-%m-%dT%H:%M:%S}.000000Z"
    assert reader.get("/api/v1/prices/unpriced").json() == {
        "data": [
            {
                "provider": None,
                "model": "acme-large",
                "calls": 1,
                "input_tokens": 10,
                "output_tokens": 2,
                "first_seen": seen,
                "last_seen": seen,
            }
        ]
    }
    earlier = {"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"}
    assert reader.get("/api/v1/prices/unpriced", earlier).json() == {"data": []}
    assert reader.get("/api/v1/prices/unpriced", {"limit": 0}).status_code == 400


def test_prices_and_runs(reader: Client, project: Project, stranger: object) -> None:
    price = ModelPrice.objects.create(project=project, model="acme-large", input=Decimal("3.50"))
    PriceTier.objects.create(price=price, above_tokens=200_000, input=Decimal(6))
    ToolPrice.objects.create(project=None, tool="search", per_call=Decimal("0.001"))
    ModelPrice.objects.create(
        project=Project.objects.exclude(pk=project.pk).get(), model="x", input=Decimal(1)
    )
    said = reader.get("/api/v1/prices").json()
    (model,), (tool,) = said["models"], said["tools"]
    assert (model["model"], model["input"], model["output"], model["of_project"]) == (
        "acme-large",
        "3.5",
        None,
        True,
    )
    assert [(tier["above_tokens"], tier["input"]) for tier in model["tiers"]] == [(200_000, "6")]
    assert (tool["tool"], tool["per_call"], tool["of_project"]) == ("search", "0.001", False)

    window = Window(timezone.now() - timedelta(hours=1), timezone.now())
    asked = Repricing(Calls(False, "acme-large"), window)
    made = services.start_repricing(project=project, asked=asked, dry=False, actor="owner@example.com")
    services.start_repricing(project=project, asked=asked, dry=True, actor="owner@example.com")
    services.advance(made.pk, seconds=60)
    (run,) = reader.get("/api/v1/prices/repricing").json()["data"]
    assert (run["id"], run["state"], run["calls_changed"], run["cost_after"]) == (made.pk, "done", 0, "0")


@pytest.mark.parametrize("path", ["", "/unpriced", "/repricing"])
def test_a_key_is_needed(path: str) -> None:
    assert Client().get(f"/api/v1/prices{path}").status_code == 401
