"""`make bench` and `make bench-query`: measure on fresh installations, and write docs/benchmarks.md."""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from bench import (
    dashboard,
    explorer,
    floor,
    load,
    machine,
    many,
    processes,
    queries,
    report,
    rollup,
    steady,
    store,
    stored,
    workload,
)
from bench.installation import DidNotStart, Installation, fresh
from ingest.demo.platform import PlatformUnavailable, Refused

Run = TypeVar("Run", report.IngestRun, report.QueryRun, load.Figures)
SPANS, CONNECTIONS, RUNS = 150_000, 4, 2
SMALL_REQUESTS = 8_000
WARM_UP_SPANS = 1000
PARTS = ("ingest", "small", "steady", "queries", "rollup", "dashboard")


def main() -> int:
    options = _options()
    if not options.only:
        # Each in a process of its own: Django knows the stores of one installation, the first that it is told.
        bench = (sys.executable, "-m", "bench", *sys.argv[1:])
        codes = [subprocess.run((*bench, "--only", part), check=False).returncode for part in PARTS]
        return int(any(codes))  # one that a signal ended has a code below 0
    try:
        _publish(options.only, _measured(options), options)
    except (DidNotStart, PlatformUnavailable, Refused, load.NotAllVisible) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


def _measured(options: argparse.Namespace) -> str:
    """The section of the page."""
    on = machine.describe()
    match options.only:
        case "ingest":
            section = report.ingest_section(on, _runs(options, _ingest))
        case "small":
            section = report.small_section(on, _runs(options, _small))
        case "queries":
            section = report.query_section(on, _runs(options, _read))
        case _:
            with _installation(options) as installation:
                section = _measured_once(options, on, installation)
    return section


def _measured_once(options: argparse.Namespace, on: machine.Machine, installation: Installation) -> str:
    match options.only:
        case "steady":
            minutes = steady.measure(installation, options.connections, options.minutes)
            section = report.steady_section(on, minutes)
        case "rollup":
            rolled = rollup.measure(installation, store.connect(installation))
            section = report.rollup_section(on, rolled)
        case "dashboard":
            shown = dashboard.measure(installation, store.connect(installation))
            section = report.dashboard_section(on, shown)
        case _:
            section = report.explorer_section(on, _explore(options, installation))
    return section


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--only",
        choices=("", *PARTS, "explorer"),
        default="",
        help="one part instead of all but explorer, which stores ten million spans",
    )
    parser.add_argument("--spans", type=int, default=SPANS, help="spans sent a run (default %(default)s)")
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    parser.add_argument("--runs", type=int, default=RUNS, help="each on a fresh installation")
    parser.add_argument("--minutes", type=int, default=steady.MINUTES, help="of load, for steady")
    parser.add_argument("--url", default="", help="measure this running installation instead of a fresh one")
    parser.add_argument("--key", default="", help="secret key for --url")
    parser.add_argument("--data", type=Path, help="data folder of the installation at --url")
    parser.add_argument(
        "--filled", action="store_true", help="the installation at --url has the spans already"
    )
    parser.add_argument("--no-write", action="store_true", help="leave docs/benchmarks.md as it is")
    options = parser.parse_args()
    if options.url and not (options.key and options.data):
        parser.error("--url needs --key and --data")
    return options


def _runs(
    options: argparse.Namespace, run: Callable[[argparse.Namespace, Installation, int], Run]
) -> list[Run]:
    results = []
    for number in range(1, options.runs + 1):
        print(f"bench: run {number} of {options.runs}", file=sys.stderr)
        with _installation(options) as installation:
            results.append(run(options, installation, number))
    return results


@contextmanager
def _installation(options: argparse.Namespace) -> Iterator[Installation]:
    if options.url:
        yield Installation(url=options.url, secret=options.key, data=options.data.resolve())
        return
    with fresh() as installation:
        yield installation


def _ingest(options: argparse.Namespace, installation: Installation, number: int) -> report.IngestRun:
    """Generates the bytes, sends a little to warm the processes up, then measures."""
    now = datetime.now(UTC)
    load.measure(installation, workload.build(WARM_UP_SPANS, now, seed=1000 + number), options.connections)
    work = workload.build(options.spans, now, seed=workload.SEED + number)
    client = store.connect(installation)
    before, generator = processes.measure(installation.data), time.process_time()
    figures = load.measure(installation, work, options.connections)
    generator, after = time.process_time() - generator, processes.measure(installation.data)
    return report.IngestRun(
        figures=figures,
        bytes_a_span=work.size / work.spans,
        disk=store.disk(client),
        processes=after,
        cpu={report.GENERATOR: generator, **processes.cpu_between(before, after)},
        floor=floor.measure(client, work),
    )


def _small(options: argparse.Namespace, installation: Installation, number: int) -> load.Figures:
    now = datetime.now(UTC)
    load.measure(installation, workload.build(WARM_UP_SPANS, now, seed=3000 + number), options.connections)
    work = workload.build(SMALL_REQUESTS, now, seed=4000 + number, spans_a_request=1)
    return load.measure(installation, work, options.connections)


def _read(options: argparse.Namespace, installation: Installation, number: int) -> report.QueryRun:
    """Stores the spans under the project that a first real span was stored under."""
    now = datetime.now(UTC)
    load.measure(installation, workload.build(10, now, seed=2000 + number), 1)
    client = store.connect(installation)
    project_id = store.project_id(client)
    spans = stored.fill(client, project_id)
    rollup.roll_up(installation, project_id)
    disk = store.disk(client)
    return report.QueryRun(spans=spans, disk=disk, readings=queries.measure(installation))


def _explore(options: argparse.Namespace, installation: Installation) -> report.ExplorerRun:
    """Sends the seed by OTLP and copies it, then reads."""
    client = store.connect(installation)
    if not options.filled:
        work = workload.build(many.SEED_SPANS, datetime.now(UTC))
        load.measure(installation, work, options.connections)
        many.fill(client, store.project_id(client))
    many.score(client, store.project_id(client))
    disk = store.disk(client)
    return report.ExplorerRun(spans=disk.rows, disk=disk, reads=explorer.measure(installation, client))


def _publish(section: str, text: str, options: argparse.Namespace) -> None:
    print(text)
    if not options.no_write:
        report.write(section, text)


if __name__ == "__main__":
    sys.exit(main())
