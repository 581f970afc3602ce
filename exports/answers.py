"""An export as an answer: its headers, and a connection that does not wait for ever."""

from datetime import datetime

from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.utils import timezone

from exports import services, user_costs
from exports.services import Asked
from exports.shape import CONTENT_TYPES
from tracehouse.web import patience


def answer(request: HttpRequest, asked: Asked) -> StreamingHttpResponse:
    """Raises what `services.start` raises."""
    export = services.start(asked)
    patience.limit(request)
    headers = {
        "Content-Disposition": f'attachment; filename="{_name(asked, timezone.now())}"',
        "Cache-Control": "no-store, private",
        # nginx hands it on as it comes.
        "X-Accel-Buffering": "no",
    }
    if export.known_cut:
        headers["X-Tracehouse-Incomplete"] = export.known_cut
    return StreamingHttpResponse(export, content_type=CONTENT_TYPES[asked.format], headers=headers)


def user_costs_answer(request: HttpRequest, asked: user_costs.Asked) -> FileResponse:
    """Raises what `user_costs.export` raises."""
    file = user_costs.export(asked)
    patience.limit(request)
    return FileResponse(
        file,
        as_attachment=True,
        filename=f"user-costs-{asked.project.slug}-{timezone.now():%Y%m%dT%H%M%SZ}.{asked.format.value}",
        content_type=CONTENT_TYPES[asked.format],
        headers={"Cache-Control": "no-store, private"},
    )


def _name(asked: Asked, now: datetime) -> str:
    return f"traces-{asked.project.slug}-{now:%Y%m%dT%H%M%SZ}.{asked.format.value}"
