"""How many samples are read from disk at a time, and in which order: windows in buffers.

Rows at random from a disk are slow, rows side by side are fast. So the training samples are cut
into windows of neighbours; in each epoch the windows are shuffled, and some of them, read together,
make a buffer, within which each member deals its own batches. A batch thus has samples from as many
places of the table as a buffer has windows.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from omicsfusion.seeds import seed_for

MEMORY_LIMIT = 4 * 10**9
"""Bytes that tables may take in memory; a scope that takes more is read from disk, epoch by epoch.

A constant, not what the machine has: results must not hang on it.
"""
COPIES = 3
"""Of a table at the peak: the file's matrix, its rows in order, and the padded table; later the
padded table, that of the device, and rows gathered from it."""
BUFFER_BYTES = 64 * 2**20
WINDOW_BYTES = 2 * 2**20
BATCHES = 4
"""Batches of a buffer at least, however wide the samples are."""


@dataclass(frozen=True)
class Feed:
    """How many training samples are read together.

    Attributes
    ----------
    window
        Samples of a window.
    windows
        Windows of a buffer, at most.
    """

    window: int
    windows: int

    @property
    def buffer(self) -> int:
        """Samples of a buffer, at most."""
        return self.window * self.windows


def table_bytes(widths: Mapping[str, int], rows: int) -> int:
    """Estimate the memory that training on a table of all samples takes, in bytes."""
    return COPIES * rows * row_bytes(widths)


def row_bytes(widths: Mapping[str, int]) -> int:
    """Return the bytes of a sample's values."""
    return 4 * sum(widths.values())


def feed_for(widths: Mapping[str, int], train: int, batch: int) -> Feed:
    """Choose windows and buffers.

    Parameters
    ----------
    widths
        Features of each layer.
    train, batch
        Training samples of the largest scope; of a batch.
    """
    of_row = row_bytes(widths)
    window = min(train, max(1, WINDOW_BYTES // of_row))
    rows = min(train, max(BATCHES * batch, BUFFER_BYTES // of_row))
    return Feed(window, -(-rows // window))


def shuffled_buffers(n: int, feed: Feed, scope: str, epoch: int) -> list[np.ndarray]:
    """Shuffle the windows of an epoch and put them into buffers of nearly the same size.

    The order hangs on the scope and the epoch only, so that all members of a scope share what is
    read, and none notices whether another is trained beside it.

    Parameters
    ----------
    n
        Training samples.
    scope
        Name of the scope.

    Returns
    -------
    For each buffer numbers of training samples (0 … n-1), increasing.
    """
    windows = np.split(np.arange(n), range(feed.window, n, feed.window))
    order = np.random.default_rng(seed_for(epoch, "windows", scope)).permutation(len(windows))
    parts = np.array_split(order, -(-len(windows) // feed.windows))
    return [np.sort(np.concatenate([windows[i] for i in part])) for part in parts]
