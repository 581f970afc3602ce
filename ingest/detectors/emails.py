"""E-mail addresses, also with the @ as %40 in an address of the web, and the wide @ of Asian keyboards."""

import re

from ingest.detectors.edges import escape_tail
from ingest.detectors.hit import Detector, Hit, Hits, Trigger

# Letters of two bytes in UTF-8 (Latin, Greek, Cyrillic) belong to a name; longer characters (CJK, quotes, dashes)
# stand beside one.
_LOCAL = bytes(range(0x80, 0xE0)) + b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._%+-'"
_CONTINUATION = bytes(range(0x80, 0xC0))
_LETTER = rb"[a-z0-9\x80-\xdf]"
_DOMAIN = re.compile(
    rb"(?:" + _LETTER + rb"(?:[a-z0-9\x80-\xdf-]{0,62})\.){1,8}"
    rb"(xn--[a-z0-9-]{2,59}|[a-z]{2,24}|[\x80-\xdf]{4,40})(?![a-z0-9])",
    re.IGNORECASE,
)
_NINE, _BACKSLASH = 0x39, 0x5C
_VERSION = re.compile(rb"[0-9]+\.[0-9]")
_ENCODED = re.compile(rb".*%[0-9a-fA-F]{2}", re.DOTALL)
# logo@2x.png is a file.
_FILES = frozenset(
    b"png jpg jpeg gif svg webp avif ico css js mjs ts tsx jsx json html htm xml pdf txt csv yaml yml toml lock log"
    b" map woff ttf".split()
)


def _plain(text: bytes, at: int, regions: tuple[str, ...]) -> Hits:
    return _email(text, at, at + 1)


def _of_three(text: bytes, at: int, regions: tuple[str, ...]) -> Hits:
    return _email(text, at, at + 3)


def _email(text: bytes, at: int, after_at: int) -> Hits:
    domain = _DOMAIN.match(text, after_at)
    if domain is None or domain[1].lower() in _FILES:
        return ()
    if text[after_at] <= _NINE and _VERSION.match(text, after_at):
        return ()
    start = _start(text, at)
    if start >= at:
        return ()
    end = domain.end()
    local = text[start:at]
    if local == b"git" and text[end : end + 1] in {b":", b"/"}:  # an address of a repository
        return ()
    canonical = (local + b"@" + text[after_at:end]).decode(errors="replace").lower()
    return (Hit(start, end, Detector.EMAIL, canonical),)


def _start(text: bytes, at: int) -> int:
    """Where the local part before `at` begins."""
    window = text[max(0, at - 64) : at]
    start = at - len(window) + len(window.rstrip(_LOCAL))
    if text[start - 1] == _BACKSLASH:
        start += escape_tail(text, start)
    local = text[start:at]
    encoded = _ENCODED.match(local) if b"%" in local else None
    if encoded:
        local = local[encoded.end() :]
    return at - len(local.lstrip(_CONTINUATION).lstrip(b".'-%"))


TRIGGERS = (
    Trigger(rb"[a-z0-9_.+\-'\x80-\xff]@[a-z0-9\x80-\xdf]", Detector.EMAIL, _plain, back=2, caseless=True),
    Trigger(rb"[a-z0-9_.+\-]%40[a-z0-9]", Detector.EMAIL, _of_three, back=4, caseless=True),
    Trigger(rb"[a-z0-9_.+\-]\xef\xbc\xa0[a-z0-9]", Detector.EMAIL, _of_three, back=4, caseless=True),
)
