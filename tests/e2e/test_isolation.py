"""Another project's key or member sees nothing, on any route there is."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from costs.models import Budget, BudgetPeriod, Limited, Report, ReportSettings
from costs.report import Compared, Used, as_data
from evals.score import Score, Source, Subject
from evals.services import write_scores
from ingest.policies import policy_of
from tests import cast
from tests.cast import store_spans
from tests.costs.money import plan, spend
from tests.costs.test_report import weekly
from tracehouse.tenancy.models import Project, User
from traces.models import SavedView
from traces.span import Kind, Span, Status, Usage

pytestmark = [pytest.mark.django_db, pytest.mark.clickhouse]

MARK = "owners-secret-text"
# What the page of a trace shows of its one span, and the whole text of its input.
STEPS = (f"?view=graph&show=otlp&span={'1' * 16}", f"?span={'1' * 16}&of=input")
TRACE = "15a7ed" * 5 + "00"
IDS = f"?id={MARK}&a={TRACE}&b={TRACE}&session_id={MARK}&user_id={MARK}&organization_id={MARK}"
SHOWING = [
    "/api/v1/traces",
    f"/api/v1/traces/{TRACE}",
    "/api/v1/usage?group_by=user_id",
    "/api/v1/sessions",
    f"/api/v1/sessions/{MARK}",
    f"/api/v1/session?session_id={MARK}",
    "/api/v1/users",
    f"/api/v1/users/{MARK}",
    f"/api/v1/user?user_id={MARK}",
    "/api/v1/organizations",
    f"/api/v1/organizations/{MARK}",
    f"/api/v1/organization?organization_id={MARK}",
]
SCORE = "owners-score"


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield path
        else:
            yield from routes(entry, path)


def filled(route: str, slug: str) -> str:
    """A path of the route with the owner's ids in it."""
    path = "/" + re.sub(r"\^|\$|\\Z", "", route)
    return re.sub(
        r"<[^>]*?(\w+)>",
        lambda found: {"slug": slug, "trace_id": TRACE, "score_id": SCORE}.get(found[1], "1"),
        path,
    )


ROUTES = sorted(route for route in routes(get_resolver()) if not route.startswith(("admin/", "static/")))


@pytest.fixture
def owners_trace(project: Project, clickhouse: None) -> str:
    now = time.time_ns()
    store_spans(
        [
            Span(
                project_id=project.pk,
                trace_id=TRACE,
                span_id="1" * 16,
                parent_id="",
                start_ns=now - 10**9,
                end_ns=now,
                name=MARK,
                kind=Kind.LLM,
                status=Status.ERROR,
                model=MARK,
                user_id=MARK,
                session_id=MARK,
                organization_id=MARK,
                feature=MARK,
                usage=Usage(output=1),
                input=MARK,
            )
        ]
    )
    mark = Score(
        id=SCORE,
        name=MARK,
        value=MARK,
        subject=Subject(trace_id=TRACE),
        source=Source.API,
        time=datetime.now(UTC),
    )
    write_scores(project_id=project.pk, scores=[mark], policy=policy_of(project))
    SavedView.objects.create(project=project, name=MARK, shared=True)
    today = datetime.now(UTC).date()
    spend(project, MARK, "90", on=today, feature=MARK, organization_id=MARK)
    plan(project, MARK, "49", since=today, name=MARK)
    Budget.objects.create(
        project=project, subject=Limited.USER, key=MARK, period=BudgetPeriod.DAY, limit_usd=50
    )
    spender = Compared(MARK, Used(Decimal(90), 1), Used())
    content = weekly(project=MARK, slug=project.slug, spenders=(spender,))
    # The number that `filled` puts into addresses.
    Report.objects.create(
        pk=1,
        project=project,
        first_day=content.first_day,
        content=as_data(content),
        made_at=content.made_at,
    )
    ReportSettings.objects.create(project=project, recipients=[f"{MARK}@example.com"])
    return TRACE


def test_the_list_of_routes_covers_what_shows_traces() -> None:
    shown = {"api/v1/traces", "api/v1/traces/<str:trace_id>", "api/v1/usage", "p/<slug:slug>/traces"}
    shown |= {"api/v1/traces/export", "p/<slug:slug>/traces/export", "api/v1/traces/compare", "api/v1/views"}
    scored = {"api/v1/scores", "api/v1/scores/<str:score_id>", "p/<slug:slug>/feedback"}
    paid = {"api/v1/plans", "api/v1/unit-economics", "api/v1/budgets", "api/v1/anomalies"}
    paid |= {"api/v1/cost-reports/<int:report_id>", "p/<slug:slug>/costs/reports/<int:report_id>.html"}
    assert shown | scored | paid <= set(ROUTES)


@pytest.mark.parametrize("route", ROUTES)
def test_a_strangers_key_and_session_see_nothing_of_the_owners(
    route: str, owners_trace: str, project: Project, stranger: User
) -> None:
    elsewhere = Project.objects.get(team__memberships__user=stranger)
    key = cast.secret_key(elsewhere, stranger)
    path = filled(route, project.slug)
    with_key, with_session = Client(headers={"Authorization": f"Bearer {key}"}), Client()
    with_session.force_login(stranger)
    for client in (with_key, with_session):
        for query in ("", "?group_by=user_id", "?group_by=model", IDS, *(STEPS if TRACE in path else ())):
            answer: Any = client.get(path + query)
            assert answer.status_code != 500
            assert MARK.encode() not in answer.getvalue()


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/traces",
        f"/api/v1/traces/{TRACE}",
        "/api/v1/traces/export",
        "/api/v1/traces/export?include=spans",
        f"/api/v1/traces/compare?a={TRACE}&b={TRACE}",
        "/api/v1/views",
        "/api/v1/usage?group_by=user_id",
        "/api/v1/scores",
        f"/api/v1/scores/{SCORE}",
        "/api/v1/plans",
        "/api/v1/unit-economics",
        "/api/v1/budgets",
        "/api/v1/cost-reports/1",
        "/api/v1/anomalies",
    ],
)
def test_the_owners_key_sees_it(path: str, owners_trace: str, api_key: str) -> None:
    answer: Any = Client(headers={"Authorization": f"Bearer {api_key}"}).get(path)
    assert answer.status_code == 200
    assert MARK.encode() in answer.getvalue()


@pytest.mark.parametrize(
    "path",
    ["/api/v1/traces", f"/api/v1/traces/{TRACE}", "/api/v1/usage?group_by=user_id", "/api/v1/scores"],
)
def test_without_a_key_the_answer_is_401_and_with_another_projects_name_403(
    path: str, clickhouse: None, api_key: str
) -> None:
    nobody = Client().get(path)
    assert (nobody.status_code, nobody.headers["WWW-Authenticate"][:5]) == (401, "Basic")
    named = Client(headers={"Authorization": f"Bearer {api_key}", "X-Tracehouse-Project": "elsewhere"}).get(
        path
    )
    assert named.status_code == 403
