"""Whatever can be refused is explained, with what to do about it."""

import pytest

from ingest.otlp.decode import Refusal
from ingest.reasons import Reason, code_of, explain

CODES = [*Reason, *map(code_of, Refusal)]


@pytest.mark.parametrize("code", CODES)
def test_every_reason_has_words_and_advice(code: str) -> None:
    found = explain(code)
    assert not found.title.endswith(".")
    assert found.advice.endswith(".")


@pytest.mark.parametrize("code", CODES)
def test_every_code_fits_its_column(code: str) -> None:
    assert 0 < len(code) <= 40


def test_a_code_of_another_version_explains_itself() -> None:
    assert explain("gone_since").title == "Gone since"
