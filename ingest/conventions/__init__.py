"""Attribute vocabularies, one file each: recognise a span's dialect, then read it into a `Reading`.

Each module has `NAME: str`, `recognise(record: OtlpSpan) -> bool` and `read(record: OtlpSpan) -> Reading`.
A module knows no other; `ingest.normalize` holds the one tuple that says which vocabulary wins.
"""
