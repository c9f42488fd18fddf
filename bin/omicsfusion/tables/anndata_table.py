"""Tables in AnnData ``.h5ad``: obs are rows, var are columns, ``X`` dense or sparse."""

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from scipy import sparse

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


def anndata_blocks(path: Path, rows: int) -> Iterator[tuple[int, pd.DataFrame]]:
    """Read some rows of ``X`` at a time; see :func:`omicsfusion.tables.reading.read_blocks`."""
    with h5py.File(path) as file:
        x = file["X"]
        if isinstance(x, h5py.Dataset):
            for start in range(0, x.shape[0], rows):
                yield start, pd.DataFrame(x[start : start + rows])
        elif x.attrs.get("encoding-type") == "csr_matrix":
            yield from _compressed_rows(x, rows)
        else:
            # A column-wise sparse matrix has no rows to read apart: its non-zero values are
            # held in memory, 8 to 12 bytes each.
            whole = sparse.csc_matrix(
                (x["data"][:], x["indices"][:], x["indptr"][:]), shape=tuple(x.attrs["shape"])
            ).tocsr()
            for start in range(0, whole.shape[0], rows):
                yield start, pd.DataFrame(whole[start : start + rows].toarray())


def _compressed_rows(x: h5py.Group, rows: int) -> Iterator[tuple[int, pd.DataFrame]]:
    n_rows, n_columns = (int(n) for n in x.attrs["shape"])
    bounds = x["indptr"][:].astype(np.int64)
    for start in range(0, n_rows, rows):
        stop = min(start + rows, n_rows)
        first, last = bounds[start], bounds[stop]
        block = sparse.csr_matrix(
            (x["data"][first:last], x["indices"][first:last], bounds[start : stop + 1] - first),
            shape=(stop - start, n_columns),
        )
        yield start, pd.DataFrame(block.toarray())


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
