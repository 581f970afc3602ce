"""What programs tell in free metadata, under whichever prefix their SDK puts it."""

import pytest

from ingest.metadata import ORGANIZATION, told
from traces.span import JSONValue


def test_keys_are_what_follows_the_prefix() -> None:
    found = told({"a.feature": "search", "a.deep.key": 1, "b.feature": "x", "a.none": None}, ("a.",))

    assert found.values == {"feature": "search", "deep.key": 1}


def test_the_prefix_named_first_wins() -> None:
    attributes: dict[str, JSONValue] = {"b.feature": "second", "a.feature": "first", "b.only": "kept"}

    assert told(attributes, ("a.", "b.")).values == {"feature": "first", "only": "kept"}


def test_text_may_arrive_with_quotes_inside() -> None:
    found = told({"a.quoted": '"acme"', "a.number": '"42"', "a.broken": '"'}, ("a.",))

    assert found.values == {"quoted": "acme", "number": "42", "broken": '"'}


@pytest.mark.parametrize("key", ["organization_id", "organizationId", "tenant_id", "customer_id", "orgId"])
def test_an_organization_in_any_of_its_spellings(key: str) -> None:
    assert told({f"a.{key}": "acme"}, ("a.",)).text(ORGANIZATION) == "acme"


def test_tags_may_be_a_list_json_or_text_with_commas() -> None:
    sent: tuple[JSONValue, ...] = (["a", "b"], '["a", "b"]', "a, b")

    assert [told({"m.tags": tags}, ("m.",)).texts(("tags",)) for tags in sent] == [("a", "b")] * 3
    assert told({}, ("m.",)).texts(("tags",)) is None
