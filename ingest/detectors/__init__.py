"""What counts as personal data in text: one pass of many patterns, then a check of each candidate.

Hyperscan finds candidates in one scan whatever the number of patterns (`scan.py`). A check then decides, one file a
kind of value: check digits, libphonenumber, formats, and what stands beside it, so that order numbers, timestamps and
ids are left alone.
"""

from ingest.detectors.hit import ALL, Detector, Hit
from ingest.detectors.scan import find

__all__ = ["ALL", "Detector", "Hit", "find"]
