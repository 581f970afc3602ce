"""Addresses of the API that there are not."""

import pytest
from django.test import Client


@pytest.mark.parametrize("method", ["get", "post", "put", "options"])
@pytest.mark.parametrize("path", ["/api/v1/trace", "/api/v1/traces/", "/api/public/nothing", "/v1/trace"])
def test_a_program_with_a_wrong_address_is_told_so_as_of_every_error(method: str, path: str) -> None:
    answer = getattr(Client(), method)(path)

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["error"] == {
        "code": "not_found",
        "message": f"There is nothing at {path}; /api/docs/ lists what there is.",
    }


@pytest.mark.parametrize("page", ["/api/docs", "/api/schema"])
def test_pages_of_the_api_are_found_without_the_slash_at_their_end(page: str) -> None:
    answer = Client().get(page)

    assert (answer.status_code, answer.headers["Location"]) == (301, f"{page}/")
