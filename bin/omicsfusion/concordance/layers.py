"""The layers of a cohort as they are compared: used samples, the features that vary most."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from omicsfusion.tables.layer import LayerHeader, read_columns, read_header

# All pairs of features of two layers are correlated: 5,000 x 5,000 make 200 MB.
MOST_FEATURES = 5000
# A feature with more missing values is not compared.
MOST_MISSING = 0.2
# Values in a block: 16 MB of float32.
BLOCK_VALUES = 4_000_000
# Spread says little on the scale of these unless they are logged.
ABUNDANCES = ("rna_counts", "mirna_counts", "microbiome_counts", "metabolite")


@dataclass(frozen=True)
class CohortLayer:
    """One layer of one cohort: its used samples, and the features that are compared.

    Attributes
    ----------
    layer, cohort
        As in the samplesheet.
    is_training
        Whether the cohort is trained on.
    samples
        Ids of the rows of ``X``, sorted.
    features
        Names of its columns.
    X
        float32; NaN is a missing value.
    n_in
        Features in the table.
    order
        Columns of ``X``, those first that tell most; empty: as they stand.
    """

    layer: str
    cohort: str
    is_training: bool
    samples: tuple[str, ...]
    features: tuple[str, ...]
    X: np.ndarray
    n_in: int
    order: tuple[int, ...] = ()

    def foremost(self, n: int) -> "CohortLayer":
        """Return the layer with at most n features, those that tell most."""
        columns = sorted((self.order or range(len(self.features)))[:n])
        features = tuple(self.features[column] for column in columns)
        return replace(self, features=features, X=self.X[:, columns], order=())

    def rows_of(self, samples: Sequence[str]) -> np.ndarray:
        """Return the values of some samples, in their order."""
        row = {sample: position for position, sample in enumerate(self.samples)}
        return self.X[[row[sample] for sample in samples]]

    @property
    def note(self) -> str:
        """How many features are compared, where it is not all."""
        if len(self.features) == self.n_in:
            return ""
        return f"{self.layer}: {len(self.features)} of {self.n_in} features compared."


def read_layers(paths: Sequence[str | Path], samples: pd.DataFrame) -> list[CohortLayer]:
    """Read all layers but covariates, of each its most variable features.

    Parameters
    ----------
    paths
        Layer files (``tables/layer.py``) of all layers and cohorts, in any order.
    samples
        The clean ``samples.tsv``: ``sample, cohort, role``.

    Returns
    -------
    Sorted by cohort and layer. A feature is left out when it is constant, or missing in more than
    ``MOST_MISSING`` of the samples. Of more than ``MOST_FEATURES``, those stay that vary most
    (interquartile range, then standard deviation; counts and metabolites as logarithms); features
    that another layer of the cohort names too come first, for they tell most about swapped samples.
    """
    found = [(Path(path), read_header(path)) for path in paths]
    omics = [(path, header) for path, header in found if header.kind != "clinical"]
    omics.sort(key=lambda entry: (entry[1].cohort, entry[1].layer))
    return [_read(path, header, samples, _named_by_others(header, omics)) for path, header in omics]


def _named_by_others(
    header: LayerHeader, omics: Sequence[tuple[Path, LayerHeader]]
) -> frozenset[str]:
    others = [
        other.features
        for _, other in omics
        if other.cohort == header.cohort and other.layer != header.layer
    ]
    return frozenset(header.features).intersection(feature for names in others for feature in names)


def _read(
    path: Path, header: LayerHeader, samples: pd.DataFrame, shared: frozenset[str]
) -> CohortLayer:
    used = samples[samples["cohort"] == header.cohort]
    wanted = set(used["sample"])
    rows = [row for row, sample in enumerate(header.samples) if sample in wanted]
    rows.sort(key=header.samples.__getitem__)
    columns, order = _choose(path, header, rows, shared)
    return CohortLayer(
        layer=header.layer,
        cohort=header.cohort,
        is_training=bool((used["role"] == "train").any()),
        samples=tuple(header.samples[row] for row in rows),
        features=tuple(header.features[column] for column in columns),
        X=_values(path, header, rows, columns),
        n_in=len(header.features),
        order=order,
    )


def _blocks(
    path: Path, header: LayerHeader, rows: Sequence[int]
) -> Iterator[tuple[int, np.ndarray]]:
    width = max(BLOCK_VALUES // max(len(header.samples), 1), 1)
    for start in range(0, len(header.features), width):
        stop = min(start + width, len(header.features))
        yield start, read_columns(path, start, stop)[rows]


def _choose(
    path: Path, header: LayerHeader, rows: Sequence[int], shared: frozenset[str]
) -> tuple[np.ndarray, tuple[int, ...]]:
    """Return the columns to compare, from left to right, and those first that tell most."""
    middle, spread, usable = (np.zeros(len(header.features)) for _ in range(3))
    if len(rows):
        for start, X in _blocks(path, header, rows):
            here = slice(start, start + X.shape[1])
            middle[here], spread[here], usable[here] = _spread(X, header.kind in ABUNDANCES)
    columns = np.flatnonzero(usable)
    named = np.array([header.features[column] in shared for column in columns], dtype=bool)
    order = np.lexsort((columns, -spread[columns], -middle[columns], ~named))[:MOST_FEATURES]
    kept = np.sort(order)
    return columns[kept], tuple(np.searchsorted(kept, order).tolist())


def _spread(X: np.ndarray, abundances: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Interquartile range and standard deviation of each column, and whether it is compared."""
    known = ~np.isnan(X)
    enough = known.mean(axis=0) >= 1 - MOST_MISSING
    X = X[:, enough].astype(np.float64)
    if abundances and not (X < 0).any():
        X = np.log2(X + 1)
    low, high = np.nanquantile(X, [0.25, 0.75], axis=0) if X.size else np.zeros((2, X.shape[1]))
    middle, spread = np.zeros(len(enough)), np.zeros(len(enough))
    middle[enough] = high - low
    spread[enough] = np.nanstd(X, axis=0) if X.size else 0
    varies = np.zeros(len(enough), dtype=bool)
    varies[enough] = np.nanmax(X, axis=0) > np.nanmin(X, axis=0) if X.size else False
    return middle, spread, varies


def _values(
    path: Path, header: LayerHeader, rows: Sequence[int], columns: np.ndarray
) -> np.ndarray:
    out = np.empty((len(rows), len(columns)), dtype=np.float32)
    if len(rows):
        for start, X in _blocks(path, header, rows):
            here = np.flatnonzero((columns >= start) & (columns < start + X.shape[1]))
            out[:, here] = X[:, columns[here] - start]
    return out
