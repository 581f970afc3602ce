"""The figures that the benchmark reports of a series of measurements."""

import pytest

from bench.load import percentile


@pytest.mark.parametrize(("percent", "value"), [(50, 50), (95, 95), (99, 99), (100, 100)])
def test_a_percentile_is_a_value_that_was_measured(percent: int, value: int) -> None:
    assert percentile(list(range(100, 0, -1)), percent) == value


def test_one_measurement_is_every_percentile() -> None:
    assert [percentile([7.0], percent) for percent in (1, 50, 99)] == [7.0, 7.0, 7.0]
