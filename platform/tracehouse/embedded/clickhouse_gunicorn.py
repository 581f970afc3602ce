"""How gunicorn runs the embedded ClickHouse: one worker, because the engine allows one process a folder."""

import ctypes
import signal
import sys
from typing import Any

from tracehouse.embedded.clickhouse_config import ServerConfig

_config = ServerConfig.from_environment()
_PR_SET_PDEATHSIG = 1

bind = [f"127.0.0.1:{_config.port}"]
workers = 1
worker_class = "gthread"
# More threads than queries may run: those beyond the bound wait for a slot and then get their 503.
threads = _config.max_queries * 3
worker_connections = 1000
# A long merge or query is no reason to end the engine; supervisor restarts it when it dies.
timeout = 0
graceful_timeout = 15
keepalive = 75
limit_request_line = 0
control_socket_disable = True


def post_fork(_server: Any, _worker: Any) -> None:
    """Dies with its master at once, so that a new one finds the data folder free."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def worker_exit(_server: Any, worker: Any) -> None:
    """Closes the engine, which finishes what it has begun to write."""
    application = worker.wsgi
    if application is not None:
        application.close()
