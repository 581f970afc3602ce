"""Which attributes and values there are to filter by: what completes a filter while it is typed.

A part of the traces answers, spread over the window: those whose ids come first, and ids are random.
"""

from dataclasses import dataclass

from tracehouse.clickhouse.query import Query, run
from tracehouse.tenancy.scope import Scope
from traces.attribute import Attribute, cut, parse
from traces.filters import FACETS

SAMPLED_SPANS = 20_000
MAX_OFFERED = 50


@dataclass(frozen=True, slots=True)
class Offer:
    """`attribute` is the filter as it is typed; `spans` of those looked at carry it."""

    attribute: str
    spans: int


def keys(scope: Scope, beginning: str) -> list[Offer]:
    """Attributes whose name contains `beginning`, the most used first."""
    rows = run(_KEYS, scope, {"typed": beginning})
    return [Offer(str(Attribute(row["key"])), row["spans"]) for row in rows]


def values(scope: Scope, key: str, beginning: str) -> list[Offer]:
    """Values of the attribute `key` that contain `beginning`, the most used first; a list's items one by one."""
    rows = run(_VALUES, scope, {"cuts": cut(key), "key": key, "typed": beginning})
    return [Offer(str(Attribute(key, row["value"])), row["spans"]) for row in rows]


def completions(scope: Scope, typed: str) -> list[Offer]:
    """What a filter that begins so may become: names of attributes, and after the colon values of one."""
    begun = parse(typed)
    if begun.value is None:
        return keys(scope, begun.key)
    return values(scope, begun.key, begun.value)


_SAMPLE = """project_id = {project_id:UInt64}
      AND day BETWEEN {first_day:Date} AND {last_day:Date}
      AND start_time >= fromUnixTimestamp64Nano({start_ns:Int64}, 'UTC')
      AND start_time < fromUnixTimestamp64Nano({end_ns:Int64}, 'UTC')"""
_PAIRS = """arrayConcat(
        JSONExtractKeysAndValuesRaw(ifNull(attributes, '')),
        JSONExtractKeysAndValuesRaw(ifNull(resource, '')))"""

_KEYS = Query(
    "traces.attribute_keys",
    f"""
SELECT
    arrayJoin(arrayDistinct(arrayMap(pair -> pair.1, {_PAIRS}))) AS key,
    count() AS spans
FROM
(
    SELECT
        attributes,
        resource
    FROM spans
    WHERE {_SAMPLE}
    ORDER BY
        project_id,
        trace_id
    LIMIT {SAMPLED_SPANS}
)
WHERE positionCaseInsensitiveUTF8(key, {{typed:String}}) > 0
GROUP BY key
ORDER BY
    startsWith(key, {{typed:String}}) DESC,
    spans DESC,
    key
LIMIT {MAX_OFFERED}""",  # noqa: S608  # closed parts only
)

_VALUES = Query(
    "traces.attribute_values",
    f"""
SELECT
    if(startsWith(item, '"'), JSONExtractString(item), item) AS value,
    count() AS spans
FROM
(
    SELECT arrayJoin(if(startsWith(raw, '['), JSONExtractArrayRaw(raw), [raw])) AS item
    FROM
    (
        SELECT arrayJoin(arrayMap(pair -> pair.2, arrayFilter(pair -> pair.1 = {{key:String}}, {_PAIRS}))) AS raw
        FROM
        (
            SELECT
                attributes,
                resource
            FROM spans
            WHERE {_SAMPLE}
              AND hasAllTokens({FACETS}, {{cuts:Array(String)}})
            ORDER BY
                project_id,
                trace_id
            LIMIT {SAMPLED_SPANS}
        )
    )
)
WHERE value != ''
  AND lengthUTF8(item) <= 200
  AND positionCaseInsensitiveUTF8(value, {{typed:String}}) > 0
GROUP BY value
ORDER BY
    startsWith(value, {{typed:String}}) DESC,
    spans DESC,
    value
LIMIT {MAX_OFFERED}""",  # noqa: S608  # closed parts only
)
