"""Reads one HTTP request to ClickHouse's interface: who asks, the statement, its settings, its data."""

import base64
import binascii
import hmac
import re
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, Protocol
from urllib.parse import parse_qsl

import lz4.frame  # type: ignore[import-untyped]
import zstandard

from tracehouse.embedded.clickhouse_errors import (
    AUTHENTICATION_FAILED,
    BAD_ARGUMENTS,
    INCORRECT_DATA,
    NOT_IMPLEMENTED,
    REQUIRED_PASSWORD,
    SYNTAX_ERROR,
    QueryError,
)
from tracehouse.embedded.clickhouse_statement import MAX_STATEMENT_BYTES, Statement, read_statement

READ_BYTES = 1024 * 1024
# Parameters that are part of the protocol; any other name is a setting of the query, as in ClickHouse.
_PROTOCOL = frozenset(
    [
        "query",
        "database",
        "default_format",
        "user",
        "password",
        "query_id",
        "session_id",
        "session_timeout",
        "session_check",
        "quota_key",
        "buffer_size",
        "wait_end_of_query",
        "client_protocol_version",
        "role",
        "stacktrace",
        "close_session",
        "compress",
        "decompress",
        "enable_http_compression",
        "http_zlib_compression_level",
        "send_progress_in_http_headers",
        "http_headers_progress_interval_ms",
        "cancel_http_readonly_queries_on_client_close",
    ]
)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that came with a request, for its statement to read under this name."""

    name: str
    structure: str
    format: str
    rows: bytes


@dataclass(frozen=True, slots=True)
class Query:
    """A request, understood."""

    statement: Statement
    tables: Sequence[Table]
    parameters: Mapping[str, str]
    settings: Mapping[str, str]
    database: str
    default_format: str
    query_id: str
    changes_allowed: bool


@dataclass(frozen=True, slots=True)
class Account:
    """The one user of this server."""

    user: str
    password: str
    database: str


def read_query(environ: Mapping[str, Any], account: Account) -> Query:
    """Checks who asks, then reads as far as the statement goes; data of an INSERT is left to stream."""
    url = _url_parameters(environ)
    _check_account(environ, url, account)
    body, tables = _body(environ), []
    if _content_type(environ) == "multipart/form-data":
        fields, files = _form(environ, body)
        url, body = {**url, **fields}, iter(())
        tables = [_table(name, rows, url) for name, rows in files.items()]
    if url.get("decompress", "0") not in {"0", ""} or url.get("compress", "0") not in {"0", ""}:
        raise QueryError.own(NOT_IMPLEMENTED, "NOT_IMPLEMENTED", "Only HTTP compression is served here")
    return Query(
        statement=read_statement(url.get("query", ""), body),
        tables=tables,
        parameters={key[6:]: value for key, value in url.items() if key.startswith("param_")},
        settings=_settings(url, tables),
        database=url.get("database") or environ.get("HTTP_X_CLICKHOUSE_DATABASE") or account.database,
        default_format=url.get("default_format") or environ.get("HTTP_X_CLICKHOUSE_FORMAT") or "TabSeparated",
        query_id=_query_id(url.get("query_id", "")),
        # ClickHouse's rule: a GET may only read, so that following a link changes nothing.
        changes_allowed=environ["REQUEST_METHOD"] == "POST",
    )


def _settings(url: Mapping[str, str], tables: Sequence[Table]) -> dict[str, str]:
    of_tables = {f"{table.name}_{part}" for table in tables for part in ("structure", "format")}
    others = _PROTOCOL | of_tables
    return {key: value for key, value in url.items() if key not in others and not key.startswith("param_")}


def _table(name: str, rows: bytes, url: Mapping[str, str]) -> Table:
    if not re.fullmatch(r"[A-Za-z_]\w*", name):
        raise QueryError.own(BAD_ARGUMENTS, "BAD_ARGUMENTS", f"{name!r} is not the name of a table")
    if f"{name}_structure" not in url:
        raise QueryError.own(BAD_ARGUMENTS, "BAD_ARGUMENTS", f"The columns of {name} are not said")
    return Table(name, url[f"{name}_structure"], url.get(f"{name}_format", "TabSeparated"), rows)


def _url_parameters(environ: Mapping[str, Any]) -> dict[str, str]:
    return dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))


def _query_id(asked: str) -> str:
    """The client's id where it is plain text: it becomes a header and part of a setting."""
    return asked if re.fullmatch(r"[\w.:-]{1,200}", asked) else str(uuid.uuid4())


def _check_account(environ: Mapping[str, Any], url: Mapping[str, str], account: Account) -> None:
    user, password = _presented(environ, url)
    if not user and not password:
        raise QueryError.own(REQUIRED_PASSWORD, "REQUIRED_PASSWORD", "Password required for this server")
    same_user = hmac.compare_digest(user.encode(), account.user.encode())
    same_password = hmac.compare_digest(password.encode(), account.password.encode())
    if not (same_user and same_password):
        message = "Authentication failed: password is incorrect, or there is no user with such name"
        raise QueryError.own(AUTHENTICATION_FAILED, "AUTHENTICATION_FAILED", message)


def _presented(environ: Mapping[str, Any], url: Mapping[str, str]) -> tuple[str, str]:
    if "HTTP_X_CLICKHOUSE_USER" in environ:
        return environ["HTTP_X_CLICKHOUSE_USER"], environ.get("HTTP_X_CLICKHOUSE_KEY", "")
    scheme, _, value = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() == "basic":
        return _basic(value)
    return url.get("user", ""), url.get("password", "")


def _basic(value: str) -> tuple[str, str]:
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise QueryError.own(
            AUTHENTICATION_FAILED, "AUTHENTICATION_FAILED", "The Authorization header is not readable"
        ) from None
    return user, password


def _content_type(environ: Mapping[str, Any]) -> str:
    return str(environ.get("CONTENT_TYPE") or "").partition(";")[0].strip().lower()


def _form(environ: Mapping[str, Any], body: Iterator[bytes]) -> tuple[dict[str, str], dict[str, bytes]]:
    """Fields and files of a multipart form: clickhouse-connect sends one with tables, and with long parameters."""
    raw = bytearray()
    for chunk in body:
        raw += chunk
        if len(raw) > MAX_STATEMENT_BYTES:
            raise QueryError.own(SYNTAX_ERROR, "SYNTAX_ERROR", "Max query size exceeded")
    head = f"Content-Type: {environ['CONTENT_TYPE']}\r\n\r\n".encode("latin-1")
    fields, files = {}, {}
    for part in BytesParser(policy=HTTP).parsebytes(head + bytes(raw)).iter_parts():
        name = str(part.get_param("name", header="content-disposition"))
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes):
            raise QueryError.own(BAD_ARGUMENTS, "BAD_ARGUMENTS", "A form field holds a form")
        if part.get_filename():
            files[name] = content
        else:
            fields[name] = content.decode()
    return fields, files


def _body(environ: Mapping[str, Any]) -> Iterator[bytes]:
    chunks = _raw_body(environ)
    encoding = str(environ.get("HTTP_CONTENT_ENCODING") or "identity").strip().lower()
    if encoding in {"identity", ""}:
        return chunks
    if encoding not in _DECODERS:
        raise QueryError.own(
            NOT_IMPLEMENTED, "UNKNOWN_COMPRESSION_METHOD", f"Unknown Content-Encoding {encoding!r}"
        )
    return _decompressed(chunks, _DECODERS[encoding])


def _raw_body(environ: Mapping[str, Any]) -> Iterator[bytes]:
    """The body as it came. A body that ends early is an error: half of an INSERT must not be committed."""
    source, expected, seen = environ["wsgi.input"], environ.get("CONTENT_LENGTH"), 0
    while chunk := _read(source):
        seen += len(chunk)
        yield chunk
    if expected and seen != int(expected):
        raise QueryError.own(INCORRECT_DATA, "INCORRECT_DATA", "The body ended before its Content-Length")


def _read(source: Any) -> bytes:
    try:
        chunk: bytes = source.read(READ_BYTES)
    except (OSError, ValueError) as error:
        raise QueryError.own(INCORRECT_DATA, "INCORRECT_DATA", f"The body cannot be read: {error}") from error
    return chunk


class _Decoder(Protocol):
    """One compressed member; `needs_input` is false while it holds back output for the next call."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes | None: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


def _decompressed(chunks: Iterator[bytes], new: Callable[[], _Decoder]) -> Iterator[bytes]:
    """A body's bytes, at most READ_BYTES at a time, so that a small body cannot unfold in memory.

    A body may be many members in a row: clickhouse-connect sends each block as an lz4 frame of its own.
    """
    decoder, whole = new(), True
    try:
        for chunk in chunks:
            data: bytes | None = chunk
            while data is not None:
                yield decoder.decompress(data, READ_BYTES)
                whole = decoder.eof
                if whole:
                    data, decoder = decoder.unused_data or None, new()
                else:
                    data = None if decoder.needs_input else b""
    except (zlib.error, RuntimeError, zstandard.ZstdError) as error:
        raise QueryError.own(INCORRECT_DATA, "INCORRECT_DATA", f"Broken compression: {error}") from error
    if not whole:
        raise QueryError.own(INCORRECT_DATA, "INCORRECT_DATA", "The compressed body ends early")


class _Zlib:
    """zlib's decoder with what it has not taken kept inside."""

    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(wbits=47)  # 32 + 15: gzip or zlib, told from the header
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._decoder.eof

    @property
    def unused_data(self) -> bytes:
        return self._decoder.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        plain = self._decoder.decompress(self._decoder.unconsumed_tail + data, max_length)
        self.needs_input = not self._decoder.unconsumed_tail and len(plain) < max_length
        return plain


class _Zstd:
    """zstandard's decoder, fed in slices: it has no bound on what one call may put out."""

    SLICE_BYTES = 16 * 1024

    def __init__(self) -> None:
        self._decoder = zstandard.ZstdDecompressor().decompressobj()
        self._waiting = memoryview(b"")

    @property
    def eof(self) -> bool:
        return self._decoder.eof

    @property
    def needs_input(self) -> bool:
        return not self._waiting

    @property
    def unused_data(self) -> bytes:
        return self._decoder.unused_data + bytes(self._waiting)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        waiting = memoryview(data) if data else self._waiting
        self._waiting = waiting[self.SLICE_BYTES :]
        return self._decoder.decompress(waiting[: self.SLICE_BYTES])


_DECODERS: Mapping[str, Callable[[], _Decoder]] = {
    "gzip": _Zlib,
    "deflate": _Zlib,
    "lz4": lz4.frame.LZ4FrameDecompressor,
    "zstd": _Zstd,
}
