"""Precision and recall on labelled texts; `python -m bench.redaction` prints the numbers."""

import pytest

from bench import redaction
from ingest.detectors import Detector


@pytest.mark.parametrize("name", redaction.SETS)
def test_nearly_all_that_is_personal_is_found_and_nearly_all_found_is_personal(name: str) -> None:
    scores = redaction.score(redaction.read(name))
    whole = redaction.overall(scores)
    assert whole.precision >= 0.95
    assert whole.recall >= 0.95
    for detector, one in scores.items():
        assert one.precision >= 0.9, (detector, one.mistakes)
        assert one.recall >= 0.9, (detector, one.mistakes)


@pytest.mark.parametrize("name", redaction.SETS)
def test_the_texts_hold_values_of_every_detector_and_as_many_texts_without(name: str) -> None:
    samples = redaction.read(name)
    assert {label.detector for sample in samples for label in sample.labels} == set(Detector)
    assert sum(not sample.labels for sample in samples) >= len(samples) // 3


def test_a_value_that_is_found_in_part_is_missed(tmp_path: object) -> None:
    whole = redaction.Sample(
        "prompt", b'"jane@example.com"', (redaction.Label(Detector.EMAIL, 0, 17),), ("US",)
    )
    assert redaction.score([whole])[Detector.EMAIL].missed == 1
