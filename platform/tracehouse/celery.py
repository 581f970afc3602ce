"""The Celery application of worker and beat; tasks live in each app's `tasks.py`."""

import os
import time
from typing import Any

from celery import Celery
from celery.signals import task_failure, task_retry, task_success

from tracehouse import pulse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracehouse.settings.base")
app = Celery("tracehouse")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@task_success.connect
def _succeeded(sender: Any, **_: object) -> None:
    pulse.count_outcome(sender.name, "succeeded")


@task_retry.connect
def _retried(sender: Any, **_: object) -> None:
    pulse.count_outcome(sender.name, "retried")


@task_failure.connect
def _failed(sender: Any, exception: BaseException, **_: object) -> None:
    pulse.count_outcome(sender.name, "failed")
    pulse.keep_failure(pulse.Failure(sender.name, type(exception).__name__, time.time()))
