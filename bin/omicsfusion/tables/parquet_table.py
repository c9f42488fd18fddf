"""Tables in Parquet: the first column, or the index that pandas stored, holds the ids."""

from collections.abc import Iterator
from json import JSONDecoder
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from omicsfusion.tables.block import Block
from omicsfusion.tables.unreadable import UnreadableTableError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

# Bytes in which pandas' list of index columns ends.
LONGEST_INDEX = 1 << 16


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
    names = file.schema_arrow.names
    if file.metadata.num_columns != len(names):
        raise UnreadableTableError(
            "The Parquet file has columns within columns.", "Store one number in each cell."
        )
    ids = ["" if value is None else str(value) for value in rows.to_pylist()]
    position = names.index(id_column)
    return ids, [*names[:position], *names[position + 1 :]]


def parquet_blocks(path: Path, cells: int) -> Iterator[Block]:
    """Read at most so many cells at a time: some columns of a group of rows, as Parquet lies."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    names = file.schema_arrow.names
    id_column = names.index(_id_column(file))
    columns = [column for column in range(len(names)) if column != id_column]
    row = 0
    for group in range(file.num_row_groups):
        n_rows = file.metadata.row_group(group).num_rows
        width = max(1, cells // max(1, n_rows))
        for first in range(0, len(columns), width):
            # By number: by name, 'S1' would also fetch 'S1.1' (a dot leads into nested columns).
            part = file.reader.read_row_group(
                group, column_indices=columns[first : first + width], use_threads=False
            )
            yield Block(row, first, _cells(part))
        row += n_rows


def _cells(part: "pa.Table") -> np.ndarray | pd.DataFrame:
    """Return columns of numbers as an array (a column after the other), others as a frame."""
    import pyarrow as pa

    kinds = (column.type for column in part.columns)
    if not all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in kinds):
        columns = [_plain(column.to_pandas()) for column in part.columns]
        return pd.DataFrame(dict(enumerate(columns)))
    exact = all(column.type == pa.float32() for column in part.columns)
    values = np.empty((part.num_columns, part.num_rows), dtype=np.float32 if exact else np.float64)
    for out, column in zip(values, part.columns, strict=True):
        out[:] = column.to_numpy()
    return values.T


def _id_column(file: "pq.ParquetFile") -> str:
    """Name the column of ids: the index that pandas stored, else the first column."""
    schema = file.schema_arrow
    stored = _stored_index(schema.metadata or {})
    named = [column for column in stored if isinstance(column, str) and column in schema.names]
    return named[0] if named else str(schema.names[0])


def _stored_index(metadata: dict[bytes, bytes]) -> list[object]:
    """Return the columns that pandas stored as an index.

    pandas describes each column; of a million columns that is 150 MB of JSON, and ten times that
    as Python objects. So only the list of interest is read.
    """
    key = b'"index_columns":'
    text = metadata.get(b"pandas", b"")
    start = text.find(key) + len(key)
    if start < len(key):
        return []
    listed = text[start : start + LONGEST_INDEX].decode(errors="ignore").lstrip()
    return list(JSONDecoder().raw_decode(listed)[0])


def _plain(values: pd.Series) -> pd.Series:
    """Turn categories and truth values into text, so that they are told from numbers."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.astype(object)
    return values
