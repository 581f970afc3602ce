"""What changed between two texts, word by word. Pure, and bounded: what differs too much is shown as replaced."""

import re
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import TypeAlias, TypeVar

# More edits than this between two sequences, and they are told as one replaced by the other.
MAX_EDITS = 600
# Text that is the same on both sides is shown this far around a change.
CONTEXT = 160
# Values up to this length are read side by side; of longer ones, so many characters are compared.
LONG_VALUE, MAX_VALUE = 160, 10_000
# A piece that is longer is cut where it is shown, with a note of how much is missing.
MAX_PIECE = 2_000

_WORD = re.compile(r"\w+|\s+|[^\w\s]")
# From where in the one, from where in the other, how long: a stretch that both have.
Run: TypeAlias = tuple[int, int, int]
_T = TypeVar("_T", bound=Hashable)


class Change(StrEnum):
    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"
    LEFT_OUT = "left out"  # the same on both sides, and far from any change


@dataclass(frozen=True, slots=True)
class Piece:
    change: Change
    text: str


Words: TypeAlias = tuple[Change, str, int]


def diff(before: str, after: str) -> list[Piece]:
    """All of both texts in pieces: those that are not ADDED make `before`, those that are not REMOVED make `after`."""
    pieces: list[Piece] = []
    for same, old, new in blocks(before.splitlines(keepends=True), after.splitlines(keepends=True)):
        pieces += _pieces(same, "", "")
        pieces += _words("".join(old), "".join(new)) if old and new else _pieces([], old, new)
    return _joined(pieces)


def diff_far(before: str, after: str, most: int) -> tuple[list[Piece], int]:
    """The same of texts of any length, and how many characters are not compared.

    What both begin and end with costs nothing; of what is between, up to `most` characters are looked at.
    """
    if max(len(before), len(after)) <= most:
        return diff(before, after), 0
    shorter = min(len(before), len(after))
    head = _equal_up_to(shorter, lambda length: before[:length] == after[:length])
    head = max(before.rfind(" ", 0, head), before.rfind("\n", 0, head), 0)
    tail = _equal_up_to(
        shorter - head, lambda length: before[len(before) - length :] == after[len(after) - length :]
    )
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    left = max(len(old), len(new)) - most
    end = before[len(before) - tail :] if left <= 0 else ""
    pieces = [*_pieces([before[:head]], [], []), *diff(old[:most], new[:most]), *_pieces([end], [], [])]
    return _joined(pieces), max(left, 0)


def words_of(before: str, after: str) -> list[Words]:
    """What differs between two values, where they are too long to be seen side by side; else nothing."""
    if not before or not after or before == after or max(len(before), len(after)) <= LONG_VALUE:
        return []
    return as_words(diff_far(before, after, MAX_VALUE)[0])


def _equal_up_to(most: int, is_equal: Callable[[int], bool]) -> int:
    """The greatest length of which it holds, where it holds of every shorter one."""
    return bisect_left(range(1, most + 1), True, key=lambda length: not is_equal(length))


def is_same(pieces: Iterable[Piece]) -> bool:
    return all(piece.change in (Change.SAME, Change.LEFT_OUT) for piece in pieces)


def shortened(pieces: Sequence[Piece], context: int = CONTEXT) -> list[Piece]:
    """The pieces with long same stretches cut down to what stands near a change."""
    last = len(pieces) - 1
    return [
        part
        for place, piece in enumerate(pieces)
        for part in _cut(piece, context if place else 0, context if place < last else 0)
    ]


def as_words(pieces: Sequence[Piece]) -> list[Words]:
    """The shortened pieces as they are shown: (change, text, characters left out after it)."""
    return [_as_words(piece) for piece in shortened(pieces)]


def _as_words(piece: Piece) -> Words:
    if piece.change is Change.LEFT_OUT:
        return piece.change, "", len(piece.text)
    return piece.change, piece.text[:MAX_PIECE], max(len(piece.text) - MAX_PIECE, 0)


def _cut(piece: Piece, head: int, tail: int) -> Iterator[Piece]:
    text = piece.text
    # A gap that hides less than it takes to announce it is no gain.
    if piece.change is not Change.SAME or len(text) <= head + tail + CONTEXT:
        yield piece
        return
    if head:
        yield Piece(Change.SAME, text[:head])
    yield Piece(Change.LEFT_OUT, text[head : len(text) - tail])
    if tail:
        yield Piece(Change.SAME, text[len(text) - tail :])


def _words(before: str, after: str) -> list[Piece]:
    pieces: list[Piece] = []
    for same, old, new in blocks(_WORD.findall(before), _WORD.findall(after)):
        pieces += _pieces(same, old, new)
    return list(_calmed(pieces))


def _calmed(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Blanks and signs between two changes belong to the change: single kept signs make it hard to read."""
    for place, piece in enumerate(pieces):
        lone = (
            piece.change is Change.SAME and not any(map(str.isalnum, piece.text)) and "\n" not in piece.text
        )
        if lone and 0 < place < len(pieces) - 1:
            yield Piece(Change.REMOVED, piece.text)
            yield Piece(Change.ADDED, piece.text)
        else:
            yield piece


def _pieces(same: Iterable[str], old: Iterable[str], new: Iterable[str]) -> list[Piece]:
    told = ((Change.SAME, same), (Change.REMOVED, old), (Change.ADDED, new))
    return [Piece(change, text) for change, parts in told if (text := "".join(parts))]


def _joined(pieces: Iterable[Piece]) -> list[Piece]:
    """Between two same pieces at most one removed and one added, in this order."""
    found: list[Piece] = []
    for is_kept, group in groupby(pieces, lambda piece: piece.change is Change.SAME):
        part = list(group)
        texts = {change: "".join(p.text for p in part if p.change is change) for change in Change}
        if is_kept:
            found += _pieces([texts[Change.SAME]], [], [])
        else:
            found += _pieces([], [texts[Change.REMOVED]], [texts[Change.ADDED]])
    return found


def blocks(
    before: Sequence[_T], after: Sequence[_T]
) -> Iterator[tuple[Sequence[_T], Sequence[_T], Sequence[_T]]]:
    """(what both have, what only the first has then, what only the second has then), from start to end."""
    runs = common_runs(before, after, MAX_EDITS)
    ends = [*((old, new) for old, new, _ in runs[1:]), (len(before), len(after))]
    for (old, new, length), (old_end, new_end) in zip(runs, ends, strict=True):
        yield before[old : old + length], before[old + length : old_end], after[new + length : new_end]


def common_runs(before: Sequence[Hashable], after: Sequence[Hashable], max_edits: int) -> list[Run]:
    """Stretches that both have, in order: the first begins both and the last ends both, and may be empty.

    Between these two there are none when the two sequences are more than `max_edits` apart.
    """
    shorter = min(len(before), len(after))
    head = next((at for at in range(shorter) if before[at] != after[at]), shorter)
    rest = shorter - head
    tail = next((at for at in range(rest) if before[-1 - at] != after[-1 - at]), rest)
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    middle = [(head + x, head + y, length) for x, y, length in _longest_common(old, new, max_edits)]
    return [(0, 0, head), *middle, (len(before) - tail, len(after) - tail, tail)]


def _longest_common(before: Sequence[Hashable], after: Sequence[Hashable], max_edits: int) -> list[Run]:
    """Myers' greedy algorithm (1986): as few edits as possible."""
    furthest = {1: 0}
    history: list[dict[int, int]] = []
    for edits in range(min(max_edits, len(before) + len(after)) + 1):
        history.append(dict(furthest))
        for diagonal in range(-edits, edits + 1, 2):
            x = _stepped(furthest, diagonal, edits)
            y = x - diagonal
            while x < len(before) and y < len(after) and before[x] == after[y]:
                x, y = x + 1, y + 1
            furthest[diagonal] = x
            if x >= len(before) and y >= len(after):
                return _walked_back(history, x, y)
    return []


def _stepped(furthest: dict[int, int], diagonal: int, edits: int) -> int:
    """How far the first sequence is read on a diagonal, one edit after the furthest of its neighbours."""
    down = diagonal == -edits or (diagonal != edits and furthest[diagonal - 1] < furthest[diagonal + 1])
    return furthest[diagonal + 1] if down else furthest[diagonal - 1] + 1


def _walked_back(history: Sequence[dict[int, int]], x: int, y: int) -> list[Run]:
    runs: list[Run] = []
    for edits in range(len(history) - 1, -1, -1):
        furthest, diagonal = history[edits], x - y
        start = _stepped(furthest, diagonal, edits)
        if x > start:
            runs.append((start, start - diagonal, x - start))
        down = start == furthest.get(diagonal + 1) and (
            diagonal == -edits or (diagonal != edits and furthest[diagonal - 1] < furthest[diagonal + 1])
        )
        x, y = (start, start - diagonal - 1) if down else (start - 1, start - diagonal)
    return runs[::-1]
