"""Credentials by the names they are given: password=..., "x-api-key": ["..."]."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.detectors.edges import after
from ingest.detectors.hit import Detector, Hit, Hits, Trigger

# What may stand between a name and its sign, and between that and the value. A line may end there.
_TO_SIGN = rb"(?:\x5c[nrt]|[\x5c\x22' \]*`\n\r\t])*"
_GAP = rb"(?:\x5c+(?:[nrtbf]|u[0-9a-fA-F]{4})|[ `*\n\r\t])*"
_TO_VALUE = re.compile(
    rb"(?:\x5c*[\x22']:|>)?" + _GAP + rb"(?P<list>\[" + _GAP + rb"(?=\x5c*[\x22']))?"
    rb"(?:(?P<depth>\x5c*)(?P<quote>[\x22']))?" + _GAP
)
_NEXT_ITEM = re.compile(rb"\x5c*[\x22'],[ ]?\x5c*[\x22']")
_LINE_ENDS = re.compile(rb"\x5c[nr]|[\n\r]")
_BACKSLASHES = re.compile(rb"\x5c+")
_PIECES = {
    b'"': re.compile(rb"[^\x22\x5c\x00-\x20]+"),
    b"'": re.compile(rb"[^\x22'\x5c\x00-\x20]+"),
    b"": re.compile(rb"[^\x22'\x5c\x00-\x20,;&<>(){}\[\]|`]+"),
}
_LEAST, _MOST, _MOST_ITEMS = 6, 200, 50
PLACEHOLDER = re.compile(rb"[*x.#]+\Z|[<${%\[]|redacted|hidden|changeme|your|arn:|projects/", re.IGNORECASE)
# Where a value is an ordinary word: schemas, forms and their complaints say these of a password, and names of it.
_NOT_A_PASSWORD = re.compile(
    rb"(?:required|optional|invalid|incorrect|mismatch|mandatory|disabled|undefined|unchanged|forgotten|encrypted|"
    rb"protected|textfield|plaintext|[/~.]|.*(?:passw|pwd|secret|string|hash)).*\Z",
    re.IGNORECASE,
)
_LEAST_WORD = 8
# `user=ann&password=`: form data, where everything up to the next `&` is the value.
_IN_FORM = re.compile(rb"[?&][a-z_.-]{0,40}[:=>]\Z", re.IGNORECASE)
# On the line after a name without a value: the next field, `DB_HOST=db1` or `Phone:`.
_NEXT_FIELD = re.compile(rb"[A-Za-z_][A-Za-z0-9_.-]*(?::\Z|=(?!=*\Z))|[A-Z][A-Z0-9_]*=\Z|[a-z]+://")
_AFTER_STRING = frozenset({b",", b":", b"]", b"}"})
_AFTER_LINE = frozenset({b"\\", b'"', b"'", b"`", b"*", b"\n", b"\r", b""})
_QUANTITY = re.compile(rb"[+-]?[0-9][0-9.,:]*(?:e[+-]?[0-9]+)?[a-z%]{0,3}\Z", re.IGNORECASE)
_LETTER = re.compile(rb"[A-Za-z]")


@dataclass(frozen=True, slots=True)
class _Value:
    """What a name is given: the pieces between the escapes in it, and all of them together."""

    spans: tuple[tuple[int, int], ...]
    text: bytes
    is_quoted: bool = False
    is_on_next_line: bool = False

    @property
    def hits(self) -> Hits:
        canonical = self.text.decode(errors="replace")
        return tuple(
            Hit(start, end, Detector.SECRET, canonical, continues=number > 0)
            for number, (start, end) in enumerate(self.spans)
        )


def _values(text: bytes, at: int) -> Iterator[_Value]:
    """What stands after a sign: one value, or those of a list of strings."""
    glue = _TO_VALUE.match(text, at)
    if glue is None:
        return
    start, quote = glue.end(), glue["quote"] or b""
    if quote and text[start : start + 1] in _AFTER_STRING:  # that quote ended the text that the name is in
        return
    on_next_line = _LINE_ENDS.search(text, at, start) is not None
    for _ in range(_MOST_ITEMS):
        spans = _spans(text, start, quote, len(glue["depth"] or b""))
        value = _Value(spans, b"".join(text[first:last] for first, last in spans), bool(quote), on_next_line)
        end = spans[-1][1] if spans else start
        if len(value.text) >= _LEAST and not (quote and after(text, end) == 0x20):  # no sentence
            yield value
        item = _NEXT_ITEM.match(text, end) if glue["list"] else None
        if item is None:
            return
        start = item.end()


def _spans(text: bytes, start: int, quote: bytes, depth: int) -> tuple[tuple[int, int], ...]:
    """The pieces of the value at `start`, whose opening quote has `depth` backslashes before it."""
    spans: list[tuple[int, int]] = []
    position, piece = start, _PIECES[quote]
    while position - start < _MOST:
        match = piece.match(text, position, start + _MOST)
        if match:
            spans.append(match.span())
            position = match.end()
        run = _BACKSLASHES.match(text, position)
        goes_on = run is not None and _goes_on(text, run, quote, depth)
        if run is None or not goes_on:
            break
        position = run.end() + text.startswith(b'"', run.end())
    return tuple(spans)


def _goes_on(text: bytes, run: re.Match[bytes], quote: bytes, depth: int) -> bool:
    """Whether the backslashes are part of the value: they are in it, or make a quote part of it."""
    follows = text[run.end() : run.end() + 1]
    count = run.end() - run.start()
    if quote == b'"':
        in_pairs = 2 * (depth + 1)  # how the value's own backslash is written
        return count % in_pairs != depth if follows == b'"' else count >= in_pairs
    return count > 1 and follows not in {b'"', b"'", b"n", b"r", b"t", b"u", b""}


def _stands(text: bytes, value: _Value) -> bool:
    """Whether a value on the line after its name is one: no next field, no sentence."""
    if not value.is_on_next_line:
        return True
    if _NEXT_FIELD.match(value.text) or value.text[-1:] in b":.,)":
        return False
    is_line = text[value.spans[-1][1] : value.spans[-1][1] + 1] in _AFTER_LINE
    return is_line or _has_letter_and_digit(value.text)


def _is_made_up(value: bytes) -> bool:
    without_digits = value.translate(None, b"0123456789")
    return bool(without_digits) and without_digits != value and not PLACEHOLDER.match(value)


def _has_letter_and_digit(value: bytes) -> bool:
    return _is_made_up(value) and _LETTER.search(value) is not None


def _assigned(text: bytes, at: int, regions: tuple[str, ...]) -> Hits:
    """api_key=..., "client_secret": "...": a value with digits among other characters; the rest is prose or code."""
    return tuple(
        hit
        for value in _values(text, at)
        if _is_made_up(value.text) and _stands(text, value)
        for hit in value.hits
    )


def _password(text: bytes, at: int, regions: tuple[str, ...]) -> Hits:
    """password=..., "pwd": "...": people choose digits alone, and words."""
    return tuple(hit for value in _values(text, at) if _is_password(text, at, value) for hit in value.hits)


def _is_password(text: bytes, at: int, value: _Value) -> bool:
    """A word counts where nothing but a value can stand: in quotes, and in form data."""
    if PLACEHOLDER.match(value.text) or not _stands(text, value):
        return False
    if value.text.isdigit() or _is_made_up(value.text):
        return True
    is_value = value.is_quoted or _IN_FORM.search(text, max(0, at - 60), at) is not None
    return is_value and len(value.text) >= _LEAST_WORD and not _NOT_A_PASSWORD.match(value.text)


def _pass(text: bytes, at: int, regions: tuple[str, ...]) -> Hits:
    """SMTP_PASS=...: `pass` has other meanings too, and counts with them."""
    return tuple(
        hit
        for value in _values(text, at)
        if _has_letter_and_digit(value.text) and not _QUANTITY.match(value.text) and _stands(text, value)
        for hit in value.hits
    )


def _token_or_secret(text: bytes, at: int, regions: tuple[str, ...]) -> Hits:
    """Names that end in token or secret: session_token, X-Amz-Security-Token, appSecret."""
    values = [
        value
        for value in _values(text, at)
        if _has_letter_and_digit(value.text)
        and not _QUANTITY.match(value.text)
        and not _REFERENCE.match(value.text)
        and _stands(text, value)
    ]
    least = _least(text, at) if values else 0
    return tuple(hit for value in values if len(value.text) >= least for hit in value.hits)


def _least(text: bytes, at: int) -> int:
    """How long a credential of the name before `at` is at least."""
    named = _ENDS_IN.search(text, max(0, at - 80), at)
    if named is None or _NO_CREDENTIAL.search(named["before"]) or text[named.start() - 1] == _COLON:
        return _MOST + 1
    return _LEAST if named["before"].strip(b"-_.") else _LEAST_BARE[named["what"].lower()]


def _cookies(text: bytes, at: int, regions: tuple[str, ...]) -> Hits:
    """Cookie: theme=dark; sid=...: the values that could let somebody in."""
    glue = _TO_VALUE.match(text, at)
    if glue is None:
        return ()
    start = glue.end()
    ends = (_COOKIE_LIST_ENDS if glue["list"] else _COOKIES_END).search(text, start, start + _MOST_COOKIES)
    end = ends.start() if ends else start + _MOST_COOKIES
    return tuple(
        Hit(*pair.span("value"), Detector.SECRET, pair["value"].decode(errors="replace"))
        for pair in _COOKIE.finditer(text, start, end)
        if _lets_in(pair["name"], pair["value"])
    )


def _lets_in(name: bytes, value: bytes) -> bool:
    least = _LEAST if _SESSION.search(name) else _LEAST_COOKIE
    return len(value) >= least and _has_letter_and_digit(value)


def _authorization(text: bytes, at: int, regions: tuple[str, ...]) -> Hits:
    """Authorization: Token ..., ApiKey ..., or the credential alone. Bearer and Basic are told wherever they stand."""
    glue = _TO_VALUE.match(text, at)
    match = _CREDENTIAL.match(text, glue.end()) if glue else None
    if match is None or not _has_letter_and_digit(match["value"]):
        return ()
    if len(match["value"]) < (_LEAST_CREDENTIAL if match["scheme"] else _LEAST_BARE[b"token"]):
        return ()
    return (Hit(*match.span("value"), Detector.SECRET, match["value"].decode()),)


_PASSWORDS = rb"(?:passwo?r?d|passwd|pwd|passphrase)"
_NAMES = (
    rb"(?:(?:api|access|secret|account|signing|subscription|encryption|master|service|functions|auth|app|openai)"
    rb"[_-]?key|service[_-]role[_-]key)"
)
_ENDS_IN = re.compile(
    rb"(?:\x5c+(?:u[0-9a-f]{4}|[nrtbf]))?(?P<before>[a-z0-9_.-]{0,48})(?P<what>token|secret)"
    + _TO_SIGN
    + rb"[:=>]\Z",
    re.IGNORECASE,
)
# next_page_token, eos_token, time_to_first_token, price_per_token: places in a list, parts of text, measures.
_NO_CREDENTIAL_WORDS = (
    b"page nextpage next prev previous continuation continue cursor sync delta resume skip stop start end eos bos pad"
    b" unk mask sep cls special image audio last first max min num per input output prompt completion reasoning cached"
    b" total thinking batch"
).split()
_NO_CREDENTIAL = re.compile(
    rb"(?:(?i:(?:\A|[-_.])(?:%s))|%s)[-_.]?\Z"
    % (b"|".join(_NO_CREDENTIAL_WORDS), b"|".join(word.capitalize() for word in _NO_CREDENTIAL_WORDS))
)
# Where a secret is kept is none.
_REFERENCE = re.compile(
    rb"[a-z]+(?:[-_./][a-z0-9]+)+\Z|[/.]|(?i:[a-z]+://|(?:arn|vault|env|op|ssm|secrets?):)"
)
_COLON = 0x3A  # arn:aws:secretsmanager:...:secret:name
_LEAST_BARE = {b"token": 16, b"secret": 8}
_COOKIE = re.compile(rb"(?P<name>[A-Za-z0-9_.-]{1,80})=(?P<value>[^;,\s\x22'\x5c]{6,})")
_COOKIES = rb"cookies?" + _TO_SIGN + rb"[:=]"
_COOKIES_END = re.compile(rb"[\x22'\n\r]|\x5c[nr]|" + _COOKIES, re.IGNORECASE)
_COOKIE_LIST_ENDS = re.compile(rb"\]|" + _COOKIES, re.IGNORECASE)
_SESSION = re.compile(rb"sess|sid|auth|token|csrf|xsrf|login|remember|jwt|key", re.IGNORECASE)
_LEAST_COOKIE, _MOST_COOKIES = 16, 4096
_CREDENTIAL = re.compile(
    rb"(?P<scheme>[A-Za-z][A-Za-z0-9_-]{1,20} +(?:token=\x5c*[\x22']?)?)?(?P<value>[A-Za-z0-9._~+/=-]{8,})"
)
_LEAST_CREDENTIAL = 8


def _named(names: bytes, signs: bytes) -> bytes:
    return names + _TO_SIGN + signs


TRIGGERS = (
    Trigger(_named(_PASSWORDS, rb"[:=>]"), Detector.SECRET, _password, caseless=True),
    Trigger(_named(rb"(?:[^a-z]|\x5c[nrt])pass", rb"[:=]"), Detector.SECRET, _pass, caseless=True),
    Trigger(_named(_NAMES, rb"[:=>]"), Detector.SECRET, _assigned, caseless=True),
    Trigger(_named(rb"(?:token|secret)", rb"[:=>]"), Detector.SECRET, _token_or_secret, caseless=True),
    Trigger(_COOKIES, Detector.SECRET, _cookies, caseless=True),
    Trigger(_named(rb"authorization", rb"[:=]"), Detector.SECRET, _authorization, caseless=True),
)
