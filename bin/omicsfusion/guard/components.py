"""The layers in a few numbers per sample: principal components learnt on training samples."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.decomposition import PCA

from omicsfusion.qc.display_scale import on_display_scale, takes_logarithm
from omicsfusion.tables.cohort_table import CohortTable

MOST_FEATURES = 2000
MOST_COMPONENTS = 10
# Standard deviations beyond which a value counts no further: single wild values make no component.
CLIP = 5.0


@dataclass(frozen=True)
class LayerValues:
    """Some features of a layer, evenly spaced: chosen by position, never by their values.

    Attributes
    ----------
    layer
        Its name.
    samples
        Row of each sample that has the layer.
    X
        float64, samples x features, counts and the like as logarithms; NaN is a missing value.
    """

    layer: str
    samples: dict[str, int]
    X: np.ndarray


def read_values(layer: str, tables: Sequence[CohortTable]) -> LayerValues:
    """Read at most ``MOST_FEATURES`` features of the training cohorts' tables."""
    names = dict.fromkeys(name for table in tables for name in table.header.features)
    every = list(names)
    kept = np.unique(np.linspace(0, len(every) - 1, min(MOST_FEATURES, len(every))).astype(int))
    features = [every[position] for position in kept] if every else []
    X = np.concatenate([table.columns(features) for table in tables])
    known = X[~np.isnan(X)]
    low, high = (float(known.min()), float(known.max())) if known.size else (np.nan, np.nan)
    logarithm = takes_logarithm(tables[0].header.kind, low, high)
    ids = [sample for table in tables for sample in table.samples]
    rows = {sample: row for row, sample in enumerate(ids)}
    return LayerValues(layer, rows, on_display_scale(X, logarithm))


def components(
    values: LayerValues, train: Sequence[str], test: Sequence[str], seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the principal components of training and test samples, learnt on the first.

    Features are centred on the median, divided by the standard deviation, clipped; a missing value
    is the median; a sample that lacks the layer is 0 in each component.
    """
    own = [sample for sample in train if sample in values.samples]
    X = values.X[[values.samples[sample] for sample in own]]
    n = min(MOST_COMPONENTS, len(own) - 1)
    known = (~np.isnan(X)).sum(axis=0) >= 2
    X = X[:, known]
    if n < 1 or not X.size:
        return np.zeros((len(train), 0)), np.zeros((len(test), 0))
    middle, width = np.nanmedian(X, axis=0), np.nanstd(X, axis=0)
    varies = width > 0
    n = min(n, int(varies.sum()))
    if n < 1:
        return np.zeros((len(train), 0)), np.zeros((len(test), 0))
    pca = PCA(n_components=n, svd_solver="randomized", random_state=seed)

    def scaled(rows: np.ndarray) -> np.ndarray:
        Z = (rows[:, known][:, varies] - middle[varies]) / width[varies]
        return np.nan_to_num(np.clip(Z, -CLIP, CLIP))

    pca.fit(scaled(values.X[[values.samples[sample] for sample in own]]))
    out = []
    for ids in (train, test):
        Z = np.zeros((len(ids), n))
        there = [row for row, sample in enumerate(ids) if sample in values.samples]
        if there:
            Z[there] = pca.transform(scaled(values.X[[values.samples[ids[row]] for row in there]]))
        out.append(Z)
    return out[0], out[1]
