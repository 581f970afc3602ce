"""The pages of plans and budgets: who reads, who sets, and files of plans that are looked at before they are taken."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import IntegrityError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from costs import budget_queries, budget_services, plan_csv, plan_services
from costs.budgeting import State
from costs.days import day_of
from costs.margin_views import scope_and_zone
from costs.models import Budget, Limited, Payer, Plan
from costs.plan_forms import BudgetForm, ImportForm, KeyedForm, PlanForm
from costs.revenue import PlanPrice, with_last_days
from costs.views import form_page
from tracehouse.tenancy.identity import stored_identity
from tracehouse.tenancy.models import Role
from tracehouse.tenancy.permissions import ProjectRequest, may, project_page
from tracehouse.web import spreadsheet
from traces.views import explains_failed_reads

PAGE = 50
SHOWN_CHANGES = 50
SHOWN_STANDINGS = 20
MAX_WORDS = 200


@require_safe
@project_page()
def plans(request: ProjectRequest) -> HttpResponse:
    _, zone = scope_and_zone(request)
    words = request.GET.get("q", "").strip()[:MAX_WORDS]
    found = Plan.objects.filter(project=request.project)
    if words:
        found = found.filter(key__icontains=stored_identity(request.project)(words))
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    today = day_of(timezone.now(), zone)
    context = {
        "page": page,
        "rows": _with_states(list(page.object_list), today),
        "words": words,
        "pairs": {"q": words} if words else {},
        "is_admin": may(request.role, Role.ADMIN),
        "nothing": {},  # for links that keep nothing of the address
    }
    return render(request, "costs/plans.html", context)


@require_safe
@project_page()
def plans_csv(request: ProjectRequest) -> HttpResponse:
    """All plans, as an import takes them."""
    header = ("user_id", "organization_id", "plan", "monthly_usd", "from", "to")
    rows = [
        (
            plan.key if plan.subject == Payer.USER else "",
            plan.key if plan.subject == Payer.ORGANIZATION else "",
            plan.name,
            plan.monthly_usd,
            plan.first_day,
            plan.last_day,
        )
        for plan in Plan.objects.filter(project=request.project)
    ]
    return spreadsheet.download("plans.csv", spreadsheet.as_csv(header, rows))


@form_page
@project_page(Role.ADMIN)
def new_plan(request: ProjectRequest) -> HttpResponse:
    asked = request.GET
    subject = asked["subject"] if asked.get("subject") in Payer.values else Payer.USER.value
    _, zone = scope_and_zone(request)
    first = day_of(timezone.now(), zone).replace(day=1)
    return _plan(request, Plan(subject=subject, key=asked.get("key", "")[:MAX_WORDS], first_day=first))


@form_page
@project_page(Role.ADMIN)
def change_plan(request: ProjectRequest, plan_id: int) -> HttpResponse:
    return _plan(request, get_object_or_404(Plan, pk=plan_id, project=request.project))


@require_POST
@project_page(Role.ADMIN)
def delete_plan(request: ProjectRequest, plan_id: int) -> HttpResponse:
    plan = get_object_or_404(Plan, pk=plan_id, project=request.project)
    plan_services.delete_plan(plan, actor=request.user.email)
    messages.success(request, f"The price of {plan.key} from {plan.first_day} is deleted.")
    return redirect("economics:plans", request.project.slug)


@form_page
@project_page(Role.ADMIN)
def import_plans(request: ProjectRequest) -> HttpResponse:
    """A file is looked at first; what comes back to be taken holds stored ids only, and is read again."""
    if request.method != "POST":
        return _import_page(request, ImportForm())
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return _import_page(request, form, status=400)
    parsed = plan_csv.parse(form.content, stored_identity(request.project))
    if parsed.problems:
        return _import_page(request, form, parsed=parsed, status=400)
    if request.POST.get("then") == "import":
        done = plan_services.import_plans(parsed.rows, project=request.project, actor=request.user.email)
        messages.success(
            request,
            f"{len(done.new):,} prices are new, {len(done.changed):,} changed, {done.unchanged:,} stay as they were.",
        )
        return redirect("economics:plans", request.project.slug)
    changes = plan_services.compare(request.project, parsed.rows)
    context = {
        "changes": changes,
        "shown": changes.all[:SHOWN_CHANGES],
        "left_out": max(len(changes.all) - SHOWN_CHANGES, 0),
        "text": plan_csv.written(parsed.rows),
    }
    return render(request, "costs/import_preview.html", context)


@require_safe
@project_page()
@explains_failed_reads
def budgets(request: ProjectRequest) -> HttpResponse:
    scope, _ = scope_and_zone(request)
    states = budget_queries.budget_states(scope, now=timezone.now())
    context = {
        "states": [
            (one, one.standings[:SHOWN_STANDINGS], max(len(one.standings) - SHOWN_STANDINGS, 0))
            for one in states
        ],
        "over": sum(one.state is State.OVER for one in states),
        "is_admin": may(request.role, Role.ADMIN),
        "nothing": {},  # for links that keep nothing of the address
    }
    return render(request, "costs/budgets.html", context)


@form_page
@project_page(Role.ADMIN)
def new_budget(request: ProjectRequest) -> HttpResponse:
    asked = request.GET
    subject = asked["subject"] if asked.get("subject") in Limited.values else Limited.EACH_USER.value
    return _budget(request, Budget(subject=subject, key=asked.get("key", "")[:MAX_WORDS]))


@form_page
@project_page(Role.ADMIN)
def change_budget(request: ProjectRequest, budget_id: int) -> HttpResponse:
    return _budget(request, get_object_or_404(Budget, pk=budget_id, project=request.project))


@require_POST
@project_page(Role.ADMIN)
def delete_budget(request: ProjectRequest, budget_id: int) -> HttpResponse:
    budget = get_object_or_404(Budget, pk=budget_id, project=request.project)
    budget_services.delete_budget(budget, actor=request.user.email)
    messages.success(request, f"The budget of {budget} is deleted.")
    return redirect("economics:budgets", request.project.slug)


def _plan(request: ProjectRequest, plan: Plan) -> HttpResponse:
    form = PlanForm(request.POST or None, instance=plan, project=request.project)
    return _form_page(
        request,
        form,
        plan_services.save_plan,
        name="plan",
        taken="This customer has a price from that day on already. Change that one.",
    )


def _budget(request: ProjectRequest, budget: Budget) -> HttpResponse:
    form = BudgetForm(request.POST or None, instance=budget, project=request.project)
    return _form_page(
        request,
        form,
        budget_services.save_budget,
        name="budget",
        taken="There is a budget for this and the same period already. Change that one.",
    )


def _form_page(
    request: ProjectRequest, form: KeyedForm, save: Callable[..., None], *, name: str, taken: str
) -> HttpResponse:
    """The form of one row; once it is saved, the list of them."""
    is_new = form.instance.pk is None
    if request.method == "POST" and form.is_valid():
        try:
            save(form.instance, actor=request.user.email)
        except IntegrityError:  # somebody set another one in between
            form.add_error(None, taken)
        else:
            messages.success(request, f"The {name} of {form.instance.who} is saved.")
            return redirect(f"economics:{name}s", request.project.slug)
    status = 400 if request.method == "POST" else 200
    context = {"form": form, name: form.instance, "is_new": is_new}
    return render(request, f"costs/{name}.html", context, status=status)


def _import_page(
    request: ProjectRequest, form: ImportForm, *, parsed: plan_csv.Parsed | None = None, status: int = 200
) -> HttpResponse:
    context = {"form": form, "parsed": parsed, "columns": plan_csv.COLUMNS}
    return render(request, "costs/import.html", context, status=status)


def _with_states(found: list[Plan], today: date) -> list[tuple[Plan, str]]:
    """Each price with whether it holds: `now`, `later` or `ended`. Needs the customer's other prices too."""
    keys = {plan.key for plan in found}
    kept = Plan.objects.filter(project__in={plan.project_id for plan in found}, key__in=keys)
    last_days: dict[tuple[str, str, date], date | None] = {}
    by_customer: dict[tuple[str, str], list[PlanPrice]] = {}
    for plan in kept:
        price = PlanPrice(plan.monthly_usd, plan.first_day, plan.last_day)
        by_customer.setdefault((plan.subject, plan.key), []).append(price)
    for customer, prices in by_customer.items():
        for price, last in with_last_days(prices):
            last_days[*customer, price.first_day] = last
    return [(plan, _state(plan, last_days[plan.subject, plan.key, plan.first_day], today)) for plan in found]


def _state(plan: Plan, last: date | None, today: date) -> Any:
    if plan.first_day > today:
        return "later"
    return "ended" if last is not None and last < today else "now"
