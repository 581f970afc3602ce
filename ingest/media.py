"""Base64 media in content to what it was: its type, its size and its digest. Pure.

A picture in a prompt is a hundred thousand characters that nobody reads, may show a person, and no detector can look
into. It is cut out wherever emitters put it: OTel blobs, Anthropic's sources, OpenAI's image URLs and audio, Gemini's
inline data, `data:` URLs in any text, and any long run of base64. Where it was a value of its own an object
`{"media", "bytes", "sha256"}` takes its place, inside of a text a line `[image/png 182,044 bytes sha256:9f86...]`.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

import hyperscan
import msgspec

from ingest.scanning import Patterns
from traces.span import Attributes, Event, JSONValue, Link, Span

Part = TypeVar("Part", Event, Link)

UNKNOWN = "application/octet-stream"
# A shorter text is left alone even where it is said to be media: it may be a word.
LEAST = 24
LEAST_RUN = 4096
# A run of that length holds a whole block at one of the steps, which prose leaves at its first space.
_BLOCK, _STEP = 1024, 2048
_LEAST_DISTINCT = 20
# The fields of a span that hold structure, and those that hold text; tags, events and the like stand apart.
_CONTENT = ("input", "output", "tool_definitions", "request_params", "attributes", "resource")
_TEXTS = tuple(
    field.name
    for field in msgspec.structs.fields(Span)
    if field.type == str | None and field.name not in {*_CONTENT, "parent_id"}
)
# Keys beside data that name its type: OTel, Anthropic, Gemini, the Vercel AI SDK.
_TYPE_KEYS = frozenset({"mime_type", "media_type", "mimeType", "mediaType"})
_RUN_BYTES = re.compile(rb"[A-Za-z0-9+/_-]{%d}" % _BLOCK)
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?((?:;[\w.+=-]+)*?);base64,([A-Za-z0-9+/_-]+={0,2})")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_LONG_RUN = re.compile(rf"[A-Za-z0-9+/_-]{{{LEAST_RUN},}}={{0,2}}")
_RUN_BLOCK = re.compile(rf"[A-Za-z0-9+/_-]{{{_BLOCK}}}")
_SIGNATURES: Mapping[bytes, str] = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"RIFF": "audio/wav",
    b"%PDF-": "application/pdf",
    b"OggS": "audio/ogg",
    b"ID3": "audio/mpeg",
    b"\x1f\x8b": "application/gzip",
    b"PK\x03\x04": "application/zip",
}


def may_be_in(text: bytes) -> bool:
    """Whether the encoded text of spans may hold media: a look that costs a tenth of walking their structures."""
    found: list[int] = []
    _signs().scan(text, lambda number, *_: found.append(number))
    if found:
        return True
    return any(_RUN_BYTES.match(text, start) for start in range(0, len(text) - _BLOCK + 1, _STEP))


@cache
def _signs() -> Patterns:
    """What marks media that are not told by their length."""
    keys = "|".join(sorted({*_TYPE_KEYS, "data"}))
    return Patterns([b";base64,", f'"({keys})"'.encode()], [hyperscan.HS_FLAG_SINGLEMATCH] * 2)


def without_media_span(span: Span) -> Span:
    """The span with media cut out, wherever in it they are."""
    changes: dict[str, Any] = {}
    for name in _CONTENT:
        value = getattr(span, name)
        if value and (new := without_media(value)) is not value:
            changes[name] = new
    for name in ("events", "links", "log_entries"):
        parts = getattr(span, name) or ()
        if any(_may_hold_media(part.attributes) for part in parts):
            changes[name] = tuple(_part_without_media(part) for part in parts)
    for name in _TEXTS:
        value = getattr(span, name)
        if value and _may_hold_media(value):
            changes[name] = _in_line(value)
    if span.tags and any(_may_hold_media(tag) for tag in span.tags):
        changes["tags"] = tuple(_in_line(tag) for tag in span.tags)
    return msgspec.structs.replace(span, **changes) if changes else span


def _part_without_media(part: Part) -> Part:
    return msgspec.structs.replace(part, attributes=without_media_in(part.attributes))


def _in_line(text: str) -> str:
    """The text with media in it as lines: it stays a text."""
    text = _DATA_URL.sub(lambda match: _line(match[1] or "", match[3]), text)
    return _LONG_RUN.sub(lambda match: _line("", match[0]) if _is_random(match[0]) else match[0], text)


def without_media(value: JSONValue) -> JSONValue:
    """`value` with media replaced by what it was. What does not look like it comes back as the same object."""
    return _rewritten(value) if _may_hold_media(value) else value


def without_media_in(attributes: Attributes) -> Attributes:
    return _rewritten_object(attributes) if _may_hold_media(attributes) else attributes


def _may_hold_media(value: JSONValue) -> bool:
    """A quick look, which is all that most content needs."""
    values = [value]
    while values:
        value = values.pop()
        kind = type(value)
        if kind is str:
            if len(value) > LEAST and (  # type: ignore[arg-type]
                ";base64," in value  # type: ignore[operator]
                or (len(value) >= LEAST_RUN and _has_run(value))  # type: ignore[arg-type]
            ):
                return True
        elif kind is dict:
            if not _TYPE_KEYS.isdisjoint(value) or "data" in value:  # type: ignore[arg-type,operator]
                return True
            values.extend(value.values())  # type: ignore[union-attr]
        elif kind is list:
            values.extend(value)  # type: ignore[arg-type]
    return False


def _rewritten(value: JSONValue) -> JSONValue:
    if isinstance(value, str):
        return _text(value) if len(value) > LEAST else value
    if isinstance(value, dict):
        return _rewritten_object(value)
    return [_rewritten(item) for item in value] if isinstance(value, list) else value


def _rewritten_object(value: Attributes) -> Attributes:
    return {
        key: _value(item, value) if isinstance(item, str) and len(item) > LEAST else _rewritten(item)
        for key, item in value.items()
    }


def _value(text: str, beside: Mapping[str, JSONValue]) -> JSONValue:
    """A value of an object: media of its own where the object says so, or where it is a `data:` URL."""
    named = _named_type(beside)
    if named and _BASE64.fullmatch(text):
        return _described(named, text)
    whole = _DATA_URL.fullmatch(text) if text.startswith("data:") else None
    return _described(whole[1] or "", whole[3]) if whole else _text(text)


def _named_type(value: Mapping[str, JSONValue]) -> str:
    """The media type that an object gives for its data; "" when it gives none."""
    for key in _TYPE_KEYS:
        named = value.get(key)
        if isinstance(named, str):
            return named
    encoding = value.get("format")
    return f"audio/{encoding}" if isinstance(encoding, str) and "data" in value else ""


def _text(text: str) -> JSONValue:
    if ";base64," not in text and (len(text) < LEAST_RUN or not _has_run(text)):
        return text
    if _LONG_RUN.fullmatch(text):
        return _described("", text) if _is_random(text) else text
    return _in_line(text)


def _has_run(text: str) -> bool:
    return any(_RUN_BLOCK.match(text, start) for start in range(0, len(text) - _BLOCK + 1, _STEP))


def _is_random(run: str) -> bool:
    """A long line of one character, or a hash in hex, is text."""
    return len(set(run[:_BLOCK])) >= _LEAST_DISTINCT


def _described(mime_type: str, encoded: str) -> Attributes:
    content = _decoded(encoded)
    return {
        "media": mime_type or _signed_type(content),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _line(mime_type: str, encoded: str) -> str:
    content = _decoded(encoded)
    digest = hashlib.sha256(content).hexdigest()[:16]
    return f"[{mime_type or _signed_type(content)} {len(content):,} bytes sha256:{digest}]"


def _decoded(encoded: str) -> bytes:
    """The bytes; of a text that was cut off on its way, those that are there."""
    plain = encoded.rstrip("=")
    if len(plain) % 4 == 1:
        plain = plain[:-1]
    try:
        return base64.b64decode(
            plain + "=" * (-len(plain) % 4), altchars=b"-_" if "-" in plain or "_" in plain else None
        )
    except binascii.Error:
        return encoded.encode()


def _signed_type(content: bytes) -> str:
    return next((kind for start, kind in _SIGNATURES.items() if content.startswith(start)), UNKNOWN)
