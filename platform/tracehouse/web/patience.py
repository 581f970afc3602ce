"""How long an answer waits for a client that does not take it."""

import socket

from django.http import HttpRequest

# For one piece of an answer. gunicorn itself would wait as long as the connection stands.
SECONDS = 60.0


def limit(request: HttpRequest) -> None:
    """From now on a write that the client does not take ends the request, and its thread is free again."""
    connection = request.META.get("gunicorn.socket")
    if isinstance(connection, socket.socket):
        connection.settimeout(SECONDS)
