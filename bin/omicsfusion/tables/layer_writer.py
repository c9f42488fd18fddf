"""Blocks of a layer, written in pieces that are long enough for a disk."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

import h5py
import numpy as np

# Blocks of columns are gathered up to so many values (128 MB, twice: one is written while the
# other is filled): of a thousand samples that makes pieces of 128 KB in each row. Pieces of 64 KB
# took two to four times as long to write as pieces of 256 KB, pieces of 8 KB six times.
GATHERED = 32_000_000
# HDF5 is given so many values of neighbouring rows at a time (1 MB): Linux 6.18 takes up to eight
# times as long for 8 MB at a time, for which it looks for memory in one piece.
PIECE = 250_000
# A block is turned by so many samples at a time: each is a row of its own, in pages of its own.
TURNED = 64


class LayerWriter:
    """Writes blocks to ``X``; used as a context, so that the last ones are written, too.

    Blocks of all rows that follow each other column by column are gathered; others are written as
    they come. HDF5 writes in a thread of its own, beside whoever makes the next block.

    Parameters
    ----------
    x
        float32, samples x features, contiguous.
    """

    def __init__(self, x: h5py.Dataset) -> None:
        self._x = x
        # Asking HDF5 would wait for what it has under way.
        self._n_rows = x.shape[0]
        self._width = max(1, GATHERED // max(1, self._n_rows))
        self._gathered = self._written = np.empty((0, 0), dtype=np.float32)
        self._start = self._filled = 0
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._under_way: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._thread:
            if kind is None:
                self._flush()
                self._wait()

    def write(self, rows: np.ndarray, column: int, values: np.ndarray) -> None:
        """Write some rows (in any order, each once) of the columns that begin at ``column``."""
        width = values.shape[1]
        if len(rows) < self._n_rows or width >= self._width:
            self._flush()
            self._hand_over(rows, column, values)
            return
        if column != self._start + self._filled or self._filled + width > self._width:
            self._flush()
            self._start = column
        if not self._gathered.size:
            self._gathered = np.empty((self._n_rows, self._width), dtype=np.float32)
        columns = slice(self._filled, self._filled + width)
        for first in range(0, len(rows), TURNED):
            some = slice(first, first + TURNED)
            self._gathered[rows[some], columns] = values[some]
        self._filled += width

    def _flush(self) -> None:
        if self._filled:
            everyone = np.arange(self._n_rows)
            self._hand_over(everyone, self._start, self._gathered[:, : self._filled])
            self._gathered, self._written = self._written, self._gathered
        self._start, self._filled = self._start + self._filled, 0

    def _hand_over(self, rows: np.ndarray, column: int, values: np.ndarray) -> None:
        """Write in the other thread, after what it has under way."""
        self._wait()
        self._under_way = self._thread.submit(self._write, rows, column, values)

    def _wait(self) -> None:
        if self._under_way is not None:
            self._under_way.result()

    def _write(self, rows: np.ndarray, column: int, values: np.ndarray) -> None:
        if np.any(np.diff(rows) < 0):
            order = np.argsort(rows)
            rows, values = rows[order], values[order]
        height = max(1, PIECE // values.shape[1])
        for first in range(0, len(rows), height):
            some = rows[first : first + height]
            neighbours = len(some) == some[-1] - some[0] + 1
            where = slice(some[0], some[-1] + 1) if neighbours else some
            for left in range(0, values.shape[1], PIECE):
                part = values[first : first + height, left : left + PIECE]
                start = column + left
                self._x[where, start : start + part.shape[1]] = part
