"""Tasks of the timetable: the worker says that it lives, and old counts are deleted."""

import time
from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from ingest import merge_store, services
from tracehouse import pulse

KEEP = timedelta(days=30)


@shared_task
def worker_heartbeat() -> None:
    """Run by whichever worker takes it: that it ran is the message."""
    pulse.worker_lives(time.time())


@shared_task
def delete_old_counts() -> int:
    """Deletes what was refused and counted longer ago than pages show; gives the number of rows."""
    return services.delete_counts_before(timezone.now() - KEEP)


@shared_task
def adapt_merging() -> int:
    """Has what a burst left merged, once it is over; gives the width of merges."""
    return merge_store.adapt()
