"""Lists that emitters spread over names, put together again."""

from ingest.flattened import listed


def test_a_list_under_a_prefix_stands_in_the_order_of_its_index() -> None:
    lists = listed({"a.b.10.role": "x", "a.b.2.role": "y", "a.b.2.content": "z", "a.c": 1}, "a.b.")

    assert lists["a.b."].in_order() == [{"role": "y", "content": "z"}, {"role": "x"}]
    assert lists["a.b."].names == ["a.b.10.role", "a.b.2.role", "a.b.2.content"]


def test_several_lists_in_one_pass() -> None:
    lists = listed({"a.0.x": 1, "b.0.y": 2}, "a.", "b.", "c.")

    assert {prefix: found.in_order() for prefix, found in lists.items()} == {
        "a.": [{"x": 1}],
        "b.": [{"y": 2}],
    }


def test_names_without_an_index_or_a_field_are_no_list_s() -> None:
    assert listed({"a.name.x": 1, "a.0": 2, "a.-1.x": 3, "a.99999999.x": 4, "a.1.x": None}, "a.") == {}
