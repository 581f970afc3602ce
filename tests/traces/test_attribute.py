"""A filter on attributes is read back as it was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traces.attribute import Attribute, joined, parse, split

READ = [
    ("region:eu", Attribute("region", "eu")),
    ("region", Attribute("region")),
    ("region:", Attribute("region", "")),
    ("url:http://a:80", Attribute("url", "http://a:80")),
    (r"langfuse\:tag:x", Attribute("langfuse:tag", "x")),
    ("odd\\", Attribute("odd\\")),
]


@pytest.mark.parametrize(("text", "attribute"), READ)
def test_a_key_and_perhaps_a_value(text: str, attribute: Attribute) -> None:
    assert parse(text) == attribute


@given(st.builds(Attribute, st.text(), st.none() | st.text()))
def test_an_attribute_survives_being_written(attribute: Attribute) -> None:
    assert parse(str(attribute)) == attribute


def test_items_stand_between_commas() -> None:
    assert split(r" one, two\, or three ,,one") == ("one", "two, or three")
    assert split("C:\\new\\, or one, D:\\") == ("C:\\new, or one", "D:\\")


words = st.text(st.characters() | st.sampled_from("\\,:"), min_size=1).map(str.strip).filter(bool)


@given(st.lists(words, unique=True))
def test_items_survive_being_joined(items: list[str]) -> None:
    assert split(joined(items)) == tuple(items)


VALUES = [
    ("eu", ['k="eu"']),
    ("429", ['k="429"', "k=429"]),
    ("1.0", ['k="1.0"', "k=1.0", "k=1"]),
    ("1e-7", ['k="1e-7"', "k=1e-7", "k=0.0000001"]),
    ("true", ['k="true"', "k=true"]),
    ("[1]", ['k="[1]"']),
    ('a "b"', ['k="a \\"b\\""']),
    (None, ["k="]),
]


@pytest.mark.parametrize(("value", "facets"), VALUES)
def test_a_value_is_looked_for_as_text_and_as_what_it_reads_as(value: str | None, facets: list[str]) -> None:
    assert Attribute("k", value).facets == facets


def test_the_index_is_asked_for_the_cuts_of_every_way_of_writing_it() -> None:
    assert Attribute("k", "a, b").looked_up == [['"k":"a', ' b"'], ['"k":', '"a', ' b"']]
    assert Attribute("k").looked_up == [["k"]]
