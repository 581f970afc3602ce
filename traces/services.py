"""Changes to stored spans, each written as parts of rows: what is not named in them stays as it is."""

import io
import uuid
from collections.abc import Iterable

from tracehouse.clickhouse.insert import insert_json_lines
from traces import store
from traces.span import Span


def write_costs(spans: Iterable[Span]) -> None:
    """Stores the `cost` of each span, which must carry its key and start. Writing it again changes nothing.

    Raises `InsertRefused` or `InsertUnavailable`; then none is stored.
    """
    lines = store.cost_lines(spans)
    if lines:
        # A token of its own: the same page may be written twice with other costs in it.
        insert_json_lines(
            store.TABLE, io.BytesIO(b"".join(lines)), token=uuid.uuid4().hex, later=store.INDEXED_LATER
        )
