"""API keys, tokens, passwords and private keys, by the formats of their makers or by the names they are given."""

import base64
import binascii
import re
from dataclasses import dataclass

import msgspec

from ingest.detectors.edges import WORD, after, before
from ingest.detectors.hit import Detector, Hit, Hits, Trigger

_BASE64URL = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"


@dataclass(frozen=True, slots=True)
class _Format:
    """Keys that begin with one of the prefixes, followed by at least so many of the characters. Case counts."""

    prefixes: str
    characters: bytes
    least: int

    def triggers(self) -> list[Trigger]:
        return [self._trigger(prefix.encode()) for prefix in self.prefixes.split()]

    def _trigger(self, prefix: bytes) -> Trigger:
        shape = re.compile(re.escape(prefix) + self.characters + rb"{%d,}" % self.least)

        def check(text: bytes, start: int, regions: tuple[str, ...]) -> Hits:
            match = shape.match(text, start)
            if match is None or before(text, start) in WORD or after(text, match.end()) in WORD:
                return ()
            return _secret(text, start, match.end()) if _looks_random(match[0]) else ()

        pattern = re.escape(prefix) + self.characters + rb"{8}"
        return Trigger(pattern, Detector.SECRET, check, back=len(prefix) + 8)


_FORMATS = (
    _Format("sk-", rb"[A-Za-z0-9_-]", 20),  # OpenAI, Anthropic, OpenRouter, Langfuse, this platform
    _Format("ghp_ gho_ ghu_ ghs_ ghr_", rb"[A-Za-z0-9]", 30),  # GitHub
    _Format("github_pat_", rb"[A-Za-z0-9_]", 22),
    _Format("glpat- gldt- glrt- glft- glptt- glagent- glsoat-", rb"[A-Za-z0-9_.-]", 20),  # GitLab
    _Format("xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs- xapp-", rb"[A-Za-z0-9-]", 16),  # Slack
    _Format("sk_live_ sk_test_ rk_live_ rk_test_", rb"[A-Za-z0-9]", 16),  # Stripe
    _Format("whsec_", rb"[A-Za-z0-9+/=]", 24),
    _Format("AIza", rb"[A-Za-z0-9_-]", 35),  # Google
    _Format("GOCSPX- ya29.", rb"[A-Za-z0-9_.-]", 20),
    _Format("npm_", rb"[A-Za-z0-9]", 36),
    _Format("pypi-AgE", rb"[A-Za-z0-9_-]", 50),
    _Format("SK", rb"[0-9a-f]", 32),  # Twilio
    _Format("SG.", rb"[A-Za-z0-9_.-]", 60),  # SendGrid
    _Format("hf_", rb"[A-Za-z0-9]", 30),  # Hugging Face
    _Format("gsk_", rb"[A-Za-z0-9]", 40),  # Groq
    _Format("xai-", rb"[A-Za-z0-9]", 60),
    _Format("pplx-", rb"[A-Za-z0-9]", 40),  # Perplexity
    _Format("r8_", rb"[A-Za-z0-9]", 37),  # Replicate
    _Format("lsv2_pt_ lsv2_sk_", rb"[a-z0-9_]", 36),  # LangSmith
    _Format("nvapi-", rb"[A-Za-z0-9_-]", 50),
    _Format("tvly-", rb"[A-Za-z0-9-]", 28),  # Tavily
    _Format("pcsk_", rb"[A-Za-z0-9_]", 40),  # Pinecone
    _Format("dop_v1_", rb"[a-f0-9]", 60),  # DigitalOcean
    _Format("shpat_ shpca_ shppa_ shpss_", rb"[a-fA-F0-9]", 32),  # Shopify
    _Format("lin_api_ ntn_", rb"[A-Za-z0-9]", 32),  # Linear, Notion
)

_RUN = re.compile(rb"[A-Za-z0-9]{12}")
_AWS_SECRET = re.compile(rb"(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])")
_WEBHOOK = re.compile(rb"[A-Z0-9]+/[A-Z0-9]+/[A-Za-z0-9]{16,}")
_BEARER = re.compile(rb"[A-Za-z0-9._~+/=-]{16,}")
_BASIC = re.compile(rb"[A-Za-z0-9+/_-]{8,}={0,2}")
_JWT = re.compile(rb"eyJ[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){2,4}")
_QUOTES = rb"[\x5c\x22' ]{0,6}"
_ASSIGNED = re.compile(_QUOTES)
_QUOTED_VALUE = re.compile(rb"[^\x22'\x5c\x00-\x20]{6,200}")
_BARE_VALUE = re.compile(rb"[^\x22'\x5c\x00-\x20,;&<>(){}\[\]|`]{6,200}")
_PLACEHOLDER = re.compile(rb"[*x.#]+\Z|[<${%\[]|redacted|hidden|changeme|your", re.IGNORECASE)
# Where a value is an ordinary word: schemas, forms and their complaints say these of a password, and names of it.
_NOT_A_PASSWORD = re.compile(
    rb"(?:required|optional|invalid|incorrect|mismatch|mandatory|disabled|undefined|unchanged|forgotten|encrypted|"
    rb"protected|textfield|plaintext|[/~.]|.*(?:passw|pwd|secret|string|hash)).*\Z",
    re.IGNORECASE,
)
_LEAST_WORD = 8
# `user=ann&password=`: form data, where everything up to the next `&` is the value.
_IN_FORM = re.compile(rb"[?&][a-z_.-]{0,40}[:=>]\Z", re.IGNORECASE)
_PEM_END = b"-----END"
_PEM_MOST = 16_384
# Whole lines of base64; an escape is consumed first, so that its letter is no part of one.
_PEM_LINE = re.compile(rb"\x5c+(?:u[0-9a-fA-F]{4}|[a-z])|([A-Za-z0-9+/=]+)")


def _secret(text: bytes, start: int, end: int) -> Hits:
    return (Hit(start, end, Detector.SECRET, text[start:end].decode(errors="replace")),)


def _looks_random(key: bytes) -> bool:
    """Keys that share a prefix with words (sk-) have a run of letters and digits with both."""
    if not key.startswith(b"sk-"):
        return True
    return _RUN.search(key) is not None and key.translate(None, b"0123456789") != key


def _aws(text: bytes, start: int, regions: tuple[str, ...]) -> Hits:
    """An access key, and the secret half that stands within a line or two of it."""
    end = start + 20
    if before(text, start) in WORD or after(text, end) in WORD:
        return ()
    key = _secret(text, start, end)
    for match in _AWS_SECRET.finditer(text, max(0, start - 160), start + 220):
        if match[0].lower() != match[0] != match[0].upper():
            return key + _secret(text, match.start(), match.end())
    return key


def _webhook(text: bytes, start: int, regions: tuple[str, ...]) -> Hits:
    match = _WEBHOOK.match(text, start)
    return _secret(text, start, match.end()) if match else ()


def _authorization(text: bytes, start: int, regions: tuple[str, ...]) -> Hits:
    if text[start - 2 : start - 1] in {b"r", b"R"}:
        match = _BEARER.match(text, start)
        telling = match is not None and match[0].translate(None, b"0123456789") != match[0]
    else:
        match = _BASIC.match(text, start)
        telling = match is not None and _is_basic(match[0])
    return _secret(text, start, match.end()) if match and telling else ()


def _is_basic(credentials: bytes) -> bool:
    try:
        return b":" in base64.b64decode(credentials + b"=" * (-len(credentials) % 4), validate=True)
    except binascii.Error:
        return False


def _in_address(text: bytes, at: int, regions: tuple[str, ...]) -> Hits:
    """The password in scheme://user:password@host."""
    begins = text.rfind(b"://", max(0, at - 170), at) + 3
    colon = text.find(b":", begins, at)
    if begins < 3 or colon < 0 or colon + 1 == at or _PLACEHOLDER.match(text, colon + 1, at):
        return ()
    return _secret(text, colon + 1, at)


def _assigned(text: bytes, at: int, regions: tuple[str, ...]) -> Hits:
    """api_key=..., "client_secret": "...": a value with digits among other characters; the rest is prose or code."""
    value = _value(text, at)
    return _secret(text, *value.span()) if value and _is_made_up(value[0]) else ()


def _assigned_token(text: bytes, at: int, regions: tuple[str, ...]) -> Hits:
    value = _value(text, at)
    return _secret(text, *value.span()) if value and len(value[0]) >= 20 and _is_made_up(value[0]) else ()


def _password(text: bytes, at: int, regions: tuple[str, ...]) -> Hits:
    """password=..., "pwd": "...": people choose digits alone, and words. A word counts where nothing but a value can
    stand: in quotes, and in form data."""
    value = _value(text, at)
    if value is None or _PLACEHOLDER.match(value[0]):
        return ()
    is_value = text[value.start() - 1] in b"\"'" or _IN_FORM.search(text, max(0, at - 60), at) is not None
    is_word = is_value and len(value[0]) >= _LEAST_WORD and not _NOT_A_PASSWORD.match(value[0])
    told = is_word or value[0].isdigit() or _is_made_up(value[0])
    return _secret(text, *value.span()) if told else ()


def _value(text: bytes, at: int) -> re.Match[bytes] | None:
    skipped = _ASSIGNED.match(text, at)
    start = skipped.end() if skipped else at
    quoted = text[start - 1 : start] in {b'"', b"'"}
    match = (_QUOTED_VALUE if quoted else _BARE_VALUE).match(text, start)
    is_sentence = match is not None and quoted and after(text, match.end()) == 0x20
    return None if is_sentence else match


def _is_made_up(value: bytes) -> bool:
    without_digits = value.translate(None, b"0123456789")
    return bool(without_digits) and without_digits != value and not _PLACEHOLDER.match(value)


def _private_key(text: bytes, start: int, regions: tuple[str, ...]) -> Hits:
    """Each line of a PEM block's body: one value in several pieces, so that escapes between them stay."""
    end = text.find(_PEM_END, start, start + _PEM_MOST)
    end = end if end >= 0 else min(len(text), start + _PEM_MOST)
    lines = [match.span(1) for match in _PEM_LINE.finditer(text, start, end) if match[1]]
    canonical = b"".join(text[first:last] for first, last in lines).decode()
    return tuple(
        Hit(first, last, Detector.SECRET, canonical, continues=number > 0)
        for number, (first, last) in enumerate(lines)
    )


def _jwt(text: bytes, dot: int, regions: tuple[str, ...]) -> Hits:
    window = text[max(0, dot - 4096) : dot]
    start = text.find(b"eyJ", dot - len(window) + len(window.rstrip(_BASE64URL)), dot)
    match = _JWT.match(text, start) if start >= 0 else None
    if match is None or not _is_jose_header(text[start:dot]):
        return ()
    return (Hit(start, match.end(), Detector.JWT, match[0].decode()),)


def _is_jose_header(encoded: bytes) -> bool:
    """Whether it decodes to a JSON object that names an algorithm (RFC 7515, 4.1.1)."""
    try:
        header = msgspec.json.decode(base64.urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4)))
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError):
        return False
    return isinstance(header, dict) and "alg" in header


_PASSWORDS = rb"(?:passwo?r?d|passwd|pwd|passphrase)"
_NAMES = (
    rb"(?:api[_-]?key|access[_-]?key|secret[_-]?key|account[_-]?key|signing[_-]?key"
    rb"|client[_-]?secret|secret[_-]?token|access[_-]?token|auth[_-]?token|refresh[_-]?token|private[_-]?token)"
)
TRIGGERS: tuple[Trigger, ...] = (
    *(trigger for keys in _FORMATS for trigger in keys.triggers()),
    Trigger(rb"A[KS]IA[A-Z0-9]{16}", Detector.SECRET, _aws, back=20),
    Trigger(rb"hooks\.slack\.com/services/[A-Z0-9]", Detector.SECRET, _webhook, back=1),
    Trigger(rb"(?:bearer|basic) [a-z0-9._~+/=-]{8}", Detector.SECRET, _authorization, back=8, caseless=True),
    Trigger(rb"://[^ /@\x22\x5c\x00-\x1f]{2,160}@", Detector.SECRET, _in_address, back=1),
    Trigger(_PASSWORDS + _QUOTES + rb"[:=>]", Detector.SECRET, _password, caseless=True),
    Trigger(_NAMES + _QUOTES + rb"[:=>]", Detector.SECRET, _assigned, caseless=True),
    Trigger(rb"[^a-z_-]token" + _QUOTES + rb"[:=]", Detector.SECRET, _assigned_token, caseless=True),
    Trigger(rb"-----BEGIN [A-Z0-9 ]{0,20}PRIVATE KEY-----", Detector.SECRET, _private_key),
    Trigger(rb"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]", Detector.JWT, _jwt, back=2),
)
