"""Attribute vocabularies, one file each: recognise a span's dialect, then read it into a `Reading`.

Each module has `NAME: str`, `recognise(record: OtlpSpan, prefixes: frozenset[str]) -> bool` (there is something to
read), `is_dialect` of the same signature (the span carries its mark) and `read(record: OtlpSpan) -> Reading`.
`prefixes` holds what stands before the first dot of each attribute's name.
A module knows no other; `ingest.normalize` holds the tuples that say which vocabulary wins.
"""
