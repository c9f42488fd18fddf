"""What each sample of a layer looks like, and which samples lie far from the others."""

import numpy as np
import pandas as pd

from omicsfusion.preprocess.order_statistics import SortedFeatures
from omicsfusion.preprocess.outliers import (
    MADS,
    MIN_JUDGED,
    MISSING_FLOOR,
    centre_and_spread,
    robust_z,
)
from omicsfusion.qc.display_scale import on_display_scale
from omicsfusion.qc.signs import ABUNDANCES
from omicsfusion.tables.cohort_table import BLOCK_VALUES, CLINICAL, CohortTable
from omicsfusion.tables.layer import read_rows

QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}
# Kinds whose values add up to something: reads, molecules, mutations.
SUMMED = (*ABUNDANCES, "mutation")

MEASURES = ("n_features", "missing", "zeros", "total", "median", "spread", *QUANTILES)
DISTRIBUTION_COLUMNS = ("layer", "cohort", "sample", *QUANTILES)


def measure_samples(table: CohortTable, logarithm: bool) -> pd.DataFrame:
    """Read a cohort's used samples in blocks of rows.

    Parameters
    ----------
    logarithm
        Whether medians, spreads and quantiles are those of log2(x + 1).

    Returns
    -------
    Index: sample, sorted. ``n_features`` that the cohort's table has; ``missing``: share of them;
    ``zeros``: share of the known ones; ``total``: sum of the values, NaN where they do not add up;
    ``median`` and ``spread`` (interquartile range) on the display scale; the quantiles of
    ``QUANTILES``, likewise. Of the clinical layer only ``n_features`` and ``missing``: codes have
    no sum and no median.
    """
    n_features = len(table.header.features)
    rows = table.rows.tolist()
    at_once = max(BLOCK_VALUES // max(n_features, 1), 1)
    blocks = [
        _measures(read_rows(table.path, rows[start : start + at_once]), table, logarithm)
        for start in range(0, len(rows), at_once)
    ]
    none = pd.DataFrame(columns=list(MEASURES), dtype=np.float64)
    whole = pd.concat(blocks, ignore_index=True) if blocks else none
    return whole.set_axis(pd.Index(table.samples, name="sample"), axis=0)


def _measures(X: np.ndarray, table: CohortTable, logarithm: bool) -> pd.DataFrame:
    n_features = X.shape[1]
    n_missing = np.isnan(X).sum(axis=1)
    if table.header.kind == CLINICAL:
        return pd.DataFrame(
            {"n_features": n_features, "missing": n_missing / max(n_features, 1)},
            columns=list(MEASURES),
            dtype=np.float64,
        )
    values = on_display_scale(X, logarithm)
    ordered = SortedFeatures.of(values.T) if n_features else None
    at = {
        name: ordered.quantile(q) if ordered else np.full(len(X), np.nan)
        for name, q in QUANTILES.items()
    }
    total = np.full(len(X), np.nan)
    if table.header.kind in SUMMED:
        total = np.array([np.nansum(row, dtype=np.float64) for row in X])
    return pd.DataFrame(
        {
            "n_features": n_features,
            "missing": n_missing / max(n_features, 1),
            "zeros": (X == 0).sum(axis=1) / np.maximum(n_features - n_missing, 1),
            "total": total,
            "median": at["q50"],
            "spread": at["q75"] - at["q25"],
            **at,
        }
    )


def distributions(layer: str, cohort: str, measures: pd.DataFrame) -> pd.DataFrame:
    """Return ``DISTRIBUTION_COLUMNS``: quantiles of each sample's values on the display scale."""
    table = measures.reset_index().assign(layer=layer, cohort=cohort)
    return table.loc[table["q50"].notna(), list(DISTRIBUTION_COLUMNS)]


def judge_samples(measures: pd.DataFrame, is_training: np.ndarray) -> pd.Series:
    """Say why samples are unlike the training samples; nobody is removed for it.

    The measures and the rule are those by which ``outliers: leave_out`` leaves training samples
    out (``OutlierRule``), with all training cohorts' samples to compare with, not those of a fold.

    Parameters
    ----------
    measures
        From :func:`measure_samples`, of all cohorts, with ``pc_distance`` added.
    is_training
        Of the same samples.

    Returns
    -------
    Text per sample, such as ``total 12.1 (robust z -7.4)``, joined by ``; ``; empty for none.
    """
    compared = pd.DataFrame(
        {
            "missing": measures["missing"],
            "total": _full_total(measures),
            "median": measures["median"],
            "spread": measures["spread"],
            "distance": measures["pc_distance"],
        }
    )
    reasons = pd.Series("", index=measures.index)
    if is_training.sum() < MIN_JUDGED:
        return reasons
    for name, values in compared.items():
        centre, spread = centre_and_spread(values[is_training].to_numpy())
        if name == "missing":
            spread = max(spread, MISSING_FLOOR)
        z = robust_z(values.to_numpy(), centre, spread)
        # Nothing is wrong with a sample that has few missing values or lies in the middle.
        size = z if name in ("missing", "distance") else np.abs(z)
        for row in np.flatnonzero(size > MADS):
            text = f"{name} {values.iloc[row]:.4g} (robust z {z[row]:.1f})"
            reasons.iloc[row] += f"; {text}" if reasons.iloc[row] else text
    return reasons


def _full_total(measures: pd.DataFrame) -> pd.Series:
    """Return log2 of the totals, as if no feature were missing, plus 1."""
    known = 1 - measures["missing"]
    return np.log2((measures["total"] / known.where(known > 0)).clip(lower=0) + 1)
