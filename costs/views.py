"""The price pages: what is unpriced, what people set, and re-pricing. Each view: a form, one call, one template."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import structlog
from django.contrib import messages
from django.db import IntegrityError
from django.db.models import Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from kombu.exceptions import OperationalError as BrokerError

from costs import loading, queries, services
from costs.book import PriceBook
from costs.forms import (
    BaseTierFormSet,
    ModelPriceForm,
    RepricingForm,
    ToolPriceForm,
    offers,
    tier_forms,
)
from costs.models import OVERLAP, DatedPrice, Match, ModelPrice, RepricingRun, RunState, Subject, ToolPrice
from costs.queries import Calls
from costs.services import Repricing
from costs.tasks import reprice
from tracehouse.clickhouse.query import QueryTooLarge, QueryUnavailable
from tracehouse.tenancy.models import Role
from tracehouse.tenancy.permissions import ProjectRequest, may, project_page
from tracehouse.web import time_range
from tracehouse.web.htmx import part_asked_for
from tracehouse.web.time_range import TimeRange

P = ParamSpec("P")
DEFAULT_RANGE = "30d"
RUNS = 10
log = structlog.get_logger()
form_page = require_http_methods(["GET", "HEAD", "POST"])


def in_zone(
    view: Callable[Concatenate[ProjectRequest, P], HttpResponseBase],
) -> Callable[Concatenate[ProjectRequest, P], HttpResponseBase]:
    """Times in forms are read and shown in the project's zone."""

    @wraps(view)
    def wrapped(request: ProjectRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        with timezone.override(time_range.zone_of(request.project.time_zone)):
            return view(request, *args, **kwargs)

    return wrapped


@require_safe
@project_page()
def prices(request: ProjectRequest) -> HttpResponse:
    """The page stands without ClickHouse too: then the ledger says that it cannot be read."""
    chosen = _range(request)
    ledger, problem = _ledger(request, chosen)
    ours = Q(project=request.project) | Q(project=None)
    now = timezone.now()
    context = {
        "range": chosen,
        "presets": [(name, label) for name, (_, label) in time_range.PRESETS.items()],
        "around": _around(chosen),
        "ledger": ledger,
        "problem": problem,
        "model_prices": _with_state(ModelPrice.objects.filter(ours).prefetch_related("tiers"), now),
        "tool_prices": _with_state(ToolPrice.objects.filter(ours), now),
        "runs": RepricingRun.objects.filter(project=request.project, dry=False)[:RUNS],
        "is_admin": may(request.role, Role.ADMIN),
        "nothing": {},
    }
    return render(request, "costs/prices.html", context)


@form_page
@project_page(Role.ADMIN)
@in_zone
def new_model_price(request: ProjectRequest) -> HttpResponse:
    asked = {name: request.GET[name] for name in ("model", "provider") if name in request.GET}
    return _model_price(request, ModelPrice(**{name: text[:100] for name, text in asked.items()}))


@form_page
@project_page(Role.ADMIN)
@in_zone
def change_model_price(request: ProjectRequest, price_id: int) -> HttpResponse:
    return _model_price(request, get_object_or_404(ModelPrice, pk=price_id, project=request.project))


@form_page
@project_page(Role.ADMIN)
@in_zone
def new_tool_price(request: ProjectRequest) -> HttpResponse:
    return _tool_price(request, ToolPrice(tool=request.GET.get("tool", "")[:255]))


@form_page
@project_page(Role.ADMIN)
@in_zone
def change_tool_price(request: ProjectRequest, price_id: int) -> HttpResponse:
    return _tool_price(request, get_object_or_404(ToolPrice, pk=price_id, project=request.project))


@require_POST
@project_page(Role.ADMIN)
def delete_model_price(request: ProjectRequest, price_id: int) -> HttpResponse:
    return _delete(request, get_object_or_404(ModelPrice, pk=price_id, project=request.project))


@require_POST
@project_page(Role.ADMIN)
def delete_tool_price(request: ProjectRequest, price_id: int) -> HttpResponse:
    return _delete(request, get_object_or_404(ToolPrice, pk=price_id, project=request.project))


@form_page
@project_page(Role.ADMIN)
@in_zone
def repricing(request: ProjectRequest) -> HttpResponse:
    """Asks what to price again; the answer is a dry run that says what would change."""
    if request.method == "POST":
        form = RepricingForm(request.POST)
        if form.is_valid():
            return _run_of(request, form.asked, dry=True)
        return _repricing_page(request, form, status=400)
    window = _range(request).window
    is_tool = bool(request.GET.get("tool"))
    initial = {
        "subject": Subject.TOOL if is_tool else Subject.MODEL,
        "match": request.GET.get("match") if request.GET.get("match") in Match.values else Match.EXACT,
        "name": request.GET.get("tool" if is_tool else "model", "")[:255],
        "provider": request.GET.get("provider", "")[:255],
        "start": window.start,
        "end": window.end,
    }
    return _repricing_page(request, RepricingForm(initial=initial))


@require_safe
@project_page()
def run(request: ProjectRequest, run_id: int) -> HttpResponse:
    found = get_object_or_404(RepricingRun, pk=run_id, project=request.project)
    template = "costs/run.html#progress" if part_asked_for(request) == "progress" else "costs/run.html"
    return render(request, template, {"run": found, "is_admin": may(request.role, Role.ADMIN)})


@require_POST
@project_page(Role.ADMIN)
def start(request: ProjectRequest, run_id: int) -> HttpResponse:
    """Does what a dry run counted."""
    dry = get_object_or_404(RepricingRun, pk=run_id, project=request.project, dry=True, state=RunState.DONE)
    return _run_of(request, services.asked_by(dry), dry=False)


def _model_price(request: ProjectRequest, price: ModelPrice) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    form = ModelPriceForm(data, instance=price, project=request.project)
    tiers = tier_forms(price, data)
    status = 200
    if data is not None:
        if form.is_valid() & tiers.is_valid() and tiers.check(form.instance):
            try:
                services.save_price(form.instance, actor=request.user.email, tiers=tiers.tiers)
            except IntegrityError:  # somebody set another one in between
                form.add_error(None, OVERLAP)
            else:
                saved = form.instance
                calls = Calls(False, saved.model, saved.match == Match.PREFIX, saved.provider)
                return _saved(request, saved, calls)
        status = 400
    return _form_page(request, form, price, tiers=tiers, status=status)


def _tool_price(request: ProjectRequest, price: ToolPrice) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    form = ToolPriceForm(data, instance=price, project=request.project)
    status = 200
    if data is not None:
        if form.is_valid():
            try:
                services.save_price(form.instance, actor=request.user.email)
            except IntegrityError:  # somebody set another one in between
                form.add_error(None, OVERLAP)
            else:
                return _saved(request, form.instance, Calls(True, form.instance.tool))
        status = 400
    return _form_page(request, form, price, status=status)


def _saved(request: ProjectRequest, price: DatedPrice, calls: Calls) -> HttpResponse:
    """On to what it would change among the stored calls, where that was asked for."""
    if request.POST.get("then") == "reprice":
        return _run_of(request, Repricing(calls, _range(request).window), dry=True)
    messages.success(
        request,
        f"The price of {price} is saved. It holds for spans that arrive from now on; stored ones keep theirs.",
    )
    return redirect("prices:list", request.project.slug)


def _delete(request: ProjectRequest, price: DatedPrice) -> HttpResponse:
    services.delete_price(price, actor=request.user.email)
    messages.success(request, f"The price of {price} is deleted. Stored calls keep what it made them cost.")
    return redirect("prices:list", request.project.slug)


def _run_of(request: ProjectRequest, asked: Repricing, *, dry: bool) -> HttpResponse:
    made = services.start_repricing(project=request.project, asked=asked, dry=dry, actor=request.user.email)
    try:
        reprice.delay(made.pk)
    except BrokerError as error:
        # The run is a row; the timetable takes it up.
        log.warning("repricing_not_queued", run=made.pk, error=type(error).__name__)
        messages.warning(request, "The queue does not answer. The run starts by itself once it does.")
    return redirect("prices:run", request.project.slug, made.pk)


def _form_page(
    request: ProjectRequest,
    form: ModelPriceForm | ToolPriceForm,
    price: DatedPrice,
    *,
    tiers: BaseTierFormSet | None = None,
    status: int,
) -> HttpResponse:
    chosen = _range(request)
    context = {
        "form": form,
        "tiers": tiers,
        "price": price,
        "is_new": price.pk is None,
        "range": chosen,
        "around": _around(chosen),
        "offers": _offers(request, chosen),
    }
    return render(request, "costs/price.html", context, status=status)


def _repricing_page(request: ProjectRequest, form: RepricingForm, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "offers": _offers(request, _range(request))}
    return render(request, "costs/repricing.html", context, status=status)


def _ledger(
    request: ProjectRequest, chosen: TimeRange
) -> tuple[list[tuple[queries.UnpricedModel, bool]], str]:
    """Unpriced models, each with whether it has a price by now; and what kept them from being read, if something."""
    try:
        found = queries.unpriced_models(request.scope.during(chosen.window))
    except (QueryUnavailable, QueryTooLarge) as error:
        return [], _problem(request, error)
    book = loading.load(request.project.pk)
    return [(row, _is_priced(book, row)) for row in found], ""


def _is_priced(book: PriceBook, row: queries.UnpricedModel) -> bool:
    seen = int(row.last_seen.timestamp()) * 1_000_000_000
    return book.rates(row.model, row.provider or None, seen) is not None


def _offers(request: ProjectRequest, chosen: TimeRange) -> dict[str, Any]:
    """Suggestions are a convenience: a form works without them."""
    try:
        return dict(offers(queries.names(request.scope.during(chosen.window))))
    except (QueryUnavailable, QueryTooLarge) as error:
        _problem(request, error)
        return {}


def _problem(request: ProjectRequest, error: Exception) -> str:
    log.warning("prices_read_failed", project=request.project.slug, error=type(error).__name__)
    if isinstance(error, QueryTooLarge):
        return "That is more than one read may take. Choose a shorter time range."
    return "ClickHouse does not answer, so unpriced calls cannot be listed now. Prices can still be set."


def _with_state(found: Any, now: datetime) -> list[tuple[Any, str]]:
    """Each price with whether it holds: `now`, `later` or `ended`."""
    return [(price, _state(price, now)) for price in found]


def _state(price: DatedPrice, now: datetime) -> str:
    if price.holds_at(now):
        return "now"
    return "later" if price.valid_from is not None and price.valid_from > now else "ended"


def _range(request: ProjectRequest) -> TimeRange:
    given = request.GET.dict()
    if not given.get("from") and not given.get("to"):
        given.setdefault("range", DEFAULT_RANGE)
    zone = time_range.zone_of(request.project.time_zone)
    return time_range.parse(given, now=timezone.now(), zone=zone)


def _around(chosen: TimeRange) -> dict[str, str]:
    """The range in an address, said also where it is a default: pages do not share theirs."""
    return {"range": chosen.preset} if chosen.preset else chosen.parameters
