"""Which part of a page a request of htmx asks for."""

from django.http import HttpRequest


def part_asked_for(request: HttpRequest) -> str:
    """The id of the element that will hold the answer; "" for a whole page."""
    headers = request.headers
    if headers.get("HX-Request") != "true" or headers.get("HX-History-Restore-Request") == "true":
        return ""
    return headers.get("HX-Target", "")
