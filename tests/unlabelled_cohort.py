"""A cohort without an outcome as PRETRAIN meets it: two layers that tell of the same factors."""

from pathlib import Path

import numpy as np
import pandas as pd

from omicsfusion.models.cohort import GroupReader
from omicsfusion.preprocess.matrices import write_matrices
from omicsfusion.scopes import FINAL, Scope, read_splits
from omicsfusion.tables.tsv import write_tsv

COHORT = Scope(0, 0, FINAL)
SAMPLES = 150
WIDTHS = {"mirna": 10, "rna": 24}
FACTORS = 3


def write_unlabelled(folder: Path, layers: tuple[str, ...] = tuple(WIDTHS), prefix="u") -> None:
    """Write ``splits.tsv`` and a matrices file per layer; every fifth sample lacks ``mirna``."""
    rng = np.random.default_rng(5)
    z = rng.normal(size=(SAMPLES, FACTORS))
    names = [f"{prefix}{number:03d}" for number in range(SAMPLES)]
    role = np.where(np.arange(SAMPLES) % 10 == 3, "stop", "train")
    where = {"permutation": 0, "repeat": 0, "fold": 0, "inner": FINAL, "group": "all"}
    splits = pd.DataFrame({**where, "sample": names, "patient": names, "role": role})
    write_tsv(splits, folder / "splits.tsv")
    for layer in layers:
        width = WIDTHS[layer]
        x = z @ rng.normal(size=(FACTORS, width)) / 2 + 0.5 * rng.normal(size=(SAMPLES, width))
        rows = np.flatnonzero((np.arange(SAMPLES) % 5 != 0) | (layer != "mirna"))
        features = [f"{layer}_{column}" for column in range(width)]
        block = (COHORT, x[rows].astype(np.float32), [names[row] for row in rows], features)
        write_matrices(folder / f"{layer}.all.matrices.h5", layer, layer, "all", [block])


def open_unlabelled(folder: Path) -> GroupReader:
    """Open what :func:`write_unlabelled` wrote."""
    return GroupReader(sorted(folder.glob("*.matrices.h5")), read_splits(folder / "splits.tsv"))
