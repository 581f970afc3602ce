"""The results as tables: on the terminal, and in docs/benchmarks.md between the markers of their section."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.dashboard import REPEATS as DASHBOARD_REPEATS
from bench.dashboard import DashboardRun
from bench.explorer import COLD_REPEATS, FEW_REPEATS, Read
from bench.explorer import DAYS as EXPLORER_DAYS
from bench.explorer import REPEATS as EXPLORER_REPEATS
from bench.floor import Floor
from bench.installation import ROOT
from bench.load import Figures
from bench.machine import Machine
from bench.processes import Processes
from bench.queries import REPEATS, SUM_REPEATS, Reading
from bench.rollup import REPEATS as ROLLUP_REPEATS
from bench.rollup import RollUpRun
from bench.steady import Minute
from bench.store import Disk

PAGE = ROOT / "docs" / "benchmarks.md"
LIST_TARGET, TRACE_TARGET = 300, 100
DASHBOARD_TARGET = 500
INGEST_TARGET, SMALL_TARGET = 12_000, 800
ROLLUP_TARGET = 5
GENERATOR = "load generator"
_HEAD = """# Benchmarks

`make bench` measures fresh installations on one machine, load generator included, and rewrites this page.
The workload is `bench/workload.py`: agent traces of about five spans, 2.4 kB a span as OTLP protobuf, prompts
of 2.5 kB, one word in two hundred personal data; 100 spans a request over 4 kept-alive connections.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestRun:
    figures: Figures
    bytes_a_span: float  # as sent
    disk: Disk
    processes: Sequence[Processes]  # after the run
    cpu: Mapping[str, float]  # seconds of processor time by process, until all was visible
    floor: Floor


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryRun:
    spans: int
    disk: Disk
    readings: Sequence[Reading]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplorerRun:
    spans: int
    disk: Disk
    reads: Sequence[Read]


def explorer_section(machine: Machine, run: ExplorerRun) -> str:
    head = ["", "p50, ms", "p95, ms", "at most", "from disk, ms", "rows", "rows read", "MB read"]
    return "\n\n".join(
        (
            "## Reading ten million spans",
            _on(machine),
            f"{run.spans:,} spans over 34 days in {run.disk.parts} parts, {run.disk.bytes / run.disk.rows:.0f} bytes"
            " a span on disk: copies of a set that came in by OTLP, each span with a word that no other has."
            f" One kept-alive connection, windows of {EXPLORER_DAYS} days unless said, pages of 50 traces;"
            f" {EXPLORER_REPEATS} requests each, {FEW_REPEATS} of searches over {EXPLORER_DAYS} days."
            " Users, sessions, organizations, attributes, words of one span and bounds are others each time. Read is"
            " what the engine read for one answer."
            f" From disk: the median of {COLD_REPEATS} more requests, none of which found a page of a file in memory.",
            table([head, *map(_read_row, run.reads)]),
        )
    )


def _read_row(read: Read) -> list[str]:
    p95 = f"{read.p95:.0f}" if read.p95 <= read.target else f"**{read.p95:.0f}**"
    return [
        read.name,
        f"{read.p50:.0f}",
        p95,
        f"{read.target}",
        f"{read.from_disk:.0f}",
        f"{read.rows}",
        f"{read.rows_read:,}",
        f"{read.bytes_read / 1e6:,.1f}",
    ]


def ingest_section(machine: Machine, runs: Sequence[IngestRun]) -> str:
    head = ["", *(f"run {number}" for number in range(1, len(runs) + 1))]
    rows = [[title, *(show(run) for run in runs)] for title, show in _INGEST_ROWS]
    return "\n\n".join(
        (
            "## Ingest",
            _on(machine),
            table([head, *rows]),
            f"Target: at least {INGEST_TARGET:,} spans/s until visible by the API, redacted and durable.",
            "Processor time a span and memory after the last run, by process. PSS shares pages among the processes"
            " that map them.",
            table([["process", "count", "CPU us a span", "RSS MiB", "PSS MiB"], *_process_rows(runs[-1])]),
        )
    )


def small_section(machine: Machine, runs: Sequence[Figures]) -> str:
    head = ["", *(f"run {number}" for number in range(1, len(runs) + 1))]
    rows = [[title, *(show(run) for run in runs)] for title, show in _SMALL_ROWS]
    return "\n\n".join(
        (
            "## Requests of one span",
            _on(machine),
            "What a SimpleSpanProcessor sends: each span in a request of its own, over as many connections.",
            table([head, *rows]),
            f"Target: at least {SMALL_TARGET} requests/s.",
        )
    )


def steady_section(machine: Machine, minutes: Sequence[Minute]) -> str:
    head = ["RSS MiB", *(f"{number} min" for number in range(1, len(minutes) + 1))]
    sent = ["spans sent", *(f"{minute.spans:,}" for minute in minutes)]
    held = [
        [name, *("{:.0f}–{:.0f}".format(*minute.resident.get(name, (0, 0))) for minute in minutes)]
        for name in minutes[-1].resident
    ]
    return "\n\n".join(
        (
            "## Memory under load",
            _on(machine),
            "Bursts of the workload one after another, each read back before the next (a count of the last"
            " minute's spans); processes of a kind added up. The least and the most of each minute, looked at every two"
            " seconds.",
            table([head, sent, *held]),
        )
    )


def query_section(machine: Machine, runs: Sequence[QueryRun]) -> str:
    last = runs[-1]
    head = [
        "ms",
        *(f"{figure}, run {n}" for n in range(1, len(runs) + 1) for figure in ("p50", "p95", "p99")),
        "rows",
    ]
    rows = [
        [group[0].name, *(cell for reading in group for cell in _milliseconds(reading)), f"{group[0].rows}"]
        for group in zip(*(run.readings for run in runs), strict=True)
    ]
    return "\n\n".join(
        (
            "## Reading",
            _on(machine),
            f"{last.spans:,} spans over seven days in {last.disk.parts} parts,"
            f" {last.disk.bytes / last.disk.rows:.0f} bytes a span on disk. One kept-alive connection,"
            f" windows of seven days, {REPEATS} requests each ({SUM_REPEATS} for sums, of what is rolled"
            " up), pages of 50 traces."
            f" Targets, p95: list {LIST_TARGET} ms, trace {TRACE_TARGET} ms.",
            table([head, *rows]),
        )
    )


def rollup_section(machine: Machine, run: RollUpRun) -> str:
    head = ["ms", "p50", "p95", "p99", "rows"]
    rows = [[reading.name, *_milliseconds(reading), f"{reading.rows:,}"] for reading in run.readings]
    return "\n\n".join(
        (
            "## Costs",
            _on(machine),
            f"The roll-up of an hour with {run.spans:,} spans takes {run.seconds:.1f} s; {run.late_seconds:.1f} s when"
            f" a trace comes late to it. Target: {ROLLUP_TARGET} s.",
            f"A month of a million invocations by 50,000 users ({run.user_costs:,} rows of `user_costs`), read by the"
            f" functions behind the pages, {ROLLUP_REPEATS} times each:",
            table([head, *rows]),
        )
    )


def dashboard_section(machine: Machine, run: DashboardRun) -> str:
    head = ["p95, ms", "the month alone", "with the month before", f"and {run.live_spans:,} spans read live"]
    rows = [
        [alone.name, *(_within(reading.p95, DASHBOARD_TARGET) for reading in (alone, both, live))]
        for alone, both, live in zip(run.month, run.compared, run.live, strict=True)
    ]
    return "\n\n".join(
        (
            "## Cost pages",
            _on(machine),
            f"A month of {run.invocations:,} invocations by 50,000 users: whole pages by HTTP over one kept-alive"
            f" connection, {DASHBOARD_REPEATS} times each. Beside it the same with as many invocations in the month"
            " before, and the first with an hour of spans that the roll-up has not taken yet."
            f" Target: {DASHBOARD_TARGET} ms.",
            table([head, *rows]),
        )
    )


def _within(milliseconds: float, target: int) -> str:
    return f"{milliseconds:.0f}" if milliseconds <= target else f"**{milliseconds:.0f}**"


def write(section: str, text: str, page: Path = PAGE) -> None:
    """Replaces the section between its markers, or adds it at the end."""
    old = page.read_text() if page.exists() else _HEAD
    start, end = f"<!-- {section}:start -->", f"<!-- {section}:end -->"
    new = f"{start}\n{text}\n{end}"
    found = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
    page.write_text(found.sub(lambda _: new, old) if found.search(old) else f"{old.rstrip()}\n\n{new}\n")


_INGEST_ROWS: tuple[tuple[str, Callable[[IngestRun], str]], ...] = (
    ("spans", lambda run: f"{run.figures.spans:,}"),
    ("bytes a span, as sent", lambda run: f"{run.bytes_a_span:,.0f}"),
    ("acknowledged spans/s", lambda run: f"{run.figures.acknowledged_rate:,.0f}"),
    ("**spans/s until visible**", lambda run: f"**{run.figures.visible_rate:,.0f}**"),
    ("acknowledgement p50 / p99, ms", lambda run: f"{run.figures.p50_ms:.0f} / {run.figures.p99_ms:.0f}"),
    ("told to try again", lambda run: f"{run.figures.tried_again}"),
    (
        "bytes a span on disk",
        lambda run: f"{run.disk.bytes / run.figures.spans:,.0f} in {run.disk.parts} parts",
    ),
    (
        "floor, us a span: parse + walk + scan + insert",
        lambda run: (
            f"{run.floor.parse:.1f} + {run.floor.walk:.1f} + {run.floor.scan:.1f} + {run.floor.insert:.1f}"
        ),
    ),
    ("floor, spans/s of one process", lambda run: f"{run.floor.rate:,.0f}"),
    ("visible to floor", lambda run: f"{run.figures.visible_rate / run.floor.rate:.2f}"),
)


_SMALL_ROWS: tuple[tuple[str, Callable[[Figures], str]], ...] = (
    ("requests", lambda run: f"{run.spans:,}"),
    ("**requests/s acknowledged**", lambda run: f"**{run.acknowledged_rate:,.0f}**"),
    ("requests/s until visible", lambda run: f"{run.visible_rate:,.0f}"),
    ("acknowledgement p50 / p99, ms", lambda run: f"{run.p50_ms:.1f} / {run.p99_ms:.1f}"),
    ("told to try again", lambda run: f"{run.tried_again}"),
)


def _on(machine: Machine) -> str:
    return (
        f"{machine.date}, {machine.processor}, {machine.cores} cores, {machine.memory_gib} GiB,"
        f" {machine.system}, Python {machine.python}; {machine.packages}."
    )


def _process_rows(run: IngestRun) -> list[list[str]]:
    spans = run.figures.spans
    generator = ["load generator", "1", _microseconds(run.cpu[GENERATOR], spans), "", ""]
    return [generator, *(_process_row(group, run.cpu[group.name], spans) for group in run.processes)]


def _process_row(group: Processes, cpu: float, spans: int) -> list[str]:
    return [
        group.name,
        f"{group.processes}",
        _microseconds(cpu, spans),
        f"{group.resident:.0f}",
        f"{group.proportional:.0f}",
    ]


def _microseconds(seconds: float, spans: int) -> str:
    return f"{seconds * 1_000_000 / spans:.1f}"


def _milliseconds(reading: Reading) -> tuple[str, str, str]:
    return f"{reading.p50:.0f}", f"{reading.p95:.0f}", f"{reading.p99:.0f}"


def table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = [_line(row, widths) for row in rows]
    return "\n".join([lines[0], _line(["-" * width for width in widths], widths), *lines[1:]])


def _line(cells: Iterable[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
