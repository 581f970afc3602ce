"""Bodies are read and inflated up to a bound, whatever they claim to be."""

import gzip
import io
import zlib

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from ingest.limits import BadEncoding, Busy, InFlight, TooLarge, UnknownEncoding, inflate, read_body

DATA = b"spans " * 1000
ENCODED = {
    "": DATA,
    "identity": DATA,
    "gzip": gzip.compress(DATA),
    "deflate": zlib.compress(DATA),
    "zstd": zstd.compress(DATA),
}


@pytest.mark.parametrize("encoding", ENCODED)
def test_every_documented_encoding_is_inflated(encoding: str) -> None:
    assert inflate(ENCODED[encoding], encoding, len(DATA)) == DATA


def test_bare_deflate_without_a_zlib_header_is_taken() -> None:
    encoder = zlib.compressobj(wbits=-15)
    assert inflate(encoder.compress(DATA) + encoder.flush(), "deflate", len(DATA)) == DATA


def test_gzip_of_several_members_is_read_whole() -> None:
    assert inflate(gzip.compress(DATA) + gzip.compress(b"more"), "gzip", 10**6) == DATA + b"more"


def test_gzip_of_very_many_members_is_refused_before_each_has_copied_the_rest() -> None:
    with pytest.raises(BadEncoding):
        inflate(gzip.compress(b"") * 100_000, "gzip", 10**6)


def test_zstd_without_a_content_size_is_read_whole() -> None:
    encoder = zstd.ZstdCompressor()
    assert inflate(encoder.compress(DATA) + encoder.flush(), "zstd", len(DATA)) == DATA


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_a_bomb_stops_at_the_limit(encoding: str) -> None:
    bomb = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstd.compress}[encoding](
        bytes(50_000_000)
    )
    with pytest.raises(TooLarge):
        inflate(bomb, encoding, 1_000_000)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_a_body_that_is_cut_short_or_something_else_is_refused(encoding: str) -> None:
    for body in (ENCODED[encoding][:-4], b"not compressed at all", b""):
        with pytest.raises(BadEncoding):
            inflate(body, encoding, 10**6)


def test_an_unknown_encoding_is_named() -> None:
    with pytest.raises(UnknownEncoding):
        inflate(DATA, "br", 10**6)


def test_a_stream_is_read_no_further_than_the_limit() -> None:
    stream = io.BytesIO(bytes(1_000_000))
    with pytest.raises(TooLarge):
        read_body(stream, 1000)
    assert stream.tell() == 1001


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate", "zstd"]))
def test_arbitrary_bytes_raise_nothing_undocumented(body: bytes, encoding: str) -> None:
    try:
        inflate(body, encoding, 1000)
    except (BadEncoding, TooLarge):
        pass


def test_large_bodies_at_once_are_told_to_come_back() -> None:
    in_flight = InFlight(100)
    with in_flight.holding(80):
        with pytest.raises(Busy), in_flight.holding(30):
            pass
        with in_flight.holding(20):
            pass
    with in_flight.holding(500):  # alone, whatever its size: the body limit was checked before
        pass
