"""Small layer files and their samples.tsv, for tests of what reads them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from omicsfusion.tables.layer import LayerHeader, new_layer


def names(prefix: str, n: int) -> tuple[str, ...]:
    """Return n sortable ids."""
    return tuple(f"{prefix}{number:04d}" for number in range(n))


def write_layer(
    folder: Path,
    X: np.ndarray,
    kind: str = "rna_log",
    cohort: str = "main",
    samples: Sequence[str] = (),
    features: Sequence[str] = (),
) -> Path:
    """Write ``<cohort>.rna.h5ad``; ids are s0000 … and g0000 … unless given."""
    header = LayerHeader(
        "rna",
        kind,
        cohort,
        tuple(samples) or names("s", X.shape[0]),
        tuple(features) or names("g", X.shape[1]),
    )
    path = folder / f"{cohort}.rna.h5ad"
    with new_layer(path, header) as x:
        x[...] = X
    return path


def samples_table(
    samples: Sequence[str], cohort: str = "main", role: str = "train", patients: Sequence[str] = ()
) -> pd.DataFrame:
    """Return the columns of samples.tsv that quality control reads; one patient each by default."""
    return pd.DataFrame(
        {
            "sample": list(samples),
            "patient": list(patients) or list(samples),
            "cohort": cohort,
            "role": role,
        }
    )
