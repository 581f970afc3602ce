"""What the trace page asks for beside itself: whole texts, and the trace as a file."""

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from tracehouse.tenancy.permissions import ProjectRequest, project_page
from tracehouse.tenancy.services import record
from tracehouse.web import folding
from traces import queries, raw, step_page
from traces.views import explains_failed_reads, missing_trace


@require_safe
@project_page()
@explains_failed_reads
def whole_text(request: ProjectRequest, trace_id: str) -> HttpResponse:
    """One text of a span: all of it as plain text, or for a page that shows its beginning the part that follows."""
    span_id, place = request.GET.get("span", ""), request.GET.get("of", "")
    text = step_page.whole_text(request.scope, trace_id, span_id, place)
    start = request.GET.get("from", "")
    if request.headers.get("HX-Request") != "true" or not start.isdecimal():
        return HttpResponse(text, content_type="text/plain; charset=utf-8")
    shown, next_start = folding.part(text, int(start))
    parameters = request.GET.copy()
    prose = parameters.pop("prose", [])
    parameters.pop("from")
    context = {
        "text": shown,
        "next": next_start,
        "left": len(text) - next_start,
        "source": f"{request.path}?{parameters.urlencode()}",
        "prose": bool(prose),
    }
    return render(request, "traces/text_part.html", context)


@require_safe
@project_page()
@explains_failed_reads
def download(request: ProjectRequest, trace_id: str) -> HttpResponseBase:
    """The whole trace, however long, as OTLP/JSON, which any OTLP endpoint takes."""
    detail = queries.get_whole_trace(request.scope, trace_id)
    if detail is None:
        return missing_trace(request, trace_id)
    record(
        actor=request.user.email,
        action="trace.downloaded",
        target=detail.trace.trace_id,
        project=request.project,
    )
    name = f"trace-{detail.trace.trace_id}.otlp.json"
    return StreamingHttpResponse(
        raw.chunks(detail.trace.trace_id, detail.spans),
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
