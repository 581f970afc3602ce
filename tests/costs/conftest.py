"""Tasks that run in the process that asks for them."""

from collections.abc import Iterator

import pytest

from tracehouse.celery import app


@pytest.fixture
def tasks_run_at_once() -> Iterator[None]:
    before = app.conf.task_always_eager, app.conf.task_eager_propagates
    app.conf.task_always_eager = app.conf.task_eager_propagates = True
    yield
    app.conf.task_always_eager, app.conf.task_eager_propagates = before
