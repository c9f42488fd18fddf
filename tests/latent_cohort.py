"""A cohort whose two layers and whose outcome tell of the same few hidden factors."""

from pathlib import Path

import numpy as np
import pandas as pd

from omicsfusion.models.cohort import GroupReader
from omicsfusion.preprocess.matrices import write_matrices
from omicsfusion.scopes import Scope, read_splits
from omicsfusion.tables.outcome import Outcome, read_outcome
from omicsfusion.tables.tsv import write_tsv

OUTER = Scope(1, 1, "outer")
SAMPLES = 300
FACTORS = 3
WIDTHS = {"mirna": 20, "rna": 40}
NOISE = 0.6
"""Share of a feature's variance that no factor explains."""


def write_latent_cohort(folder: Path) -> None:
    """Write ``samples.tsv``, ``splits.tsv`` and a matrices file per layer.

    Features have variance 1 and are normal. Of the training samples every fifth lacks ``mirna``;
    those that are tested have all layers.
    """
    rng = np.random.default_rng(11)
    z = rng.normal(size=(SAMPLES, FACTORS))
    names = [f"s{number:03d}" for number in range(SAMPLES)]
    role = np.repeat(["train", "stop", "test"], [180, 40, 80])
    samples = pd.DataFrame({"sample": names, "patient": names, "cohort": "main", "role": "train"})
    samples = samples.assign(group=names, batch="", split="", layers="mirna;rna")
    truth = z[:, 0] + 0.5 * rng.normal(size=SAMPLES)
    write_tsv(samples.assign(truth=truth), folder / "samples.tsv")
    where = {"permutation": 0, "repeat": 1, "fold": 1, "inner": OUTER.inner, "group": "all"}
    splits = pd.DataFrame({**where, "sample": names, "patient": names, "role": role})
    write_tsv(splits, folder / "splits.tsv")
    for layer, width in WIDTHS.items():
        loadings = rng.normal(size=(FACTORS, width))
        loadings *= np.sqrt((1 - NOISE) / np.square(loadings).sum(axis=0))
        x = z @ loadings + np.sqrt(NOISE) * rng.normal(size=(SAMPLES, width))
        lacks = (layer == "mirna") & (role == "train") & (np.arange(SAMPLES) % 5 == 0)
        rows = np.flatnonzero(~lacks)
        features = [f"{layer}_{column}" for column in range(width)]
        block = (OUTER, x[rows].astype(np.float32), [names[row] for row in rows], features)
        write_matrices(folder / f"{layer}.all.matrices.h5", layer, layer, "all", [block])


def open_latent_cohort(folder: Path) -> tuple[GroupReader, Outcome]:
    """Open what :func:`write_latent_cohort` wrote."""
    reader = GroupReader(sorted(folder.glob("*.matrices.h5")), read_splits(folder / "splits.tsv"))
    return reader, read_outcome(folder / "samples.tsv", "regression")
