"""What users cost as Parquet, with typed columns and a row group a stretch of users."""

from collections.abc import Sequence
from typing import IO

import pyarrow as pa
from pyarrow import parquet

from costs.rollup_queries import UserTotal

TYPES = {
    "row": pa.string(),
    "user_id": pa.string(),
    "organization_id": pa.string(),
    "cost_usd": pa.decimal128(38, 12),
}


class Parquet:
    def __init__(self, file: IO[bytes], columns: Sequence[str], rows_a_group: int) -> None:
        self._schema = pa.schema([(name, TYPES.get(name, pa.uint64())) for name in columns])
        self._writer = parquet.ParquetWriter(file, self._schema, compression="zstd")
        self._most = rows_a_group
        self._rows: list[tuple[str, UserTotal]] = []

    def add(self, kind: str, total: UserTotal) -> None:
        self._rows.append((kind, total))
        if len(self._rows) == self._most:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        kinds = [kind for kind, _ in self._rows]
        columns = [
            kinds if field.name == "row" else [getattr(total, field.name) for _, total in self._rows]
            for field in self._schema
        ]
        arrays = [pa.array(values, field.type) for values, field in zip(columns, self._schema, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        self._rows.clear()
