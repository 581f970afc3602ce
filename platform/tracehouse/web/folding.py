"""Long text in two parts: what is shown at once, and what waits behind a fold. Pure."""

from dataclasses import dataclass

LINES = 20
# Text without line breaks folds by length: about twenty lines of it.
CHARACTERS = 2_400
# Past this a page would take seconds to draw.
MAX_CHARACTERS = 500_000
# What a page is sent with of a text that can be asked for whole; the rest comes when somebody does.
FIRST_CHARACTERS = 20_000
# What is sent at once then: drawn without a pause that one would notice.
NEXT_CHARACTERS = 200_000


@dataclass(frozen=True, slots=True)
class Folded:
    head: str
    rest: str
    more: str  # what the fold says it holds
    cut: int  # characters that are not on the page at all

    @property
    def next(self) -> int:
        """Where they begin."""
        return FIRST_CHARACTERS


def fold(text: str, source: str = "") -> Folded:
    """`source` is the address of the whole text, where it has one."""
    shown = text[: FIRST_CHARACTERS if source else MAX_CHARACTERS]
    at = _fold_at(shown)
    rest = shown[at:]
    more = _more(text, at) if rest else ""
    return Folded(shown[:at].rstrip("\n") if rest else shown, rest, more, len(text) - len(shown))


def part(text: str, start: int) -> tuple[str, int]:
    """What follows from `start` on, and where the part after it begins (0 when nothing is left)."""
    end = start + NEXT_CHARACTERS
    return text[start:end], end if end < len(text) else 0


def _fold_at(text: str) -> int:
    position = 0
    for _ in range(LINES):
        position = text.find("\n", position) + 1
        if not position:
            position = len(text)
            break
    if position <= CHARACTERS + 400:
        # A fold that would hide only a line or two is worse than none.
        return len(text) if text.count("\n", position) < 2 and len(text) - position < 160 else position
    space = text.rfind(" ", CHARACTERS - 80, CHARACTERS)
    return space + 1 if space > 0 else CHARACTERS


def _more(text: str, at: int) -> str:
    lines = text.count("\n", at) + 1
    return f"{lines:,} more lines" if lines > 1 else f"{len(text) - at:,} more characters"
