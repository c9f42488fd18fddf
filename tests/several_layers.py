"""Layers of the same samples that share hidden causes, for tests of what compares layers."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from omicsfusion.concordance.layers import CohortLayer
from omicsfusion.tables.layer import LayerHeader, new_layer

KINDS = {"rna": "rna_log", "protein": "protein", "mirna": "mirna_log"}


def sample_ids(n: int, prefix: str = "s") -> list[str]:
    """Return n sortable ids."""
    return [f"{prefix}{number:04d}" for number in range(n)]


def related_values(
    n: int, p: int, seed: int, layers: Sequence[str] = ("rna", "protein"), noise: float = 0.8
) -> dict[str, np.ndarray]:
    """Return samples x features of each layer: feature j of each layer shows the same cause j.

    Causes share a common factor (such as the purity of a tumour), and a fifth of the features of
    each layer shows no cause.
    """
    rng = np.random.default_rng(seed)
    causes = rng.normal(size=(n, p)) + rng.normal(size=(n, 1))
    found = {}
    for layer in layers:
        X = causes + noise * rng.normal(size=(n, p))
        X[:, ::5] = rng.normal(size=(n, len(range(0, p, 5))))
        found[layer] = X.astype(np.float32)
    return found


def as_layer(
    name: str, X: np.ndarray, features: Sequence[str] = (), cohort: str = "main", prefix: str = "s"
) -> CohortLayer:
    """Return a layer in memory, of samples ``s0000`` …; features ``<name>0000`` … unless given."""
    ids = sample_ids(len(X), prefix)
    names = tuple(features) or tuple(f"{name}{number:04d}" for number in range(X.shape[1]))
    return CohortLayer(name, cohort, True, tuple(ids), names, X.astype(np.float32), X.shape[1])


def write_layers(
    folder: Path,
    values: Mapping[str, np.ndarray],
    cohort: str = "main",
    prefix: str = "s",
    kinds: Mapping[str, str] = KINDS,
) -> list[Path]:
    """Write ``<cohort>.<layer>.h5ad`` of each layer."""
    paths = []
    for layer, X in values.items():
        ids = tuple(sample_ids(len(X), prefix))
        names = tuple(f"{layer}{number:04d}" for number in range(X.shape[1]))
        path = folder / f"{cohort}.{layer}.h5ad"
        with new_layer(path, LayerHeader(layer, kinds[layer], cohort, ids, names)) as x:
            x[...] = X
        paths.append(path)
    return paths


def samples_of(
    n: int, cohort: str = "main", role: str = "train", prefix: str = "s"
) -> pd.DataFrame:
    """Return the clean samples.tsv, one sample a patient, without an outcome."""
    ids = sample_ids(n, prefix)
    return pd.DataFrame(
        {
            "sample": ids,
            "patient": ids,
            "cohort": cohort,
            "role": role,
            "group": ids,
            "batch": None,
            "split": None,
        }
    )
