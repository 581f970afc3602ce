"""Long text in two parts: what is shown at once, and what waits behind a fold. Pure."""

from dataclasses import dataclass

LINES = 20
# Text without line breaks folds by length: about twenty lines of it.
CHARACTERS = 2_400
# Past this a page would take seconds to draw; the API has the rest.
MAX_CHARACTERS = 500_000


@dataclass(frozen=True, slots=True)
class Folded:
    head: str
    rest: str
    more: str  # what the fold says it holds
    cut: int  # characters that are not on the page at all


def fold(text: str) -> Folded:
    shown = text[:MAX_CHARACTERS]
    at = _fold_at(shown)
    rest = shown[at:]
    return Folded(shown[:at].rstrip("\n") if rest else shown, rest, _more(rest), len(text) - len(shown))


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


def _more(rest: str) -> str:
    lines = rest.count("\n") + 1
    return f"{lines:,} more lines" if lines > 1 else f"{len(rest):,} more characters"
