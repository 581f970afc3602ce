"""How gunicorn runs the web processes: `gunicorn -c python:tracehouse.gunicorn tracehouse.wsgi:application`."""

import gc
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from tracehouse import env, metrics_folder, web_worker

bind = [f"{env.text('TRACEHOUSE_HOST')}:{env.integer('TRACEHOUSE_PORT')}"]
workers = env.integer("TRACEHOUSE_WEB_WORKERS")
worker_class = "tracehouse.web_worker.BalancedWorker"
threads = env.integer("TRACEHOUSE_WEB_THREADS")
# A body that trickles in or a slow query must not end the process with its other requests; only a
# process that no longer answers the arbiter at all is replaced.
timeout = 120
graceful_timeout = 30
keepalive = 75
control_socket_disable = True


def on_starting(server: Any) -> None:
    """Before the first fork, so that all processes count into one folder."""
    metrics_folder.take(env.path("TRACEHOUSE_DATA") / "metrics")


def post_worker_init(worker: Any) -> None:
    """Starts what each web process runs beside its requests, and tunes the collection of garbage.

    What start-up made lives as long as the process: collections of garbage need not walk it again and again.

    Ingest allocates many small containers that are freed by their count, so that collections may be rare.
    """
    for name in settings.WEB_PROCESS_RUNS:
        import_string(name)()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def child_exit(server: Any, worker: Any) -> None:
    """In the arbiter, whichever way the worker ended."""
    web_worker.forget(worker.age)
