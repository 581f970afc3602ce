"""Bounds of one ingest request: reading, inflating and holding bodies without ever growing past them."""

import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from backports import zstd

CHUNK = 256 * 1024
MAX_SPAN_BYTES = 4 * 1024 * 1024
# Bodies that the requests of one process may hold at once, in multiples of the largest single body.
IN_FLIGHT_BODIES = 3


# What decoding many members may copy, in multiples of the largest body: a second's work.
MAX_COPIED = 16


class TooLarge(Exception):
    """The body is larger than the limit, as sent or once inflated."""


class BadEncoding(Exception):
    """The body is not what its Content-Encoding says."""


class UnknownEncoding(Exception):
    """No decoder for this Content-Encoding."""


class Busy(Exception):
    """The process holds as many bytes as it may; try again shortly."""


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def read_body(stream: Readable, limit: int) -> bytes:
    """All of `stream`. Raises `TooLarge`."""
    parts: list[bytes] = []
    size = 0
    while chunk := stream.read(min(CHUNK, limit + 1 - size)):
        parts.append(chunk)
        size += len(chunk)
        if size > limit:
            raise TooLarge
    return b"".join(parts)


def inflate(body: bytes, encoding: str, limit: int) -> bytes:
    """The body without its Content-Encoding. Raises `UnknownEncoding`, `BadEncoding`, `TooLarge`."""
    if encoding in {"", "identity"}:
        return body
    decoder = _DECODERS.get(encoding)
    if decoder is None:
        raise UnknownEncoding(encoding)
    return decoder(body, limit)


def _gzip(body: bytes, limit: int) -> bytes:
    """RFC 1952."""
    return _members(lambda: zlib.decompressobj(31), body, limit)


def _zstd(body: bytes, limit: int) -> bytes:
    """RFC 8878."""
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: 27}
    return _members(lambda: zstd.ZstdDecompressor(options=options), body, limit)


def _deflate(body: bytes, limit: int) -> bytes:
    """RFC 1950 as the standard says, or bare RFC 1951 as some clients send it."""
    try:
        return _take(zlib.decompressobj(15), body, limit)
    except BadEncoding:
        return _take(zlib.decompressobj(-15), body, limit)


class _Decoder(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _members(make: Callable[[], _Decoder], body: bytes, limit: int) -> bytes:
    """All members (gzip) or frames (zstd), one after the other."""
    if not body:
        raise BadEncoding("empty")
    parts: list[bytes] = []
    size = copied = 0
    while body:
        # Each member copies what comes after it.
        copied += len(body)
        if copied > MAX_COPIED * limit:
            raise BadEncoding("too many members")
        decoder = make()
        part = _take(decoder, body, limit - size)
        parts.append(part)
        size += len(part)
        body = decoder.unused_data
    return b"".join(parts)


def _take(decoder: _Decoder, body: bytes, limit: int) -> bytes:
    try:
        inflated = decoder.decompress(body, limit + 1)
    except (zlib.error, zstd.ZstdError) as error:
        raise BadEncoding("damaged") from error
    if len(inflated) > limit:
        raise TooLarge
    if not decoder.eof:
        raise BadEncoding("cut short")
    return inflated


_DECODERS: Mapping[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "zstd": _zstd,
}


class InFlight:
    """Counts the bytes that requests hold, so that many large bodies at once are told to come back."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = 0
        self._lock = threading.Lock()

    @contextmanager
    def holding(self, size: int) -> Iterator[None]:
        """Raises `Busy` when others hold too much; a single body within the limit always gets through."""
        with self._lock:
            if self._held and self._held + size > self._limit:
                raise Busy
            self._held += size
        try:
            yield
        finally:
            with self._lock:
                self._held -= size
