"""What the features of a layer look like: gaps, zeros, means and spreads, cohort by cohort."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from omicsfusion.qc.display_scale import on_display_scale
from omicsfusion.qc.moments import Moments
from omicsfusion.tables.cohort_table import CohortTable

BINS = 20
# The bins span the middle of the features; what lies outside is counted in the outermost ones, so
# that one wild feature does not squeeze all others into one bin.
OUTSIDE = 0.005
HISTOGRAM_COLUMNS = ("layer", "cohort", "measure", "low", "high", "n")


@dataclass(frozen=True)
class FeatureMeasures:
    """Of each feature of one cohort's table, over its used samples.

    Attributes
    ----------
    missing, zeros
        Shares: of the samples; of the values that are not missing.
    moments
        Count, mean and spread on the display scale.
    """

    missing: np.ndarray
    zeros: np.ndarray
    moments: Moments

    def by_name(self) -> Mapping[str, np.ndarray]:
        """Return the measures that are drawn; features without any value have only ``missing``."""
        known = self.moments.n > 0
        return {
            "missing": self.missing,
            "zeros": self.zeros[known],
            "mean": self.moments.mean[known],
            "sd": self.moments.sd()[known],
        }


def measure_features(table: CohortTable, logarithm: bool) -> FeatureMeasures:
    """Read a cohort's table in blocks of columns.

    Parameters
    ----------
    logarithm
        Whether means and spreads are those of log2(x + 1).
    """
    n_features, n_samples = len(table.header.features), len(table.rows)
    moments, zeros = Moments.none(n_features), np.zeros(n_features)
    for start, X in table.blocks():
        here = slice(start, start + X.shape[1])
        of_block = Moments.of(on_display_scale(X, logarithm), axis=0)
        moments.n[here] = of_block.n
        moments.mean[here] = of_block.mean
        moments.squares[here] = of_block.squares
        zeros[here] = (X == 0).sum(axis=0)
    missing = (n_samples - moments.n) / max(n_samples, 1)
    return FeatureMeasures(missing, zeros / np.maximum(moments.n, 1), moments)


def histograms(layer: str, measures: Mapping[str, FeatureMeasures]) -> pd.DataFrame:
    """Count features in bins that are the same for all cohorts.

    Parameters
    ----------
    measures
        By cohort.

    Returns
    -------
    ``HISTOGRAM_COLUMNS``: ``BINS`` rows per cohort and measure; one where all features have the
    same value.
    """
    rows: list[tuple[str, str, str, float, float, int]] = []
    named = {cohort: of_cohort.by_name() for cohort, of_cohort in sorted(measures.items())}
    for measure in ("missing", "mean", "sd", "zeros"):
        edges = _edges([of_cohort[measure] for of_cohort in named.values()])
        for cohort, of_cohort in named.items():
            for low, high, n in _counted(of_cohort[measure], edges):
                rows.append((layer, cohort, measure, low, high, n))
    return pd.DataFrame(rows, columns=list(HISTOGRAM_COLUMNS))


def _edges(values: Sequence[np.ndarray]) -> np.ndarray:
    together = np.concatenate([*values, np.empty(0)])
    if len(together) == 0:
        return np.empty(0)
    low, high = np.quantile(together, [OUTSIDE, 1 - OUTSIDE])
    if low == high:
        low, high = together.min(), together.max()
    return np.linspace(low, high, BINS + 1) if low < high else np.array([low, high])


def _counted(values: np.ndarray, edges: np.ndarray) -> Iterator[tuple[float, float, int]]:
    if len(values) == 0 or len(edges) == 0:
        return
    if edges[0] == edges[-1]:
        yield float(edges[0]), float(edges[-1]), len(values)
        return
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), bins=edges)
    for low, high, n in zip(edges[:-1], edges[1:], counts, strict=True):
        yield float(low), float(high), int(n)


def most_variable(
    tables: Sequence[CohortTable], measures: Mapping[str, FeatureMeasures], n_most: int
) -> tuple[str, ...]:
    """Name the features that vary most among the training cohorts' samples.

    Features that more than half of those samples lack are left out, and constant ones.

    Returns
    -------
    At most ``n_most`` names, in the order of the tables; ties go to the first.
    """
    training = [table for table in tables if table.is_training]
    features = tuple(dict.fromkeys(name for table in training for name in table.header.features))
    position = {feature: column for column, feature in enumerate(features)}
    whole = Moments.none(len(features))
    for table in training:
        own = Moments.none(len(features))
        columns = np.array([position[name] for name in table.header.features], dtype=np.int64)
        moments = measures[table.header.cohort].moments
        own.n[columns] = moments.n
        own.mean[columns] = moments.mean
        own.squares[columns] = moments.squares
        whole = whole.merged(own)
    sd = np.where(2 * whole.n >= sum(len(table.rows) for table in training), whole.sd(), 0.0)
    first = np.argsort(-sd, kind="stable")[:n_most]
    return tuple(features[column] for column in np.sort(first[sd[first] > 0]))
