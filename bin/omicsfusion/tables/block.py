"""A part of a table, as it is handed from its file to IMPORT."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

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
