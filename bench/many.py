"""Ten million spans straight in the store: copies of a smaller real set, each with ids, times and words of its own."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

SEED_SPANS = 50_000
COPIES_A_DAY = 6
DAYS = 34
# Copies that one insert makes; so a day lies in a few parts, as on an installation that merges.
COPIES_AN_INSERT = 3
LONG_TRACES = {100: 40, 10_000: 4}  # spans -> traces, all of yesterday
SETTINGS = {
    "max_execution_time": 0,
    "max_insert_threads": 1,
    "max_block_size": 50_000,
    "min_insert_block_size_rows": 1_000_000,
    "min_insert_block_size_bytes": 2 * 1024**3,
    "max_memory_usage": 0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """What one insert copies: the seed's traces `copies` times into the day `days_ago`."""

    days_ago: int
    first: int
    copies: int


def fill(client: Client, project_id: int) -> int:
    """Copies the spans that are stored now; returns how many there are after that."""
    columns = _columns(client)
    client.command("DROP TABLE IF EXISTS bench_seed")
    client.command(_SEED, parameters={"project_id": project_id}, settings=SETTINGS)
    copy = _copy(columns, _TRACE, "bench_seed")
    for number, one in enumerate(_fills()):
        client.command(copy, parameters=_parameters(one), settings=SETTINGS)
        print(f"bench: {number + 1} of {DAYS * COPIES_A_DAY // COPIES_AN_INSERT} inserts", file=sys.stderr)
    for spans, traces in LONG_TRACES.items():
        long = f"(SELECT * FROM bench_seed WHERE parent_id != 0 ORDER BY span_id LIMIT {spans - 1}) AS seed"
        root = "(SELECT * FROM bench_seed WHERE parent_id = 0 ORDER BY span_id LIMIT 1) AS seed"
        for part in (long, root):
            parameters = _parameters(Fill(days_ago=1, first=0, copies=traces)) | {"spans": spans}
            client.command(_copy(columns, _LONG, part), parameters=parameters, settings=SETTINGS)
    client.command("DROP TABLE bench_seed")
    return int(client.query("SELECT count() FROM spans").result_rows[0][0])


def score(client: Client, project_id: int) -> None:
    """Scores one trace in fifty, and one session in a hundred, unless that was done."""
    if client.query("SELECT count() FROM scores").result_rows == [(0,)]:
        client.command(_TRACE_SCORES, parameters={"project_id": project_id}, settings=SETTINGS)
        client.command(_SESSION_SCORES, parameters={"project_id": project_id}, settings=SETTINGS)


def long_trace_id(spans: int, number: int) -> str:
    return f"{spans:016x}{number:016x}"


def _fills() -> Iterator[Fill]:
    for days_ago in range(DAYS, 0, -1):
        for first in range(0, COPIES_A_DAY, COPIES_AN_INSERT):
            yield Fill(days_ago=days_ago, first=first, copies=COPIES_AN_INSERT)


def _parameters(one: Fill) -> dict[str, int]:
    return {"days_ago": one.days_ago, "first": one.first, "copies": one.copies}


def _columns(client: Client) -> list[str]:
    rows = client.query(
        "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'spans' ORDER BY position"
    ).result_rows
    return [row[0] for row in rows]


def _copy(columns: list[str], ids: dict[str, str], source: str) -> str:
    made = {**_MADE, **ids}
    picked = ",\n    ".join(made.get(name, name) for name in columns)
    return f"""
INSERT INTO spans ({", ".join(columns)})
WITH
    cityHash64(trace_id, copy, {{days_ago:UInt16}}) AS chance,
    today() - {{days_ago:UInt16}} AS that_day,
    toDateTime64(that_day, 9, 'UTC') + toIntervalSecond(chance % 85000) AS began,
    lower(hex(cityHash64(span_id, copy, {{days_ago:UInt16}}))) AS mark
SELECT
    {picked}
FROM {source}
CROSS JOIN (SELECT {{first:UInt16}} + number AS copy FROM numbers({{copies:UInt16}})) AS copies
"""


_SEED = """
CREATE TABLE bench_seed ENGINE = MergeTree ORDER BY (trace_id, span_id) AS
SELECT
    *,
    toUnixTimestamp64Nano(assumeNotNull(start_time))
        - min(toUnixTimestamp64Nano(assumeNotNull(start_time))) OVER (PARTITION BY trace_id) AS after_ns
FROM spans FINAL
WHERE project_id = {project_id:UInt64}
  AND start_time IS NOT NULL
"""
# A word in every text that no other span has; one in ten thousand spans says `needle`; tags on one trace in fifty.
_MADE = {
    "day": "that_day",
    "start_time": "began + toIntervalNanosecond(after_ns)",
    "end_time": "began + toIntervalNanosecond(after_ns)"
    " + toIntervalNanosecond(toUnixTimestamp64Nano(end_time) - toUnixTimestamp64Nano(start_time))",
    "user_id": "if(user_id IS NULL, NULL, concat(user_id, '-', toString(chance % 20)))",
    "session_id": "if(session_id IS NULL, NULL, concat(session_id, '-', toString(chance % 20)))",
    "tags": 'if(parent_id = 0 AND chance % 50 = 0, \'["vip","beta"]\', tags)',
    "input": "replaceRegexpOne(input, '\"(content|query)\":\"', concat('\\\\0ref', mark, ' ',"
    " if(cityHash64(mark) % 10000 = 0, 'needle in a haystack ', '')))",
    "attributes": "replaceOne(attributes, '{', concat('{\"bench.shard\":', toString(chance % 2000), ','))",
    "updated_at": "now64(6)",
}
_TRACE = {
    "trace_id": "toUUID(lower(hex(sipHash128(trace_id, copy, {days_ago:UInt16}))))",
    "span_id": "cityHash64(span_id, copy)",
    "parent_id": "if(parent_id = 0, 0, cityHash64(parent_id, copy))",
}
# Its spans are those of many traces, below one root; they follow each other by a second.
_LONG = {
    "trace_id": "toUUID(concat(leftPad(lower(hex({spans:UInt64})), 16, '0'), leftPad(lower(hex(copy)), 16, '0')))",
    "span_id": "if(parent_id = 0, 1, cityHash64(span_id, copy))",
    "parent_id": "if(parent_id = 0, 0, 1)",
    "start_time": "toDateTime64(that_day, 9, 'UTC') + toIntervalMillisecond(span_id % 20000000)",
    "end_time": "toDateTime64(that_day, 9, 'UTC') + toIntervalMillisecond(span_id % 20000000 + 900)",
}
_TRACE_SCORES = """
INSERT INTO scores (project_id, score_id, trace_id, name, data_type, number, source, time)
SELECT
    {project_id:UInt64},
    toString(trace_id),
    trace_id,
    'quality',
    'numeric',
    cityHash64(trace_id, 'quality') % 101 / 100,
    'api',
    max(start_time)
FROM traces
WHERE cityHash64(trace_id) % 50 = 0
GROUP BY trace_id
"""
_SESSION_SCORES = """
INSERT INTO scores (project_id, score_id, session_id, name, data_type, label, source, time)
SELECT
    {project_id:UInt64},
    session_id,
    session_id,
    'feedback',
    'categorical',
    'wrong',
    'api',
    max(start_time)
FROM traces
ARRAY JOIN session_ids AS session_id
WHERE cityHash64(session_id) % 100 = 0
GROUP BY session_id
"""
