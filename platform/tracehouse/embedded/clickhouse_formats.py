"""Which output formats can be sent block by block, and how to drop the head that each block repeats.

chDB formats every block of a streamed result as if it were a whole answer. Row formats without a head join
up as they are; those with a line or two of names need the repeats removed; documents (JSON, Parquet, Arrow)
cannot be joined and are answered in one piece.
"""

from collections.abc import Callable, Iterator, Mapping


def _no_head(_block: bytes) -> int:
    return 0


def _lines(count: int) -> Callable[[bytes], int]:
    """Length of the first lines; a newline within double quotes, as CSV has it, does not end a line."""

    def length(block: bytes) -> int:
        position, left = 0, count
        while left:
            position = block.index(b"\n", position) + 1
            left -= block.count(b'"', 0, position) % 2 == 0
        return position

    return length


def _plain_lines(count: int) -> Callable[[bytes], int]:
    def length(block: bytes) -> int:
        position = 0
        for _ in range(count):
            position = block.index(b"\n", position) + 1
        return position

    return length


def _binary_strings(per_column: int) -> Callable[[bytes], int]:
    """Length of RowBinary's head: the number of columns, then one or two strings for each."""

    def length(block: bytes) -> int:
        columns, position = _varint(block, 0)
        for _ in range(columns * per_column):
            size, position = _varint(block, position)
            position += size
        return position

    return length


def _varint(block: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = block[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7


STREAMED: Mapping[str, Callable[[bytes], int]] = {
    **dict.fromkeys(
        [
            "Native",
            "RowBinary",
            "JSONEachRow",
            "JSONLines",
            "NDJSON",
            "JSONCompactEachRow",
            "JSONStringsEachRow",
            "LineAsString",
            "CSV",
            "TSV",
            "TabSeparated",
            "TSVRaw",
            "TabSeparatedRaw",
        ],
        _no_head,
    ),
    **dict.fromkeys(["TSVWithNames", "TabSeparatedWithNames"], _plain_lines(1)),
    **dict.fromkeys(["TSVWithNamesAndTypes", "TabSeparatedWithNamesAndTypes"], _plain_lines(2)),
    "CSVWithNames": _lines(1),
    "CSVWithNamesAndTypes": _lines(2),
    "RowBinaryWithNames": _binary_strings(1),
    "RowBinaryWithNamesAndTypes": _binary_strings(2),
}


def has_head(form: str) -> bool:
    """Whether an answer without rows is not empty in this streamable format."""
    return STREAMED[form] is not _no_head


def without_repeated_head(form: str, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Joins blocks of a streamable format; closing it closes `blocks`."""
    head_of, head = STREAMED[form], None
    for block in blocks:
        if head is None:
            head = head_of(block)
            yield block
        else:
            yield block[head:] if head else block
