"""Tables in AnnData ``.h5ad``: obs are rows, var are columns, ``X`` dense or sparse."""

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
from scipy import sparse

from omicsfusion.tables.block import Block
from omicsfusion.tables.unreadable import UnreadableTableError


def anndata_ids(path: Path) -> tuple[list[str], list[str]]:
    """Return obs and var names."""
    try:
        with h5py.File(path) as file:
            if "X" not in file or "obs" not in file or "var" not in file:
                raise UnreadableTableError(
                    "The HDF5 file is not AnnData: it lacks X, obs or var.",
                    "Write it with anndata's write_h5ad, the values in X.",
                )
            return _names(file["obs"]), _names(file["var"])
    except OSError as error:
        raise UnreadableTableError(
            f"The .h5ad file cannot be read ({error}).", "Was it copied completely?"
        ) from error


def anndata_blocks(path: Path, cells: int) -> Iterator[Block]:
    """Read at most so many cells of ``X`` at a time (but whole chunks, where it has chunks)."""
    with h5py.File(path) as file:
        x = file["X"]
        if isinstance(x, h5py.Dataset):
            yield from _dense_blocks(x, cells)
        elif x.attrs.get("encoding-type") == "csr_matrix":
            yield from _compressed_rows(x, cells)
        else:
            # A column-wise sparse matrix has no rows to read apart: its non-zero values are
            # held in memory, 8 to 12 bytes each.
            whole = sparse.csc_matrix(
                (x["data"][:], x["indices"][:], x["indptr"][:]), shape=tuple(x.attrs["shape"])
            ).tocsr()
            rows = max(1, cells // whole.shape[1])
            for start in range(0, whole.shape[0], rows):
                yield Block(start, 0, whole[start : start + rows].toarray())


def _dense_blocks(x: h5py.Dataset, cells: int) -> Iterator[Block]:
    n_rows, n_columns = x.shape
    high, wide = x.chunks or (1, n_columns)
    # A chunk is read and decompressed once: blocks are made of whole ones.
    rows = high * max(1, cells // (high * n_columns))
    columns = wide * max(1, cells // (rows * wide))
    for row in range(0, n_rows, rows):
        for column in range(0, n_columns, columns):
            yield Block(row, column, x[row : row + rows, column : column + columns])


def _compressed_rows(x: h5py.Group, cells: int) -> Iterator[Block]:
    n_rows, n_columns = (int(n) for n in x.attrs["shape"])
    rows = max(1, cells // n_columns)
    bounds = x["indptr"][:].astype(np.int64)
    for start in range(0, n_rows, rows):
        stop = min(start + rows, n_rows)
        first, last = bounds[start], bounds[stop]
        block = sparse.csr_matrix(
            (x["data"][first:last], x["indices"][first:last], bounds[start : stop + 1] - first),
            shape=(stop - start, n_columns),
        )
        yield Block(start, 0, block.toarray())


def _names(frame: h5py.HLObject) -> list[str]:
    if isinstance(frame, h5py.Dataset):
        raise UnreadableTableError(
            "The .h5ad file was written by anndata before 0.7.",
            "Read and write it once with a present version.",
        )
    index = frame[frame.attrs.get("_index", "_index")]
    if isinstance(index, h5py.Group):
        raise UnreadableTableError(
            "The names in the .h5ad file are stored as categories.",
            "Turn obs_names and var_names into text and write it again.",
        )
    if index.dtype.kind in "iu":
        return [str(value) for value in index[:]]
    return [str(value) for value in index.asstr()[:]]
