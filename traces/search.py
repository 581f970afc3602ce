"""What somebody typed into the search, as terms: words, phrases and parts of words. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum

# A word is what the store's text index calls one: letters and digits, and everything beyond ASCII.
_WORD = re.compile(r"[0-9A-Za-z\u0080-\U0010ffff]+")
_QUOTED_OR_PLAIN = re.compile(r'"([^"]+)"|(\S+)')
# Scripts that put no blanks between words (Thai to Khmer, Chinese, Japanese, Korean), their forms of other widths, and
# symbols and emoji, which stand right beside words: a word with one of them is a part.
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2190-\u2bff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
    r"\U0001f000-\U0001faff\U00020000-\U0003ffff]"
)
# Structured content is stored as JSON, where a line's end and a tab are two characters.
# Plain text is treated alike: the t of C:\temp is no letter of a word, neither in the index nor in what is typed.
_ESCAPED_BLANK = re.compile(r"\\[nt]")
# What to tell somebody whose text has no term.
NOTHING_TO_FIND = "Write a word, or beside the * a part of one: timeo*."


class Kind(StrEnum):
    WORD = "word"  # a whole word
    PHRASE = "phrase"  # words that follow each other, whatever stands between them but letters and digits
    PART = "part"  # characters anywhere, within words too


@dataclass(frozen=True, slots=True)
class Term:
    kind: Kind
    text: str

    @property
    def longest_word(self) -> str:
        """Of the words in the text the longest, "" without any: what a look-up of a part begins with."""
        return max(_WORD.findall(self.text), key=len, default="")


def terms(typed: str) -> tuple[Term, ...]:
    """Each once, in the order typed: words in double quotes are a phrase, a `*` at an end asks for a part."""
    found = (_term(quoted, plain) for quoted, plain in _QUOTED_OR_PLAIN.findall(typed))
    return tuple(dict.fromkeys(term for term in found if term.text.strip()))


def _term(quoted: str, plain: str) -> Term:
    text = _ESCAPED_BLANK.sub(" ", quoted or plain)
    if not quoted and text != (bare := text.strip("*")):
        return Term(Kind.PART, bare)
    words = _WORD.findall(text)
    if not words or _UNSPACED.search(text):
        return Term(Kind.PART, text)
    return Term(Kind.PHRASE, text) if len(words) > 1 else Term(Kind.WORD, words[0])
