"""The values of a scope on disk, read some samples at a time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property

import h5py
import numpy as np

from omicsfusion.models.cohort import LayerRows

READ_BYTES = 2**20
"""Read at a time: what is longer leaves the processor's cache before it is copied."""
GAP_BYTES = 2**18
"""Rows that nobody asked for are read, too, when they are fewer bytes than a read costs in time."""


@dataclass(frozen=True)
class DiskRows:
    """The layers of one scope as they lie in the files of PREPROCESS, sample below sample.

    Attributes
    ----------
    samples
        How many the scope has.
    layers
        Where they stand in each layer's file.
    widths
        Layer -> columns of what is read, padded with zeros; also of layers that no sample has.
    """

    samples: int
    layers: Mapping[str, LayerRows]
    widths: Mapping[str, int]

    @cached_property
    def present(self) -> np.ndarray:
        """Who has which layer: float32, samples x layers in the order of ``widths``."""
        nobody = np.full(self.samples, -1)
        rows = [self.layers[name].rows if name in self.layers else nobody for name in self.widths]
        return (np.column_stack(rows) >= 0).astype(np.float32)

    def blocks(self, parts: Iterable[np.ndarray], room: int) -> Iterator[dict[str, np.ndarray]]:
        """Read one part after the other.

        Parameters
        ----------
        parts
            Positions of samples in the scope, increasing; at most ``room``.

        Yields
        ------
        Layer -> float32, room x width: zeros where a sample lacks the layer, and below the last.
        """
        with ExitStack() as files:
            matrices = {
                name: files.enter_context(h5py.File(place.path))[place.scope.key]["X"]
                for name, place in self.layers.items()
            }
            for samples in parts:
                block = {
                    name: np.zeros((room, width), np.float32) for name, width in self.widths.items()
                }
                for name, matrix in matrices.items():
                    _read(matrix, self.layers[name].rows[samples], block[name])
                yield block


def _read(matrix: h5py.Dataset, rows: np.ndarray, out: np.ndarray) -> None:
    """Read rows of a matrix into the first rows of ``out``; -1 is left as it is."""
    here = np.flatnonzero(rows >= 0)
    wanted, width = rows[here], matrix.shape[1]
    of_row = width * matrix.dtype.itemsize
    most = max(1, READ_BYTES // of_row)
    scratch = np.empty((most, width), np.float32)
    for start, stop in runs(wanted, GAP_BYTES // of_row, most):
        first, last = int(wanted[start]), int(wanted[stop - 1]) + 1
        matrix.read_direct(scratch, np.s_[first:last], np.s_[: last - first])
        out[here[start:stop], :width] = scratch[wanted[start:stop] - first]


def runs(rows: Sequence[int] | np.ndarray, gap: int, most: int) -> list[tuple[int, int]]:
    """Cut increasing rows into runs that are read at once.

    Parameters
    ----------
    gap
        Rows that may be missing between two of a run.
    most
        Rows from the first of a run to its last, those between them counted.

    Returns
    -------
    (start, stop) in ``rows`` of each run.
    """
    found, start = [], 0
    for i in range(1, len(rows) + 1):
        ends = i == len(rows)
        if ends or rows[i] - rows[i - 1] > gap + 1 or rows[i] - rows[start] >= most:
            found.append((start, i))
            start = i
    return found
