"""Bounds of one ingest request: reading, inflating and holding bodies without ever growing past them."""

import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

import zstandard

CHUNK = 256 * 1024
MAX_SPAN_BYTES = 4 * 1024 * 1024
# Bodies that the requests of one process may hold at once, in multiples of the largest single body.
IN_FLIGHT_BODIES = 3


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
    """RFC 1952, with any number of members."""
    parts: list[bytes] = []
    size = 0
    while body:
        decoder = zlib.decompressobj(31)
        part = _take(decoder, body, limit - size)
        parts.append(part)
        size += len(part)
        body = decoder.unused_data
    if not parts:
        raise BadEncoding("gzip")
    return b"".join(parts)


def _deflate(body: bytes, limit: int) -> bytes:
    """RFC 1950 as the standard says, or bare RFC 1951 as some clients send it."""
    try:
        return _take(zlib.decompressobj(15), body, limit)
    except BadEncoding:
        return _take(zlib.decompressobj(-15), body, limit)


def _take(decoder: "zlib._Decompress", body: bytes, limit: int) -> bytes:
    try:
        inflated = decoder.decompress(body, limit + 1)
    except zlib.error as error:
        raise BadEncoding("deflate") from error
    if len(inflated) > limit:
        raise TooLarge
    if not decoder.eof:
        raise BadEncoding("truncated")
    return inflated


def _zstd(body: bytes, limit: int) -> bytes:
    try:
        with zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(
            body, read_across_frames=True
        ) as reader:
            inflated = read_body(reader, limit)
    except zstandard.ZstdError as error:
        raise BadEncoding("zstd") from error
    if body and not inflated and not body.startswith(b"\x28\xb5\x2f\xfd"):
        raise BadEncoding("zstd")
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
