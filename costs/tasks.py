"""Re-pricing, the roll-up and weekly reports. Tasks only move on: one too many or one lost changes nothing."""

import structlog
from celery import Task, shared_task
from django.utils import timezone

from costs import report_services, rollup, services
from costs.services import Progress
from tracehouse.clickhouse.insert import InsertUnavailable
from tracehouse.clickhouse.query import QueryTooLarge, QueryUnavailable

# A task works for this long, then lets others have the worker and goes on in a new one.
WORK_SECONDS = 60.0
BUSY_SECONDS = 3
RETRY_SECONDS = 15
MAX_RETRIES = 20
ROLL_UP_SECONDS = 240.0

log = structlog.get_logger()


@shared_task(bind=True, max_retries=MAX_RETRIES)
def reprice(self: "Task[[int], None]", run_id: int) -> None:
    """Moves a run on until it is finished."""
    try:
        progress = services.advance(run_id, seconds=WORK_SECONDS)
    except (QueryUnavailable, InsertUnavailable) as error:
        if self.request.retries >= MAX_RETRIES:
            services.fail(run_id, "ClickHouse does not answer. Start it again once it does.")
            raise
        raise self.retry(exc=error, countdown=RETRY_SECONDS) from error
    except QueryTooLarge:
        services.fail(run_id, "A day holds more than one read may take. Choose fewer days or one model.")
        raise
    except Exception as error:
        # The class alone is shown: the text of an error may quote what spans carry.
        services.fail(
            run_id, f"It stopped with an error of ours ({type(error).__name__}); the log has the rest."
        )
        raise
    if progress is not Progress.FINISHED:
        reprice.apply_async((run_id,), countdown=BUSY_SECONDS if progress is Progress.BUSY else 0)


@shared_task
def resume_repricings() -> None:
    """Takes up runs whose task was lost: by a broker that was away, or a worker that was killed for good."""
    for run_id in services.lost_runs(timezone.now()):
        log.info("repricing_resumed", run=run_id)
        reprice.delay(run_id)


@shared_task
def roll_up() -> None:
    """Has every project rolled up; each for itself, so that one with much to do keeps no other waiting."""
    for project_id in rollup.projects():
        roll_up_project.delay(project_id)


@shared_task
def roll_up_project(project_id: int) -> None:
    """Rolls up what was written since the last time, and comes again where there is more than a task's time allows.

    A store that is away is left to the next hour: nothing is lost by then.
    """
    if not rollup.roll_up(project_id, seconds=ROLL_UP_SECONDS):
        roll_up_project.delay(project_id)


@shared_task
def delete_superseded_costs() -> None:
    """Deletes what the roll-up has written anew since."""
    for project_id in rollup.projects():
        rollup.delete_superseded(project_id)


@shared_task
def weekly_reports() -> None:
    """Has due reports made and waiting deliveries tried: what is due follows from the rows, not from this tick."""
    now = timezone.now()
    for project_id in report_services.due_projects(now):
        make_weekly_reports.delay(project_id)
    for delivery_id in report_services.due_deliveries(now):
        deliver_report.delay(delivery_id)


@shared_task
def make_weekly_reports(project_id: int) -> None:
    """A store that is away is left to the next minute."""
    for delivery_id in report_services.make_due_reports(project_id, now=timezone.now()):
        deliver_report.delay(delivery_id)


@shared_task
def deliver_report(delivery_id: int) -> None:
    report_services.deliver(delivery_id, now=timezone.now())
