"""Small cohorts as TRAIN meets them: matrices of two layers, splits, an outcome with a signal."""

from pathlib import Path

import numpy as np
import pandas as pd

from omicsfusion.models.cohort import GroupReader
from omicsfusion.preprocess.matrices import write_matrices
from omicsfusion.scopes import Scope, read_splits
from omicsfusion.tables.outcome import Outcome, read_outcome
from omicsfusion.tables.tsv import write_tsv

SCOPES = (Scope(1, 1, "outer"), Scope(1, 1, "0"), Scope(1, 2, "outer"))
SAMPLES = 120
WIDTHS = {"rna": 12, "mirna": 5}


def write_cohort(folder: Path, task: str, scopes: tuple[Scope, ...] = SCOPES) -> None:
    """Write ``samples.tsv``, ``splits.tsv``, ``horizons.tsv`` and a matrices file per layer.

    The first feature of ``rna`` carries the outcome. Every fourth sample lacks ``mirna``, the last
    one both. ``rna`` keeps one feature less in every second scope.
    """
    rng = np.random.default_rng(7)
    names = [f"s{number:03d}" for number in range(SAMPLES)]
    values = {layer: rng.normal(size=(SAMPLES, width)) for layer, width in WIDTHS.items()}
    values = {layer: x.astype(np.float32) for layer, x in values.items()}
    has = {"rna": np.arange(SAMPLES) < SAMPLES - 1, "mirna": np.arange(SAMPLES) % 4 != 3}
    samples = pd.DataFrame({"sample": names, "patient": names, "cohort": "main", "role": "train"})
    samples = samples.assign(group=names, batch="", split="", layers="mirna;rna")
    write_tsv(samples.assign(**_outcome(task, values["rna"][:, 0], rng)), folder / "samples.tsv")
    write_tsv(pd.DataFrame({"time": [1.0, 2.0]}), folder / "horizons.tsv")
    splits = pd.concat([_roles(scope, names, number) for number, scope in enumerate(scopes)])
    write_tsv(splits, folder / "splits.tsv")
    for layer, x in values.items():
        rows = np.flatnonzero(has[layer])
        blocks = []
        for number, scope in enumerate(scopes):
            kept = WIDTHS[layer] - (number % 2 if layer == "rna" else 0)
            features = [f"{layer}_{column}" for column in range(kept)]
            blocks.append((scope, x[rows, :kept], [names[row] for row in rows], features))
        write_matrices(folder / f"{layer}.all.matrices.h5", layer, layer, "all", blocks)


def open_cohort(folder: Path, task: str) -> tuple[GroupReader, Outcome]:
    """Open what :func:`write_cohort` wrote."""
    reader = GroupReader(sorted(folder.glob("*.matrices.h5")), read_splits(folder / "splits.tsv"))
    return reader, read_outcome(folder / "samples.tsv", task)


def _outcome(task: str, signal: np.ndarray, rng: np.random.Generator) -> dict[str, object]:
    noisy = signal + 0.3 * rng.normal(size=len(signal))
    if task == "classification":
        return {"truth": np.array(["high", "low", "middle"])[np.digitize(noisy, [-0.5, 0.5])]}
    if task == "regression":
        return {"truth": 100 + 20 * noisy}
    time = np.ceil(10 * np.exp(-noisy)) / 4
    return {"time": time, "event": (rng.random(len(signal)) < 0.7).astype(int)}


def _roles(scope: Scope, names: list[str], number: int) -> pd.DataFrame:
    position = (np.arange(len(names)) + 5 * number) % 10
    role = np.select([position < 2, position < 4], ["test", "stop"], "train")
    where = {"permutation": 0, "repeat": scope.repeat, "fold": scope.fold, "inner": scope.inner}
    return pd.DataFrame({**where, "group": "all", "sample": names, "patient": names, "role": role})
