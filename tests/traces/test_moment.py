"""RFC 3339 to nanoseconds."""

import pytest

from traces.moment import nanoseconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2025-11-24T10:00:00.000000001Z", 1_763_978_400_000_000_001),
        ("2025-11-24t11:00:00.5+01:00", 1_763_978_400_500_000_000),
        ("2025-11-24 10:00:00z", 1_763_978_400_000_000_000),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000_000_000),
    ],
)
def test_a_moment_is_read_without_loss(text: str, expected: int) -> None:
    assert nanoseconds(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "now", "2025-11-24", "2025-11-24T10:00:00", "2025-13-24T10:00:00Z", "1969-12-31T23:59:59Z",
     "2025-11-24T10:00:00.1234567890Z", "2025-11-24T10:00:00+99:00", "٢٠٢٥-11-24T10:00:00Z",
     "0001-01-01T00:00:00+23:00"],
)  # fmt: skip
def test_anything_else_is_no_moment(text: str) -> None:
    assert nanoseconds(text) is None
