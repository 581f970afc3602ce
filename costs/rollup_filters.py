"""What each trace cost, as the FROM of a read: from `trace_costs` where it is rolled up, else from its spans.

The roll-up keeps a row a trace in ClickHouse under the hour it began in. Each time it writes an hour it does so under a
new version, and PostgreSQL says which version of which hour counts (`costs.models.RolledHour`); rows of others are
never read. A trace that had any part written after the watermark is read from its spans instead, and left out of what
was rolled up. So nothing is missing and nothing counts twice, whenever the roll-up last ran.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from traces import filters as f

# The parts of one trace's sums that are split by a key, in the order of the tuples' fields.
SPLIT = (
    "failed",
    "llm_calls",
    "tool_calls",
    "unpriced_calls",
    "input_tokens",
    "output_tokens",
    "cost_usd",
)
# Columns that hold one tuple for each key.
SPLITS = ("models", "tools", "prompts")
INPUT_TOKENS = " + ".join(name for name in f.TOKENS if name != "output_tokens")
_OF_CALLS = (
    f"Array(Tuple(key LowCardinality(String), {', '.join(f'{name} UInt64' for name in SPLIT[:-1])}, "
    "cost_usd Decimal(38, 12)))"
)
_READ = (
    "parent_id",
    "start_time",
    "end_time",
    "kind",
    "status",
    "user_id",
    "organization_id",
    "feature",
    "model",
    "tool_name",
    "prompt_name",
    "prompt_version",
    *f.TOKENS,
    "cost_usd",
    "cost_state",
)
_PROMPT = """multiIf(
                ifNull(prompt_name, '') = '', '',
                ifNull(prompt_version, '') = '', prompt_name,
                concat(prompt_name, '\\n', prompt_version))"""
_BOUND = """project_id = {project_id:UInt64}
            AND day BETWEEN {first_day:Date} AND {last_day:Date}"""
_WRITTEN = f"""FROM spans
          WHERE {_BOUND}
            AND updated_at > fromUnixTimestamp64Micro({{since_us:Int64}}, 'UTC')
            AND updated_at <= fromUnixTimestamp64Micro({{until_us:Int64}}, 'UTC')"""
# Traces of which a part was written in a stretch of time.
CHANGED = f"SELECT trace_id {_WRITTEN}"
# The same with the days of these parts: what a read's table `written` holds.
WRITTEN = f"SELECT DISTINCT trace_id, day {_WRITTEN}"
WRITTEN_STRUCTURE = "trace_id UUID, day Date"
_SENT = "SELECT trace_id FROM written"


def _days(traces: str, just_written: str) -> str:
    """The days on which they have spans, and a day on both sides. The index of traces is written a moment after the
    spans are, so the days of what was just written are asked of the spans.
    """
    return f"""SELECT arrayJoin([day - 1, day, day + 1])
          FROM traces
          WHERE {_BOUND}
            AND trace_id IN ({traces})
          UNION DISTINCT
          SELECT arrayJoin([day - 1, day, day + 1])
          {just_written}"""  # noqa: S608  # closed parts only


def _of(traces: str, days: str) -> str:
    return f"""AND part.trace_id IN ({traces})
      AND part.day IN
      (
          {days}
      )"""


DAYS_OF_CHANGED = _days(CHANGED, _WRITTEN)
_DAYS_OF_SENT = _days(_SENT, "FROM written")
_OF_CHANGED = _of(CHANGED, DAYS_OF_CHANGED)
_OF_SENT = _of(_SENT, _DAYS_OF_SENT)
# Spans of traces of which some part starts in one of these hours, whatever day they are on.
IN_HOURS = "toUnixTimestamp(hour) IN (SELECT arrayJoin({hours:Array(UInt32)}))"
_STARTING = f"""SELECT trace_id
          FROM spans
          WHERE {_BOUND}
            AND day >= toDate({{first_hour:UInt32}})
            AND day <= toDate({{last_hour:UInt32}})
            AND toUnixTimestamp(toStartOfHour(start_time, 'UTC')) IN (SELECT arrayJoin({{hours:Array(UInt32)}}))"""  # noqa: S608
_OF_STARTING = f"""AND part.trace_id IN ({_STARTING})
      AND part.day IN
      (
          SELECT arrayJoin([day - 1, day, day + 1])
          FROM traces
          WHERE {_BOUND}
            AND trace_id IN ({_STARTING})
      )"""  # noqa: S608  # closed parts only
# The rows that count of hours that are rolled up.
CURRENT = """project_id = {project_id:UInt64}
          AND hour >= toDateTime({first_hour:UInt32}, 'UTC')
          AND hour <= toDateTime({last_hour:UInt32}, 'UTC')
          AND (toUnixTimestamp(hour), version) IN
          (
              SELECT arrayJoin(arrayZip({hours:Array(UInt32)}, {versions:Array(UInt64)}))
          )"""
# The same where the hours follow one another and `versions` has one for each: a look-up in a set of pairs took longer
# than all that is summed.
_COUNTS = """project_id = {project_id:UInt64}
          AND hour >= toDateTime({first_hour:UInt32}, 'UTC')
          AND hour <= toDateTime({last_hour:UInt32}, 'UTC')
          AND version = {versions:Array(UInt64)}[intDiv(toUInt32(hour) - {first_hour:UInt32}, 3600) + 1]"""
# And where no trace has changed; `untouched` has 0 for the other hours.
_COUNTS_WHOLE = _COUNTS.replace("{versions:", "{untouched:")


_BILLED = f"ifNull({f.BILLED}, 0)"


def _flag(condition: str) -> str:
    return f"toUInt64(ifNull({condition}, 0))"


def _split(key: str, condition: str) -> str:
    """Sums over a trace's calls by a key of theirs. The one at the end keeps a key whose other sums are zero.

    Nothing in it is Nullable: for such arguments the engine takes no more than eight.
    """
    return f"""sumMapIf(
            [ifNull({key}, '')],
            [{_flag("status = 'error'")}],
            [{_flag("kind = 'llm'")}],
            [{_flag("kind = 'tool'")}],
            [{_flag(f"{f.BILLED} AND cost_state = 'unpriced'")}],
            [if({_BILLED}, {f.INPUT}, 0)],
            [if({_BILLED}, ifNull(output_tokens, 0), 0)],
            [if(ifNull({f.COSTED}, 0), ifNull(cost_usd, toDecimal128(0, 12)), toDecimal128(0, 12))],
            [toUInt64(1)],
            ifNull({condition}, 0))"""


def _zipped(name: str) -> str:
    """The sums of `_split` as they lie in the table: a tuple for each key."""
    fields = ", ".join(f"{name}_.{place}" for place in range(1, len(SPLIT) + 2))
    return f"CAST(arrayZip({fields}) AS {_OF_CALLS})"


# How each column is summed up from the spans of a trace.
_SUMMED: Mapping[str, str] = {
    "user_id": f"ifNull({f.belongs('user_id')}, '')",
    "organization_id": f"ifNull({f.belongs('organization_id')}, '')",
    "feature": f"ifNull({f.belongs('feature')}, '')",
    "failed": f"{f.STATUS} = 'error'",
    "llm_calls": f.LLM_CALLS,
    "tool_calls": "countIf(kind = 'tool')",
    "unpriced_calls": f.UNPRICED_CALLS,
    **{name: f"sumIf(ifNull({name}, 0), {f.COUNTED})" for name in f.TOKENS},
    "cost_usd": f"ifNull({f.COST}, toDecimal128(0, 12))",
    "models": _split("model", f.COUNTED),
    "tools": _split("tool_name", "kind = 'tool'"),
    "prompts": _split(_PROMPT, f.COUNTED),
}
COLUMNS = ("hour", "trace_id", "start_time", *_SUMMED)
# As in `schema/0001_trace_costs.sql`.
_TYPES = {
    "trace_id": "UUID",
    "start_time": "DateTime64(9, 'UTC')",
    "user_id": "String",
    "organization_id": "LowCardinality(String)",
    "feature": "LowCardinality(String)",
    "failed": "UInt8",
    **dict.fromkeys(("llm_calls", "tool_calls", "unpriced_calls", *f.TOKENS), "UInt64"),
    "cost_usd": "Decimal(38, 12)",
    **dict.fromkeys(SPLITS, _OF_CALLS),
}


def _of_spans(narrowed: str, columns: Iterable[str]) -> str:
    """A row for each trace of which `narrowed` leaves spans."""
    wanted = [name for name in _SUMMED if name in set(columns)]
    sums = "".join(f",\n            {_SUMMED[name]} AS {name}_" for name in wanted)
    given = "".join(
        f",\n        {_zipped(name) if name in SPLITS else f'{name}_'} AS {name}" for name in wanted
    )
    return f"""
    SELECT
        trace_id,
        start_time_ AS start_time,
        toStartOfHour(start_time_, 'UTC') AS hour{given}
    FROM
    (
        SELECT
            trace_id,
            assumeNotNull({f.STARTED}) AS start_time_{sums}
        FROM {f.calls(_READ, narrowed, exact=True)}
        GROUP BY trace_id
    )"""  # noqa: S608  # closed parts only


# The traces of which a part was written in the stretch, as their spans say they are now.
CHANGED_NOW = _of_spans(_OF_CHANGED, COLUMNS)
# Traces of which a span begins in one of some hours; they themselves may have begun before.
STARTING_NOW = _of_spans(_OF_STARTING, COLUMNS)
_BEGAN = """start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
      AND start_time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')"""


class Live(StrEnum):
    """How a read comes by the traces of which a part was written since the watermark."""

    NONE = "none"  # there are none
    SENT = "sent"  # they go along with the statement, as the table `changed`
    SOUGHT = "sought"  # they are too many for that: the statement finds them


def changed(columns: Iterable[str]) -> str:
    """What a table `changed` holds of the traces in a table `written`: each as its spans are now."""
    return f"{_select(columns)}\nFROM ({_of_spans(_OF_SENT, columns)})"


def structure(columns: Iterable[str]) -> str:
    return ", ".join(f"{name} {_TYPES[name]}" for name in _with_ids(columns))


def _with_ids(columns: Iterable[str]) -> list[str]:
    wanted = {"trace_id", "start_time", *columns}
    return [name for name in COLUMNS if name in wanted]


def costs(columns: Iterable[str], how: Live) -> str:
    """Every trace that began from one moment up to another, once: for `WITH`, and to read `FROM costs`."""
    match how:
        case Live.NONE:
            return _costs(_rolled(columns, _COUNTS))
        case Live.SENT:
            touched = f"{_COUNTS} AND hour IN ({_TOUCHED_HOURS}) AND {_NOT_CHANGED}"
            return _costs(_rolled(columns, _COUNTS_WHOLE), _rolled(columns, touched), _live(columns))
        case Live.SOUGHT:
            parts = _rolled(columns, f"{_COUNTS} AND {_NOT_CHANGED}"), _live(columns)
            return f"changed AS MATERIALIZED\n({_of_spans(_OF_CHANGED, columns)}\n),\n{_costs(*parts)}"


def sums(dimension: str, how: Live) -> str:
    """The same traces added up by a key, for `WITH`, and to read `FROM sums`: by hours, `second` is where one begins.

    Hours that are `split` are there trace by trace, with its second: because a moment matters within them, or because
    a trace of theirs has changed. So are the changed traces themselves, and all where those are sought.
    """
    columns = columns_of(dimension)
    in_split = f"{_COUNTS} AND hour IN ({_SPLIT_HOURS})"
    match how:
        case Live.NONE:
            return f"{_costs(_rolled(columns, in_split))},\n{_sums(dimension, _of_hours(dimension))}"
        case Live.SENT:
            parts = _rolled(columns, f"{in_split} AND {_NOT_CHANGED}"), _live(columns)
            return f"{_costs(*parts)},\n{_sums(dimension, _of_hours(dimension))}"
        case Live.SOUGHT:
            return f"{costs(columns, how)},\n{_sums(dimension)}"


def _costs(*parts: str) -> str:
    return _named("costs", parts)


def _sums(dimension: str, *parts: str) -> str:
    return _named("sums", (*parts, _one_by_one(dimension)))


def _named(name: str, parts: Iterable[str]) -> str:
    together = "\n    UNION ALL".join(parts)
    return f"{name} AS\n({together}\n)"


def _rolled(columns: Iterable[str], counts: str) -> str:
    return f"""
    {_select(columns)}
    FROM trace_costs
    WHERE {counts}
      AND {_BEGAN}"""


def _live(columns: Iterable[str]) -> str:
    return f"""
    {_select(columns)}
    FROM changed
    WHERE {_BEGAN}"""


def _select(columns: Iterable[str]) -> str:
    listed = ",\n        ".join(_with_ids(columns))
    return f"""SELECT
        {listed}"""


def _of_hours(dimension: str) -> str:
    return f"""
    SELECT
        toUnixTimestamp(hour) AS second,
        key,
        {", ".join(SUMMED)}
    FROM cost_sums
    WHERE {_COUNTS}
      AND dimension = '{dimension}'
      AND hour NOT IN ({_SPLIT_HOURS})"""  # noqa: S608  # closed parts only


# Hours under which traces of a table `written` are rolled up.
HOURS_TOUCHED = f"""SELECT DISTINCT hour
FROM trace_costs
WHERE {_COUNTS}
  AND toDate(hour) IN ({_DAYS_OF_SENT})
  AND trace_id IN ({_SENT})"""  # noqa: S608  # closed parts only
_NOT_CHANGED = "trace_id NOT IN (SELECT trace_id FROM changed)"
_TOUCHED_HOURS = "SELECT toDateTime(arrayJoin({touched:Array(UInt32)}), 'UTC')"
_SPLIT_HOURS = "SELECT toDateTime(arrayJoin({split:Array(UInt32)}), 'UTC')"
# What `sums` adds up; by model, tool and prompt over the calls, and then `cache_read_tokens` are not known.
SUMMED = ("invocations", *SPLIT[:5], "cache_read_tokens", *SPLIT[5:])
_OF_A_CALL = {"model": "models", "tool": "tools", "prompt": "prompts"}


def columns_of(dimension: str) -> tuple[str, ...]:
    """What `sums` by it needs of the traces that it takes one by one."""
    column = _OF_A_CALL.get(dimension)
    if column:
        return (column,)
    return (dimension, "failed", "llm_calls", "tool_calls", "unpriced_calls", *f.TOKENS, "cost_usd")


def _one_by_one(dimension: str) -> str:
    column = _OF_A_CALL.get(dimension)
    if column:
        read = {name: f"part_{name}" for name in SPLIT} | {"cache_read_tokens": "0"}
        parts = ",\n        ".join(f"{column}.{name} AS part_{name}" for name in ("key", *SPLIT))
        key, source = "part_key", f"costs\n    ARRAY JOIN\n        {parts}"
    else:
        read = {name: f"costs.{name}" for name in SUMMED} | {"input_tokens": INPUT_TOKENS}
        key, source = f"costs.{dimension}", "costs"
    given = ",\n        ".join(f"{read[name]} AS {name}" for name in SUMMED[1:])
    return f"""
    SELECT
        toUnixTimestamp(costs.start_time) AS second,
        {key} AS key,
        1 AS invocations,
        {given}
    FROM {source}"""  # noqa: S608  # closed parts only
