"""Health checks: `healthz` says the process serves, `readyz` that every store answers a real query."""

from collections.abc import Callable

import redis
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from tracehouse.clickhouse.client import client


def _postgres() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")


def _clickhouse() -> None:
    client().query("SELECT 1 FROM spans LIMIT 1")


def _valkey() -> None:
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=3, socket_connect_timeout=3) as store:
        store.ping()


STORES: dict[str, Callable[[], None]] = {"postgres": _postgres, "clickhouse": _clickhouse, "valkey": _valkey}


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    states = {name: _state(check) for name, check in STORES.items()}
    ready = all(state == "ok" for state in states.values())
    return JsonResponse(
        {"status": "ok" if ready else "unavailable", "stores": states}, status=200 if ready else 503
    )


def _state(check: Callable[[], None]) -> str:
    try:
        check()
    except Exception as error:  # whatever a driver raises, the store does not answer
        # The class alone: a driver's text may name hosts and users.
        return f"does not answer ({type(error).__name__})"
    return "ok"
