"""The parameters of the REST API: what is not known is refused, and texts are compared as they are sent."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tracehouse.tenancy.models import Project
from traces import cursor as cursors
from traces.span import Kind, Span, Status

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.clickhouse,
    pytest.mark.filterwarnings("ignore:No directory at"),
]
Store = Callable[[list[Span]], None]
# Every list that takes parameters, and which it takes besides.
LISTS = {
    "/api/v1/traces": {"limit": "5", "order": "-cost", "cursor": "", "name": "run", "has_error": "true"},
    "/api/v1/sessions": {"limit": "5", "order": "-traces"},
    "/api/v1/users": {"limit": "5", "feature": "draft"},
    "/api/v1/organizations": {"limit": "5"},
    "/api/v1/attributes": {"attribute": "region"},
    "/api/v1/usage": {"group_by": "model", "limit": "5"},
    "/api/v1/user-costs": {"limit": "5"},
    "/api/v1/prices/unpriced": {"limit": "5"},
    "/api/v1/scores": {"limit": "5", "name": "feedback"},
}
WINDOW = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"}


@pytest.fixture
def get(client: Client, api_key: str, clickhouse: None) -> Callable[..., Any]:
    def asked(path: str, /, **parameters: Any) -> Any:
        return client.get(path, parameters, headers={"Authorization": f"Bearer {api_key}"})

    return asked


def ended(project: Project, number: int, **told: Any) -> Span:
    """A root that ended just now."""
    now = time.time_ns()
    return Span(
        project_id=project.pk,
        trace_id=f"{number:032x}",
        span_id=f"{number:016x}",
        parent_id="",
        start_ns=now - 10**9,
        end_ns=now,
        kind=Kind.LLM,
        status=Status.OK,
        **told,
    )


@pytest.mark.parametrize("path", LISTS)
def test_an_unknown_parameter_is_refused_with_the_one_that_was_meant(
    get: Callable[..., Any], path: str
) -> None:
    known = {name: value for name, value in LISTS[path].items() if value}
    assert get(path, **known, **WINDOW, format="json").status_code == 200
    refused = get(path, **known, form="2026-11-01T00:00:00Z", verbosity="all")
    assert refused.status_code == 400
    error = refused.json()["error"]
    assert error["code"] == "invalid"
    assert error["fields"]["form"] == ["There is no such parameter; did you mean from?"]
    assert error["fields"]["verbosity"][0].startswith("There is no such parameter; there are from, to, ")


@pytest.mark.parametrize("path", ["/api/v1/prices/repricing", "/api/v1/plans", "/api/v1/cost-reports"])
def test_lists_without_a_window_refuse_it_too(get: Callable[..., Any], path: str) -> None:
    assert get(path, limit="5").status_code == 200
    assert get(path, limits="5").json()["error"]["fields"] == {
        "limits": ["There is no such parameter; did you mean limit?"]
    }


def test_a_search_without_a_word_is_refused(get: Callable[..., Any]) -> None:
    refused = get("/api/v1/traces", q="*")
    assert refused.status_code == 400
    assert "timeo*" in refused.json()["error"]["fields"]["q"][0]


def test_texts_are_compared_with_their_blanks(
    get: Callable[..., Any], project: Project, store_spans: Store
) -> None:
    store_spans(
        [
            ended(
                project,
                number,
                name=f"run{blank}",
                user_id=f"ann{blank}",
                model=f"m{blank}",
                prompt_version=f"3{blank}",
                tags=(f"vip{blank}",),
                attributes={"tier": f"gold{blank}"},
            )
            for number, blank in ((1, ""), (2, " "))
        ]
    )
    for filters in (
        {"user_id": "ann"},
        {"name": "run"},
        {"model": "m"},
        {"prompt_version": "3"},
        {"tags": "vip"},
        {"attribute": "tier:gold"},
    ):
        ((name, value),) = filters.items()
        found = [
            [int(trace["trace_id"], 16) for trace in get("/api/v1/traces", **{name: text}).json()["data"]]
            for text in (value, f"{value} ")
        ]
        assert found == [[1], [2]], json.dumps(filters)


def test_a_window_beyond_what_can_be_stored_is_all_there_is(
    get: Callable[..., Any], project: Project, store_spans: Store
) -> None:
    store_spans([ended(project, 1, name="run")])
    first, last = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"
    for window in (
        {"from": first},
        {"from": "1500-01-01T00:00:00Z", "to": last},
        {"from": first, "to": last},
    ):
        assert len(get("/api/v1/traces", **window).json()["data"]) == 1
    assert get("/api/v1/traces", to=first).json()["data"] == []
    assert get("/api/v1/traces", **{"from": last, "to": last}).json()["data"] == []
    assert get("/api/v1/traces", **{"from": last, "to": first}).status_code == 400


@pytest.mark.parametrize("bound", [2**63, -(2**63) - 1, 2**70])
def test_a_cursor_that_no_list_gave_out_is_refused(get: Callable[..., Any], bound: int) -> None:
    made_up = cursors.encode(("-time", bound, "1" * 32))
    refused = get("/api/v1/traces", cursor=made_up)
    assert (refused.status_code, list(refused.json()["error"]["fields"])) == (400, ["cursor"])


def test_a_parameter_of_one_value_said_twice_is_refused(get: Callable[..., Any]) -> None:
    refused = get("/api/v1/traces", user_id=["ann", "bo"], tags=["a", "b"])
    assert refused.status_code == 400
    assert refused.json()["error"]["fields"] == {"user_id": ["Give it once; it takes one value."]}
