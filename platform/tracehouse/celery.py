"""The Celery application of worker and beat; tasks live in each app's `tasks.py`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracehouse.settings.base")
app = Celery("tracehouse")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
