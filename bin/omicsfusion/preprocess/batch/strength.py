"""How strongly the batch shows in a layer: four published measures on its principal components."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import chi2
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score
from sklearn.neighbors import NearestNeighbors

from omicsfusion.preprocess.batch.policy import MIN_BATCH

MAX_COMPONENTS = 20
# Beyond these, samples or features at even distances in their order stand for all.
MAX_SAMPLES = 2000
MAX_FEATURES = 5000
MIN_SAMPLES = 10
ALPHA = 0.05
# Korsunsky et al. look 3 perplexities of 30 around.
LISI_NEIGHBOURS = 90

STRENGTH_COLUMNS = ["measure", "value", "p", "note"]
Row = tuple[str, float, float, str]


class Components(NamedTuple):
    """Principal components of standardised features.

    Attributes
    ----------
    scores
        Samples x components.
    variance
        Of each component.
    """

    scores: np.ndarray
    variance: np.ndarray


def batch_strength(
    X: np.ndarray, batch: np.ndarray, given: np.ndarray | None = None
) -> pd.DataFrame:
    """Measure how strongly the batch shows.

    Parameters
    ----------
    X
        Samples x features; NaN counts as the feature's median.
    batch
        Of each sample, text; samples with empty text are left out, and so are batches with fewer
        than ``MIN_BATCH`` samples: they have no neighbourhood of their own.
    given
        Class names, numbers or None: the outcome. When given, the share of variance of the batch
        beyond that of the outcome is measured too. Samples in which it is missing have no part
        in that.

    Returns
    -------
    Columns ``measure, value, p, note``:

    ``PC regression``
        Share of the components' variance that the batch explains: R² of each component on the
        batch, weighted by the component's variance (Büttner et al., Nat Methods 16:43, 2019).
    ``PC regression, partial``
        The same of what the outcome leaves unexplained.
    ``kBET rejection``
        Share of samples whose neighbourhood's batches differ from all samples' batches by a
        chi-squared test at 0.05 (the same paper); the neighbourhood is a quarter of the mean batch,
        from 10 to 70 (Luecken et al., Nat Methods 19:41, 2022), the sample among them. The rarest
        batches, of which less than one sample is expected there, are counted as one.
    ``LISI``
        Number of batches that a neighbourhood looks like, on average: the inverse Simpson index of
        the nearest neighbours' batches (Korsunsky et al., Nat Methods 16:1289, 2019; without that
        paper's weights by distance).
    ``silhouette``
        Absolute mean silhouette width of the batches (Rousseeuw, J Comput Appl Math 20:53, 1987).
        The mean itself is in the note: below 0 where batches are small and lie amid others.

    No rows when fewer than ``MIN_SAMPLES`` samples, or fewer than two batches, are left.
    """
    X, labels, given = _drawn(X, batch, given)
    names, codes = np.unique(labels, return_inverse=True)
    if len(labels) < MIN_SAMPLES or len(names) < 2:
        return pd.DataFrame(columns=STRENGTH_COLUMNS)
    parts = principal_components(X)
    if not parts.variance.size:
        return pd.DataFrame(columns=STRENGTH_COLUMNS)
    rows = [
        *_explained(parts, codes, given),
        _rejected(parts.scores, codes),
        _mixed(parts.scores, codes),
        _width(parts.scores, codes),
    ]
    return pd.DataFrame(rows, columns=STRENGTH_COLUMNS)


def principal_components(X: np.ndarray) -> Components:
    """Return up to ``MAX_COMPONENTS`` components of the standardised features that vary."""
    known = ~np.isnan(X)
    X = X[:, known.any(axis=0)]
    X = np.where(np.isnan(X), np.nanmedian(X, axis=0), X) if X.size else X
    X = X[:, np.ptp(X, axis=0) > 0] if X.size else X
    if not X.size:
        return Components(np.empty((len(X), 0)), np.empty(0))
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    n_components = min(MAX_COMPONENTS, len(X) - 1, X.shape[1])
    pca = PCA(n_components, random_state=0)
    scores = pca.fit_transform(X)
    return Components(scores, pca.explained_variance_)


def pc_regression(parts: Components, codes: np.ndarray) -> float:
    """Return the share of the components' variance that the batch explains."""
    centred = parts.scores - parts.scores.mean(axis=0)
    left = _residuals(centred, _dummies(codes))
    share = 1 - (left**2).sum(axis=0) / (centred**2).sum(axis=0)
    return float((share * parts.variance).sum() / parts.variance.sum())


def partial_pc_regression(parts: Components, codes: np.ndarray, given: np.ndarray) -> float:
    """Return the share of what ``given`` leaves unexplained that the batch explains.

    Parameters
    ----------
    given
        Columns of a design, samples x columns, the intercept among them.
    """
    before = (_residuals(parts.scores, given) ** 2).sum(axis=0)
    after = (_residuals(parts.scores, np.hstack([given, _dummies(codes)])) ** 2).sum(axis=0)
    share = np.where(before > 0, 1 - after / np.where(before > 0, before, 1), 0)
    return float((share * parts.variance).sum() / parts.variance.sum())


def kbet_neighbours(sizes: np.ndarray) -> int:
    """Return how many neighbours kBET looks at, for batches of these sizes."""
    return int(min(max(sizes.mean() // 4, 10), 70, sizes.sum()))


def kbet_rejection(scores: np.ndarray, codes: np.ndarray, k: int) -> float:
    """Return the share of neighbourhoods whose batches are not those of all samples."""
    codes = merge_rare(codes, k)
    if not codes.any():
        return 0.0
    share = np.bincount(codes) / len(codes)
    counts = _counts(codes, _neighbours(scores, k - 1, itself=True), len(share))
    statistic = ((counts - k * share) ** 2 / (k * share)).sum(axis=1)
    return float((chi2.sf(statistic, len(share) - 1) < ALPHA).mean())


def merge_rare(codes: np.ndarray, k: int) -> np.ndarray:
    """Count the rarest batches as one, until each has one expected sample among k.

    The chi-squared approximation fails below that (Cochran, Biometrics 10:417, 1954).
    """
    sizes = np.bincount(codes)
    order = np.argsort(sizes, kind="stable")
    reached = np.cumsum(sizes[order])
    rare = order[: np.searchsorted(sizes[order] * k, len(codes))]
    if rare.size:
        # Together they may be too few still: the next ones join them.
        rare = order[: max(np.searchsorted(reached * k, len(codes)) + 1, rare.size)]
    return np.unique(np.where(np.isin(codes, rare), -1, codes), return_inverse=True)[1]


def lisi_neighbours(n_samples: int) -> int:
    """Return how many neighbours LISI looks at: 90, or a third of the samples."""
    return max(min(LISI_NEIGHBOURS, (n_samples - 1) // 3), 1)


def lisi(scores: np.ndarray, codes: np.ndarray, k: int) -> float:
    """Return the mean inverse Simpson index of the batches of k neighbours."""
    counts = _counts(codes, _neighbours(scores, k, itself=False), codes.max() + 1)
    return float((1 / ((counts / k) ** 2).sum(axis=1)).mean())


def silhouette(scores: np.ndarray, codes: np.ndarray) -> float:
    """Return the mean silhouette width."""
    return float(silhouette_score(scores, codes))


def _drawn(
    X: np.ndarray, batch: np.ndarray, given: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    sizes = pd.Series(batch, dtype=object).value_counts()
    rows = np.flatnonzero([label != "" and sizes[label] >= MIN_BATCH for label in batch])
    rows = rows[_spread(len(rows), MAX_SAMPLES)]
    X = X[np.ix_(rows, _spread(X.shape[1], MAX_FEATURES))]
    return X, np.asarray(batch)[rows].astype(str), None if given is None else given[rows]


def _spread(n: int, at_most: int) -> np.ndarray:
    """Return positions at even distances."""
    return np.arange(min(n, at_most)) * n // max(min(n, at_most), 1)


def _explained(parts: Components, codes: np.ndarray, given: np.ndarray | None) -> list[Row]:
    chance = f"{codes.max() / (len(codes) - 1):.3f} by chance"
    rows: list[Row] = [("PC regression", pc_regression(parts, codes), np.nan, chance)]
    if given is not None:
        rows += _beyond(parts, codes, given)
    return rows


def _beyond(parts: Components, codes: np.ndarray, given: np.ndarray) -> list[Row]:
    known = ~pd.isna(given) & (given != "")
    if known.sum() < MIN_SAMPLES or len(np.unique(codes[known])) < 2:
        return []
    if given.dtype == object:
        design = _dummies(np.unique(given[known].astype(str), return_inverse=True)[1])
    else:
        design = np.column_stack([np.ones(known.sum()), given[known].astype(float)])
    here = Components(parts.scores[known], parts.variance)
    value = partial_pc_regression(here, codes[known], design)
    return [("PC regression, partial", value, np.nan, "of what the outcome leaves unexplained")]


def _rejected(scores: np.ndarray, codes: np.ndarray) -> Row:
    k = kbet_neighbours(np.bincount(codes))
    note = f"{k} neighbours; {ALPHA:g} by chance"
    return "kBET rejection", kbet_rejection(scores, codes, k), np.nan, note


def _mixed(scores: np.ndarray, codes: np.ndarray) -> Row:
    k = lisi_neighbours(len(codes))
    even = 1 / ((np.bincount(codes) / len(codes)) ** 2).sum()
    note = f"{k} neighbours, not weighted by distance; 1: apart, {even:.2f}: mixed"
    return "LISI", lisi(scores, codes, k), np.nan, note


def _width(scores: np.ndarray, codes: np.ndarray) -> Row:
    mean = silhouette(scores, codes)
    return "silhouette", abs(mean), np.nan, f"mean {mean:.3f}; 0: mixed, 1: apart"


def _dummies(codes: np.ndarray) -> np.ndarray:
    return (codes[:, None] == np.unique(codes)).astype(float)


def _residuals(Y: np.ndarray, design: np.ndarray) -> np.ndarray:
    return Y - design @ np.linalg.lstsq(design, Y, rcond=None)[0]


def _neighbours(scores: np.ndarray, k: int, *, itself: bool) -> np.ndarray:
    # Without an argument kneighbors leaves each sample out of its own neighbours.
    found = NearestNeighbors(n_neighbors=k).fit(scores).kneighbors(return_distance=False)
    return np.column_stack([np.arange(len(scores)), found]) if itself else found


def _counts(codes: np.ndarray, neighbours: np.ndarray, n_batches: int) -> np.ndarray:
    return np.stack([(codes[neighbours] == b).sum(axis=1) for b in range(n_batches)], axis=1)
