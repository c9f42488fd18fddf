"""A part of a table, as it is handed from its file to IMPORT."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd

Given = TypeVar("Given")
Made = TypeVar("Made")

# A block holds about so many cells: 2 million doubles are 16 MB.
BLOCK_CELLS = 2_000_000


@dataclass(frozen=True)
class Block:
    """Neighbouring rows and columns of a table.

    Attributes
    ----------
    row, column
        Position of its first row and column in the table, without those of ids.
    cells
        rows x columns. Numbers, NaN where missing; or objects: text as it stands in the file, with
        whatever else a cell may hold; or a frame whose columns are of different types.
    """

    row: int
    column: int
    cells: np.ndarray | pd.DataFrame


def one_ahead(blocks: Iterator[Block]) -> Iterator[Block]:
    """Yield the same blocks, the next of which is read while the last one is worked on.

    Arrow, HDF5 and the disk need no Python, so that reading goes on beside checking and writing.
    """
    with ThreadPoolExecutor(max_workers=1) as reader:
        coming = reader.submit(next, blocks, None)
        while (block := coming.result()) is not None:
            coming = reader.submit(next, blocks, None)
            yield block


def in_threads(
    make: Callable[[Given], Made], given: Iterator[Given], threads: int
) -> Iterator[Made]:
    """Yield what ``make`` makes of each, in their order, so many of which are worked on at once."""
    with ThreadPoolExecutor(max_workers=threads) as workers:
        coming: deque[Future[Made]] = deque()
        for one in given:
            coming.append(workers.submit(make, one))
            if len(coming) > threads:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()
