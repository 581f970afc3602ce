"""What every REST view shares: JSON by msgspec, and errors of one shape."""

import difflib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.http import Http404
from rest_framework import exceptions
from rest_framework.parsers import JSONParser
from rest_framework.renderers import BaseRenderer
from rest_framework.response import Response
from rest_framework.views import exception_handler as rest_framework_handler

from tracehouse.clickhouse.query import QueryTooLarge, QueryUnavailable
from tracehouse.web.figures import plain_decimal as plain_decimal  # noqa: PLC0414  # part of what answers share

RETRY_SECONDS = "5"


class JsonRenderer(BaseRenderer):
    """Dataclasses and structs as JSON: money as decimal strings, times as RFC 3339 in UTC."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else msgspec.json.encode(data, enc_hook=str)


class JsonParser(JSONParser):
    """What is nested too deeply to be read is the sender's error, as all that is no JSON."""

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise exceptions.ParseError("JSON parse error - it is nested too deeply.") from error


def no_such(what: str, name: str, known: Iterable[str]) -> str:
    """That nothing has this name, and which name was perhaps meant."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"There is no such {what}; " + (
        f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}."
    )


def rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """`{"error": {"code", "message", "fields"?}}` for everything a caller can get wrong or wait out."""
    if isinstance(error, QueryTooLarge):
        return _answer(400, "too_large", str(error))
    if isinstance(error, QueryUnavailable):
        return _answer(503, "unavailable", "ClickHouse does not answer; try again in a few seconds.")
    response = rest_framework_handler(error, dict(context))
    if response is None:
        return None
    response.data = {"error": _described(error)}
    if response.status_code == 503:
        response["Retry-After"] = RETRY_SECONDS
    return response


def _described(error: Exception) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        return {"code": "invalid", "message": "Some parameters are not valid.", "fields": error.detail}
    if isinstance(error, exceptions.APIException):
        return {"code": error.get_codes(), "message": str(error.detail)}
    if isinstance(error, Http404):
        return {"code": "not_found", "message": str(error) or "Not found."}
    return {"code": "forbidden", "message": str(error) or "Not allowed."}


def _answer(status: int, code: str, message: str) -> Response:
    response = Response({"error": {"code": code, "message": message}}, status=status)
    if status == 503:
        response["Retry-After"] = RETRY_SECONDS
    return response
