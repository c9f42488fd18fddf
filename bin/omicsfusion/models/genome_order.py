"""In which order a layer's features lie on the genome."""

from collections.abc import Mapping, Sequence

import numpy as np

from omicsfusion.models.registry import CLINICAL
from omicsfusion.tables.positions import Position, position_of


def genome_order(
    layer: str, features: Sequence[str], positions: Mapping[str, Position]
) -> np.ndarray:
    """Return the columns (from 0) of the features that have a position, as they lie on the genome.

    Features of one position are in the order of their names. Covariates have none.
    """
    if layer == CLINICAL:
        return np.zeros(0, np.int64)
    found = [(position_of(name, positions), name, column) for column, name in enumerate(features)]
    placed = sorted((where, name, column) for where, name, column in found if where is not None)
    return np.array([column for _, _, column in placed], dtype=np.int64)
