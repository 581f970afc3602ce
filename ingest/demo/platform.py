"""A running platform as an emitter sees it: one keep-alive connection that sends spans and scores and reads the API."""

import http.client
import json
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self
from urllib.parse import urlencode, urlsplit

from traces.span import JSONValue

PROTOBUF = "application/x-protobuf"
TRY_AGAIN = frozenset({429, 503})
ATTEMPTS = 60
LONGEST_WAIT = 5.0


class PlatformUnavailable(Exception):
    """Nobody answers at the platform's address."""


class Refused(Exception):
    """The platform answered with something else than success."""


class Platform:
    """Not safe in several threads: each takes its own."""

    def __init__(self, url: str, secret: str, *, timeout: float = 60) -> None:
        parts = urlsplit(url)
        connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = connect(parts.hostname or "", parts.port, timeout=timeout)
        self._prefix = parts.path.rstrip("/")
        self._headers = {"Authorization": f"Bearer {secret}"} if secret else {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def send(self, body: bytes, *, content_type: str = PROTOBUF) -> int:
        """Posts one OTLP request, again for as long as it is told to try again; returns how often it was.

        Raises `Refused` or `PlatformUnavailable`.
        """
        for attempt in range(ATTEMPTS):
            status, headers, answer = self.request("POST", "/v1/traces", body, {"Content-Type": content_type})
            if status == http.HTTPStatus.OK:
                return attempt
            if status not in TRY_AGAIN:
                raise Refused(f"POST /v1/traces answered {status}: {answer[:300]!r}")
            time.sleep(min(float(headers.get("retry-after", "1")), LONGEST_WAIT))
        raise Refused(f"POST /v1/traces still answers {status} after {ATTEMPTS} attempts")

    def score(self, scores: Sequence[Mapping[str, JSONValue]]) -> None:
        """Stores up to 1,000 scores. Raises `Refused` or `PlatformUnavailable`."""
        self._store("POST", "/api/v1/scores", scores)

    def plan(self, plans: Sequence[Mapping[str, JSONValue]]) -> None:
        """Stores up to 1,000 prices of customers. Raises `Refused` or `PlatformUnavailable`."""
        self._store("PUT", "/api/v1/plans", plans)

    def _store(self, method: str, path: str, rows: Sequence[Mapping[str, JSONValue]]) -> None:
        body = json.dumps(rows).encode()
        status, _, answer = self.request(method, path, body, {"Content-Type": "application/json"})
        if status != http.HTTPStatus.OK:
            raise Refused(f"{method} {path} answered {status}: {answer[:300]!r}")

    def get(self, path: str, **parameters: str | int) -> JSONValue:
        """The JSON behind an API address, or `None` for 404. Raises `Refused` or `PlatformUnavailable`."""
        target = f"{path}?{urlencode(parameters)}" if parameters else path
        status, _, answer = self.request("GET", target)
        if status == http.HTTPStatus.NOT_FOUND:
            return None
        if status != http.HTTPStatus.OK:
            raise Refused(f"GET {target} answered {status}: {answer[:300]!r}")
        found: JSONValue = json.loads(answer)
        return found

    def request(
        self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers in lower case and body. Raises `PlatformUnavailable`."""
        try:
            self._connection.request(
                method, self._prefix + target, body, {**self._headers, **(headers or {})}
            )
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise PlatformUnavailable(str(error)) from error
        return response.status, {key.lower(): value for key, value in response.getheaders()}, content
