"""The steps of `make up`: each prints a line while it happens, and everything is stopped in reverse order."""

import json
import os
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from tracehouse.embedded.first_start import FirstStart, SignIn, greeting
from tracehouse.embedded.folder import DataFolder, Refused, port_is_free, write_private
from tracehouse.embedded.leftovers import Recorder, end_leftovers
from tracehouse.embedded.programs import Program, dying_with_parent, python
from tracehouse.embedded.settings import UpSettings
from tracehouse.embedded.stores import Store, log_tail, prepare_stores, wait_for, wait_until_ready
from tracehouse.embedded.supervise import Supervisor

LOOK_SECONDS = 1.0


class Stopped(Exception):
    """The user asked to stop while the start was still under way."""


class StepFailed(Exception):
    """A step of the start failed; the message says which and shows the end of its log."""


def run(stop: threading.Event) -> None:
    """Starts an installation, keeps it until `stop` is set, and stops it again."""
    settings = UpSettings.read()
    folder = DataFolder.open(settings.data)
    with folder.locked(), Recorder(folder) as recorder:
        _end_leftovers(folder)
        _check_port(settings)
        Installation(settings, folder, recorder, stop).run()


def _end_leftovers(folder: DataFolder) -> None:
    ended = end_leftovers(folder)
    if ended:
        _say(f"ended {ended} processes that an interrupted run had left behind")


def _check_port(settings: UpSettings) -> None:
    if not port_is_free(settings.host, settings.port):
        raise Refused(
            f"Port {settings.port} on {settings.host} is in use by another program. "
            "Set TRACEHOUSE_PORT to a free port, for example: make up TRACEHOUSE_PORT=8001"
        )


class Installation:
    """One run of everything. Each method is a step, in the order of `run`."""

    def __init__(
        self, settings: UpSettings, folder: DataFolder, recorder: Recorder, stop: threading.Event
    ) -> None:
        self._settings, self._folder, self._recorder, self._stop = settings, folder, recorder, stop
        self._started: list[str] = []

    def run(self) -> None:
        begun = time.monotonic()
        with self._step("stores prepared"):
            stores = prepare_stores(self._folder, os.environ)
        first_start = FirstStart(self._folder, os.environ)
        environment = self._environment(stores)
        platform = _platform_programs(self._settings, self._folder)
        programs = [*(store.program for store in stores), *platform]
        supervisor = Supervisor(self._folder, programs, environment)
        try:
            self._start_stores(supervisor, stores)
            sign_in = self._migrate(environment, first_start)
            write_private(self._folder.environment_file, json.dumps(_published(environment), indent=1))
            self._start_platform(supervisor, platform)
            print(greeting(sign_in, data=self._folder.root), flush=True)
            first_start.shown()
            _say(f"started in {time.monotonic() - begun:.1f} s")
            self._watch(supervisor)
        except Stopped:
            pass
        finally:
            self._folder.environment_file.unlink(missing_ok=True)
            self._stop_all(supervisor)

    def _environment(self, stores: list[Store]) -> dict[str, str]:
        """What the children get. Stores that the user named are passed on as they are."""
        return {
            **os.environ,
            **{store.variable: store.url for store in stores},
            "TRACEHOUSE_DATA": str(self._folder.root),
            "TRACEHOUSE_HOST": self._settings.host,
            "TRACEHOUSE_PORT": str(self._settings.port),
            "TRACEHOUSE_URL": self._settings.url,
            "TRACEHOUSE_SECRET_KEY": os.environ.get("TRACEHOUSE_SECRET_KEY") or self._folder.secret("django"),
            "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE") or "tracehouse.settings.base",
            "PYTHONUNBUFFERED": "1",
        }

    def _start_stores(self, supervisor: Supervisor, stores: list[Store]) -> None:
        for store in stores:
            self._start(supervisor, store.program)
        for store in stores:
            with self._step(f"{store.title} answers"):
                wait_until_ready(self._stoppable(store), supervisor, self._folder)

    def _stoppable(self, store: Store) -> Store:
        """The store, with a probe that ends the waiting when the user wants to stop."""

        def probe(url: str) -> None:
            if self._stop.is_set():
                raise Stopped
            store.probe(url)

        return replace(store, probe=probe)

    def _migrate(self, environment: Mapping[str, str], first_start: FirstStart) -> SignIn:
        with self._step("PostgreSQL's tables are up to date"):
            self._manage(environment, "migrate", "--no-input")
        with self._step("ClickHouse's tables are up to date"):
            self._manage(environment, "migrate_clickhouse")
        with self._step("first project, administrator and key are there"):
            reported = self._manage({**environment, **first_start.environment}, "bootstrap")
        return first_start.complete(reported.strip().splitlines()[-1])

    def _manage(self, environment: Mapping[str, str], *arguments: str) -> str:
        """Runs a management command; its output lands in a log as well."""
        log = self._folder.log(arguments[0])
        with log.open("w") as errors:
            process = subprocess.Popen(
                [*dying_with_parent("KILL"), *python("-m", "django", *arguments)],
                env=dict(environment),
                stdout=subprocess.PIPE,
                stderr=errors,
                stdin=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
            )
            output = self._finish(process)
        if process.returncode:
            log.write_text(output + log.read_text())
            raise StepFailed(f"`manage.py {arguments[0]}` failed.\n{log_tail(log)}")
        return output

    def _finish(self, process: subprocess.Popen[str]) -> str:
        """Waits for a command, but ends it when the user wants to stop."""
        while True:
            try:
                return process.communicate(timeout=0.2)[0]
            except subprocess.TimeoutExpired:
                if self._stop.is_set():
                    process.terminate()
                    process.communicate()
                    raise Stopped from None

    def _start_platform(self, supervisor: Supervisor, programs: list[Program]) -> None:
        """Web first, alone on the processors: it is what somebody waits for."""
        web, *others = programs
        self._start(supervisor, web)
        with self._step(f"web server answers at {self._settings.local_url}"):
            wait_for(
                self._ask_readyz,
                title="The web server",
                program=web.name,
                folder=self._folder,
                supervisor=supervisor,
            )
        for program in others:
            self._start(supervisor, program)

    def _start(self, supervisor: Supervisor, program: Program) -> None:
        supervisor.start(program.name)
        self._started.append(program.name)
        self._recorder.record()

    def _ask_readyz(self) -> None:
        if self._stop.is_set():
            raise Stopped
        with urllib.request.urlopen(f"{self._settings.local_url}/readyz", timeout=10) as answer:  # noqa: S310
            answer.read()

    @contextmanager
    def _step(self, title: str) -> Iterator[None]:
        """Prints what is waited for, and then how long it took."""
        if self._stop.is_set():
            raise Stopped
        begun = time.monotonic()
        print(f"  {title} ...", end="", flush=True)
        try:
            yield
        except BaseException:
            print(" no", flush=True)
            raise
        print(f" {time.monotonic() - begun:.1f} s", flush=True)

    def _watch(self, supervisor: Supervisor) -> None:
        """Says when a program ended and was started again. Returns when the user wants to stop."""
        pids = _pids(supervisor)
        while not self._stop.wait(LOOK_SECONDS):
            now = _pids(supervisor)
            for name, pid in now.items():
                if pid and pids.get(name) and pid != pids[name]:
                    _say(f"{name} had ended and was started again; its log: {self._folder.log(name)}")
            pids = {name: pid or pids.get(name, 0) for name, pid in now.items()}

    def _stop_all(self, supervisor: Supervisor) -> None:
        begun = time.monotonic()
        while self._started and supervisor.running():
            name = self._started.pop()
            print(f"  stopping {name} ...", end="", flush=True)
            one = time.monotonic()
            supervisor.stop(name)
            print(f" {time.monotonic() - one:.1f} s", flush=True)
        supervisor.close()
        _say(f"stopped in {time.monotonic() - begun:.1f} s; the data is kept in {self._folder.root}")


def _platform_programs(settings: UpSettings, folder: DataFolder) -> list[Program]:
    celery = python("-m", "celery", "-A", "tracehouse.celery")
    here = folder.root
    return [
        Program(
            "web",
            python("-m", "gunicorn", "-c", "python:tracehouse.gunicorn", "tracehouse.wsgi:application"),
            here,
        ),
        Program(
            "worker",
            [*celery, "worker", "--loglevel", "INFO", "--concurrency", str(settings.worker_processes)],
            here,
            # TERM lets running tasks finish. An orphan has nobody to wait for it: tasks are redelivered.
            orphan_signal="QUIT",
        ),
        Program(
            "beat",
            [*celery, "beat", "--schedule", "beat-schedule", "--pidfile="],
            here,
            orphan_signal="KILL",
        ),
    ]


def _published(environment: Mapping[str, str]) -> dict[str, str]:
    """What `run/env.json` tells commands and benchmarks about the running installation."""
    names = (
        *("DATABASE_URL", "CLICKHOUSE_URL", "REDIS_URL", "TRACEHOUSE_DATA", "TRACEHOUSE_HOST"),
        *("TRACEHOUSE_PORT", "TRACEHOUSE_URL", "TRACEHOUSE_SECRET_KEY"),
    )
    return {name: environment[name] for name in names}


def _pids(supervisor: Supervisor) -> dict[str, int]:
    return {process["name"]: process["pid"] for process in supervisor.processes()}


def _say(text: str) -> None:
    print(f"  {text}", flush=True)
