"""A project's own patterns: checked when saved, compiled once, matched in linear time (Hyperscan). Pure.

`python -m ingest.patterns` compiles the pattern on its standard input, for `problem_with`: compiling is the one part
that can take long, so it runs in a process of its own that can be ended.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import hyperscan

from ingest.scanning import Patterns

MAX_LENGTH = 300
COMPILE_SECONDS = 3.0
# A text with more matches than this is replaced as a whole: that many are no values but all of it.
MAX_MATCHES = 5000
_FLAGS = hyperscan.HS_FLAG_SOM_LEFTMOST | hyperscan.HS_FLAG_UTF8
_WORDS = {
    "Pattern matches empty buffer; use HS_FLAG_ALLOWEMPTY to enable support.": "It matches the empty text, so it would"
    " match everywhere. Ask for at least one character: + instead of *.",
    "Pattern is too large.": "It is too large. Use smaller repeats such as {1,20}, or fewer alternatives.",
    "Bounded repeat is too large.": "A repeat in it is too large. Use a smaller one such as {1,20}.",
}


@dataclass(frozen=True, slots=True)
class Match:
    """Bytes [start, end) of the text match the pattern of that number."""

    start: int
    end: int
    pattern: int


class Matcher:
    """Patterns compiled together; one pass over a text whatever their number."""

    def __init__(self, expressions: Sequence[str]) -> None:
        encoded = [expression.encode() for expression in expressions]
        self._patterns = Patterns(encoded, [_FLAGS] * len(encoded))

    def find(self, text: bytes) -> list[Match]:
        """The matches in UTF-8 `text` by position, the longest at a place, none overlapping."""
        found: list[Match] = []

        def matched(number: int, start: int, end: int, flags: int, context: object) -> bool:
            found.append(Match(start, end, number))
            return len(found) > MAX_MATCHES

        try:
            self._patterns.scan(text, matched)
        except hyperscan.ScanTerminated:
            return [Match(0, len(text), found[0].pattern)]
        return list(_apart(found))


def _apart(matches: list[Match]) -> Iterator[Match]:
    matches.sort(key=lambda match: (match.start, -match.end, match.pattern))
    end = 0
    for match in matches:
        if match.start >= end:
            yield match
            end = match.end


@lru_cache(maxsize=256)
def matcher(expressions: tuple[str, ...]) -> Matcher:
    """The patterns compiled, kept for as long as they are used."""
    return Matcher(expressions)


def whole(expression: str) -> str:
    """The pattern that matches a text only as a whole."""
    return f"^(?:{expression})$"


def problem_with(expression: str) -> str:
    """Why the pattern cannot be used, as a sentence to its author; "" when it can."""
    if len(expression) > MAX_LENGTH:
        return f"It is longer than {MAX_LENGTH} characters."
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ingest.patterns"],
            input=expression.encode(),
            capture_output=True,
            timeout=COMPILE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"It takes longer than {COMPILE_SECONDS:.0f} seconds to compile. Use smaller repeats."
    if done.returncode == 0:
        return ""
    reason = done.stdout.decode().strip() or "It cannot be compiled."
    return _WORDS.get(reason, reason)


def _compile_input() -> int:
    try:
        Matcher([sys.stdin.buffer.read().decode()])
    except hyperscan.error as error:
        sys.stdout.write(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_compile_input())
