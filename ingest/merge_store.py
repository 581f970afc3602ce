"""How many parts of spans make a merge: many while spans come in, few once they do not (docs/decisions/0014).

Merges build the indexes of words and attributes, and what is not merged is searched by reading it. While spans come in
they wait for many parts, so that a span is not merged again and again. Of a burst that is over they would leave up to
that many, each of a second at full speed, until more spans come.
"""

from django.conf import settings

from tracehouse.clickhouse.client import client
from tracehouse.clickhouse.migrate import render

# As `traces/schema/0008` has it, and when it is quiet: the largest is no more than a third of what is merged.
WIDE, NARROW = 24, 3
LATELY_SECONDS = 60
# So many spans of the last minute are a load, and so many that no index knows are worth a merge.
LOAD_SPANS = 6_000
LEFT_SPANS = 2_000


def adapt(*, lately_seconds: int = LATELY_SECONDS) -> int:
    """Sets the width that suits what came in lately, on every node, and gives it. Raises what the driver raises."""
    # Parts of this node: the others take in as much.
    table = "spans_local" if settings.CLICKHOUSE_CLUSTER else "spans"
    asked = {"table": table, "lately": lately_seconds, "narrow": NARROW}
    [(lately, left, width)] = client().query(_SPANS, parameters=asked).result_rows
    wanted = NARROW if lately < LOAD_SPANS and left >= LEFT_SPANS else WIDE
    if wanted != width:
        for statement in render(_WIDTH.format(width=wanted), settings.CLICKHOUSE_CLUSTER):
            client().command(statement)
    return wanted


# Of parts that no merge made. Those of one day are merged when they are `narrow` times the largest.
_SPANS = """
WITH inserted AS
(
    SELECT
        sumIf(rows, modification_time > now() - {lately:UInt32}) AS lately,
        sumIf(rows, modification_time <= now() - {lately:UInt32}) AS earlier,
        maxIf(rows, modification_time <= now() - {lately:UInt32}) AS largest
    FROM system.parts
    WHERE database = currentDatabase()
      AND table = {table:String}
      AND active
      AND min_block_number = max_block_number
    GROUP BY partition
)
SELECT
    sum(lately),
    sumIf(earlier, earlier >= {narrow:UInt32} * largest),
    (
        SELECT toUInt32OrZero(extract(engine_full, 'merge_selector_base = (\\\\d+)'))
        FROM system.tables
        WHERE database = currentDatabase()
          AND name = {table:String}
    )
FROM inserted"""
_WIDTH = "ALTER TABLE spans${{suffix}} ${{on_cluster}} MODIFY SETTING merge_selector_base = {width}"
