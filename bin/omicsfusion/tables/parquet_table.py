"""Tables in Parquet: the first column, or the index that pandas stored, holds the ids."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from omicsfusion.tables.unreadable import UnreadableTableError


def parquet_ids(path: Path) -> tuple[list[str], list[str]]:
    """Return ids down (the first column or the stored index) and across (the other columns)."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        id_column = _id_column(file)
        rows = file.read(columns=[id_column]).column(id_column)
    except (pa.ArrowException, OSError) as error:
        raise UnreadableTableError(
            f"The Parquet file cannot be read ({error}).", "Was it copied completely?"
        ) from error
    if not (
        pa.types.is_string(rows.type)
        or pa.types.is_large_string(rows.type)
        or pa.types.is_integer(rows.type)
        or pa.types.is_dictionary(rows.type)
    ):
        raise UnreadableTableError(
            f"The first column ({id_column!r}) holds no ids but values of type {rows.type}.",
            "Store the ids as the first column, as text.",
        )
    ids = ["" if value is None else str(value) for value in rows.to_pylist()]
    return ids, [name for name in file.schema_arrow.names if name != id_column]


def parquet_blocks(path: Path, rows: int) -> Iterator[tuple[int, pd.DataFrame]]:
    """Read some rows at a time; see :func:`omicsfusion.tables.reading.read_blocks`."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    id_column = _id_column(file)
    columns = [name for name in file.schema_arrow.names if name != id_column]
    start = 0
    for batch in file.iter_batches(batch_size=rows, columns=columns):
        block = pd.DataFrame(
            {index: _plain(batch.column(name).to_pandas()) for index, name in enumerate(columns)}
        )
        yield start, block
        start += len(block)


def _id_column(file: object) -> str:
    """Name the column of ids: the index that pandas stored, else the first column."""
    schema = file.schema_arrow  # type: ignore[attr-defined]
    stored = (schema.pandas_metadata or {}).get("index_columns", [])
    named = [column for column in stored if isinstance(column, str) and column in schema.names]
    return named[0] if named else str(schema.names[0])


def _plain(values: pd.Series) -> pd.Series:
    """Turn categories and truth values into text, so that they are told from numbers."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.astype(object)
    return values
