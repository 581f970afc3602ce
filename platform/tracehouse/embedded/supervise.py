"""Runs supervisord for a set of programs and talks to it: start one, stop one, ask for states, stop all."""

import http.client
import secrets
import subprocess
import time
import xmlrpc.client
from collections.abc import Mapping, Sequence
from typing import Any

from tracehouse.embedded.folder import DataFolder, write_private
from tracehouse.embedded.programs import Program, dying_with_parent, python, write_script

CONTROL_PORT = "supervisor"
_ANSWER_SECONDS = 20.0

_HEAD = """\
[supervisord]
nodaemon=true
silent=true
logfile=../logs/supervisor.log
logfile_maxbytes=5MB
logfile_backups=1
pidfile=supervisord.pid
loglevel=info

[inet_http_server]
port=127.0.0.1:{port}
username=tracehouse
password={password}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""

# Restarted whenever it ends; a program that cannot start is tried again with growing pauses.
_PROGRAM = """
[program:{name}]
command=/bin/sh {name}.sh
autostart=false
autorestart=true
startsecs=1
startretries=1000
stopsignal={stop_signal}
stopwaitsecs={stop_seconds}
stopasgroup=false
killasgroup=true
redirect_stderr=true
stdout_logfile=../logs/{name}.log
stdout_logfile_maxbytes=20MB
stdout_logfile_backups=2
"""


class SupervisorLost(Exception):
    """Supervisord does not answer or could not do what was asked."""


class Supervisor:
    """A supervisord of our own, in a session of its own so that Ctrl-C in a terminal reaches only us."""

    def __init__(
        self, folder: DataFolder, programs: Sequence[Program], environment: Mapping[str, str]
    ) -> None:
        self._folder = folder
        self.names = [program.name for program in programs]
        port, password = folder.ports([CONTROL_PORT])[CONTROL_PORT], secrets.token_hex(16)
        for program in programs:
            write_script(program, folder.run)
        config = _HEAD.format(port=port, password=password) + "".join(map(_section, programs))
        write_private(folder.run / "supervisord.conf", config)
        self._rpc: Any = xmlrpc.client.ServerProxy(f"http://tracehouse:{password}@127.0.0.1:{port}/RPC2")
        self._process = self._spawn(environment)
        self._wait_until_it_answers()

    def _spawn(self, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        command = python("-W", "ignore", "-m", "supervisor.supervisord", "-n", "-c", "supervisord.conf")
        with self._folder.log("supervisor").open("ab") as log:
            return subprocess.Popen(
                [*dying_with_parent("TERM"), *command],
                cwd=self._folder.run,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _wait_until_it_answers(self) -> None:
        end = time.monotonic() + _ANSWER_SECONDS
        while True:
            try:
                return self._ask_state()
            except (OSError, xmlrpc.client.Error, http.client.HTTPException) as error:
                if time.monotonic() > end or self._process.poll() is not None:
                    self.close()
                    raise SupervisorLost(f"supervisord did not start: {error}") from error
                time.sleep(0.03)

    def _ask_state(self) -> None:
        self._rpc.supervisor.getState()

    def start(self, name: str) -> None:
        self._call("startProcess", name, False)

    def stop(self, name: str) -> None:
        """Returns when the program has ended; past its time it is killed."""
        self._call("stopProcess", name, True)

    def processes(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("getAllProcessInfo")
        return found

    def started_at(self, name: str) -> int:
        """When a program was last started, in seconds since 1970; 0 before that."""
        started: int = self._call("getProcessInfo", name)["start"]
        return started

    def running(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        """Ends supervisord, which stops whatever still runs."""
        self._rpc("close")()
        if self.running():
            self._process.terminate()
        try:
            self._process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _call(self, method: str, *arguments: object) -> Any:
        try:
            return getattr(self._rpc.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            raise SupervisorLost(f"supervisor refused {method}{arguments}: {fault.faultString}") from fault
        except (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError) as error:
            raise SupervisorLost(f"supervisord does not answer: {error}") from error


def _section(program: Program) -> str:
    return _PROGRAM.format(
        name=program.name, stop_signal=program.stop_signal, stop_seconds=program.stop_seconds
    )
