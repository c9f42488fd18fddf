"""Blocks of a layer, written in pieces that are long enough for a disk."""

from typing import Self

import h5py
import numpy as np

# Blocks of columns are gathered up to so many values (256 MB) before they are written: of a
# thousand samples that makes pieces of 256 KB in each row. Pieces of 64 KB took two to four times
# as long to write, pieces of 8 KB six times.
GATHERED = 64_000_000


class LayerWriter:
    """Writes blocks to ``X``; used as a context, so that the last ones are written, too.

    Blocks of all rows that follow each other column by column are gathered; others are written as
    they come.

    Parameters
    ----------
    x
        float32, samples x features, contiguous.
    """

    def __init__(self, x: h5py.Dataset) -> None:
        self._x = x
        self._width = max(1, GATHERED // max(1, x.shape[0]))
        self._gathered = np.empty((0, 0), dtype=np.float32)
        self._start = self._filled = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._flush()

    def write(self, rows: np.ndarray, column: int, values: np.ndarray) -> None:
        """Write some rows (in any order, each once) of the columns that begin at ``column``."""
        width = values.shape[1]
        if len(rows) < self._x.shape[0] or width >= self._width:
            self._flush()
            self._write(rows, column, values)
            return
        if column != self._start + self._filled or self._filled + width > self._width:
            self._flush()
            self._start = column
        if not self._gathered.size:
            self._gathered = np.empty((self._x.shape[0], self._width), dtype=np.float32)
        self._gathered[rows, self._filled : self._filled + width] = values
        self._filled += width

    def _flush(self) -> None:
        if self._filled:
            stop = self._start + self._filled
            self._x[:, self._start : stop] = self._gathered[:, : self._filled]
        self._start, self._filled = self._start + self._filled, 0

    def _write(self, rows: np.ndarray, column: int, values: np.ndarray) -> None:
        if np.any(np.diff(rows) < 0):
            order = np.argsort(rows)
            rows, values = rows[order], values[order]
        stop = column + values.shape[1]
        if len(rows) == rows[-1] - rows[0] + 1:
            self._x[rows[0] : rows[-1] + 1, column:stop] = values
        else:
            self._x[rows, column:stop] = values
