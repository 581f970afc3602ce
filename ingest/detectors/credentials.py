"""Credentials by what stands around them: AWS secrets, passwords in addresses, Authorization, private keys, JWTs."""

import base64
import binascii
import re

import msgspec

from ingest.detectors.edges import WORD, after, before
from ingest.detectors.hit import Detector, Hit, Hits, Trigger
from ingest.detectors.keys import secret
from ingest.detectors.named import PLACEHOLDER

_BASE64URL = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"


_AWS_SECRET = 40
_WEBHOOK = re.compile(rb"[A-Z0-9]+/[A-Z0-9]+/[A-Za-z0-9]{16,}")
_BEARER = re.compile(rb"[A-Za-z0-9._~+/=-]{16,}")
_BASIC = re.compile(rb"[A-Za-z0-9+/_-]{8,}={0,2}")
_JWT = re.compile(rb"eyJ[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){2,4}")
_PORT = re.compile(rb"[0-9]{1,5}/")
_MORE_OF_PASSWORD = re.compile(rb"[^ /?#\x22'\x5c\x00-\x1f]*@")
_PEM_END = b"-----END"
_PEM_MOST = 16_384
_KEY_ENDS = re.compile(rb"(?<!\x5c)(?:\x5c\x5c)*\x22|-----BEGIN")
_CODE_LINE = 24
# Runs of base64; an escape is consumed first, so that its letter is no part of one.
_RUN_OF_BASE64 = re.compile(rb"\x5c+(?:u[0-9a-fA-F]{4}|[a-z])|([A-Za-z0-9+/=]+)")


def _aws(text: bytes, start: int, regions: tuple[str, ...]) -> Hits:
    """An access key, and the secret half that stands within a line or two of it."""
    end = start + 20
    if before(text, start) in WORD or after(text, end) in WORD:
        return ()
    key = secret(text, start, end)
    for first, last in _runs(text, max(0, start - 160), start + 220):
        run = text[first:last]
        if last - first == _AWS_SECRET and b"=" not in run and run.lower() != run != run.upper():
            return key + secret(text, first, last)
    return key


def _webhook(text: bytes, start: int, regions: tuple[str, ...]) -> Hits:
    match = _WEBHOOK.match(text, start)
    return secret(text, start, match.end()) if match else ()


def _authorization(text: bytes, start: int, regions: tuple[str, ...]) -> Hits:
    if text[start - 2 : start - 1] in {b"r", b"R"}:
        match = _BEARER.match(text, start)
        telling = match is not None and match[0].translate(None, b"0123456789") != match[0]
    else:
        match = _BASIC.match(text, start)
        telling = match is not None and _is_basic(match[0])
    return secret(text, start, match.end()) if match and telling else ()


def _is_basic(credentials: bytes) -> bool:
    try:
        return b":" in base64.b64decode(credentials + b"=" * (-len(credentials) % 4), validate=True)
    except binascii.Error:
        return False


def _in_address(text: bytes, at: int, regions: tuple[str, ...]) -> Hits:
    """The password in scheme://user:password@host. It may hold / and @: to the last @ before the next / it is."""
    begins = text.rfind(b"://", max(0, at - 240), at) + 3
    colon = text.find(b":", begins, at)
    if begins < 3 or colon < 0 or PLACEHOLDER.match(text, colon + 1, at):
        return ()
    if _PORT.match(text, colon + 1, at):  # registry:4873/@scope
        return ()
    more = _MORE_OF_PASSWORD.match(text, at + 1)
    return secret(text, colon + 1, more.end() - 1 if more else at)


def _private_key(text: bytes, start: int, regions: tuple[str, ...]) -> Hits:
    """Each line of a PEM block's body: one value in several pieces, so that escapes between them stay.

    Of one that is cut off, up to the end of its string or another; in code, where each line is a string, the long ones.
    """
    ends = _KEY_ENDS.search(text, start, start + _PEM_MOST)
    limit = ends.start() if ends else min(len(text), start + _PEM_MOST)
    end = text.find(_PEM_END, start, limit)
    quote = text.find(b'"', start, end if end >= 0 else limit)
    lines = _runs(text, start, quote if quote >= 0 else end if end >= 0 else limit)
    if 0 <= quote < end:
        lines += [(first, last) for first, last in _runs(text, quote, end) if last - first >= _CODE_LINE]
    canonical = b"".join(text[first:last] for first, last in lines).decode()
    return tuple(
        Hit(first, last, Detector.SECRET, canonical, continues=number > 0)
        for number, (first, last) in enumerate(lines)
    )


def _runs(text: bytes, start: int, end: int) -> list[tuple[int, int]]:
    return [match.span(1) for match in _RUN_OF_BASE64.finditer(text, start, end) if match[1]]


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


TRIGGERS: tuple[Trigger, ...] = (
    Trigger(rb"A[KS]IA[A-Z0-9]{16}", Detector.SECRET, _aws, back=20),
    Trigger(rb"hooks\.slack\.com/services/[A-Z0-9]", Detector.SECRET, _webhook, back=1),
    Trigger(rb"(?:bearer|basic) [a-z0-9._~+/=-]{8}", Detector.SECRET, _authorization, back=8, caseless=True),
    Trigger(
        rb"://[^ /?#:@\x22\x5c\x00-\x1f]{0,64}:[^ @\x22\x5c\x00-\x1f]{1,160}@",
        Detector.SECRET,
        _in_address,
        back=1,
    ),
    Trigger(rb"-----BEGIN [A-Z0-9 ]{0,20}PRIVATE KEY-----", Detector.SECRET, _private_key),
    Trigger(rb"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]", Detector.JWT, _jwt, back=2),
)
