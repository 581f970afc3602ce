"""Attribute vocabularies, one file each: recognise a span's dialect, then read it into a `Reading`.

Each module has `NAME: str`, `recognise(record: OtlpSpan, prefixes: frozenset[str]) -> bool` and
`read(record: OtlpSpan) -> Reading`. `prefixes` holds what stands before the first dot of each attribute's name.
A module knows no other; `ingest.normalize` holds the one tuple that says which vocabulary wins.
"""
