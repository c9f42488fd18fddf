"""Mean ranks of the models over the folds, with Nemenyi's critical difference.

Friedman's test and the critical difference are those of Demšar (J. Mach. Learn. Res. 7, 2006,
1-30), who compares models over data sets. Folds of one cohort share most of their training
patients, so that what they say here is a picture, on which no verdict rests.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import friedmanchisquare, rankdata, studentized_range

from omicsfusion.assess.comparison.headline import headline_score
from omicsfusion.assess.held_out import held_out_sets

ALPHA = 0.05
LEAST_MODELS, LEAST_FOLDS = 3, 3

COLUMNS = [
    *("permutation", "target", "model", "mean_rank", "n_folds", "n_models"),
    *("statistic", "p", "critical_difference"),
]


def rank_table(entries: Mapping[str, pd.DataFrame], task: str) -> pd.DataFrame:
    """Rank the models that predict every test sample in every outer fold; 1 is the best.

    Parameters
    ----------
    entries
        Model -> its rows of one permutation and target that have an outcome.
    task
        ``classification``, ``survival`` or ``regression``.

    Returns
    -------
    ``COLUMNS``, the best model first; no row with fewer than 3 models or 3 folds.
    """
    scores = _complete_scores(entries, task)
    if scores.shape[0] < LEAST_FOLDS or scores.shape[1] < LEAST_MODELS:
        return pd.DataFrame(columns=COLUMNS)
    first = next(iter(entries.values())).iloc[0]
    statistic, p = friedman(scores.to_numpy())
    table = pd.DataFrame(
        {
            "permutation": first["permutation"],
            "target": first["target"],
            "model": scores.columns,
            "mean_rank": mean_ranks(scores.to_numpy()),
            "n_folds": len(scores),
            "n_models": scores.shape[1],
            "statistic": statistic,
            "p": p,
            "critical_difference": critical_difference(scores.shape[1], len(scores)),
        }
    )
    return table.sort_values(["mean_rank", "model"], ignore_index=True)[COLUMNS]


def mean_ranks(scores: np.ndarray) -> np.ndarray:
    """Return each model's rank averaged over folds (folds x models; the highest score is 1)."""
    ranks: np.ndarray = rankdata(-scores, axis=1).mean(axis=0)
    return ranks


def friedman(scores: np.ndarray) -> tuple[float, float]:
    """Return Friedman's chi-squared and its p-value.

    Parameters
    ----------
    scores
        Folds x models, at least three of each. Where all models are equal in every fold the
        statistic is 0.
    """
    if (scores == scores[:, :1]).all():
        return 0.0, 1.0
    found = friedmanchisquare(*scores.T)
    return float(found.statistic), float(found.pvalue)


def critical_difference(n_models: int, n_folds: int) -> float:
    """Return the difference of mean ranks beyond which two models differ at .05 (Nemenyi).

    q sqrt(k(k + 1) / 6N), q being the quantile of the studentised range over the root of 2
    (Demšar 2006, table 5).
    """
    q = studentized_range.isf(ALPHA, n_models, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(n_models * (n_models + 1) / (6 * n_folds)))


def _complete_scores(entries: Mapping[str, pd.DataFrame], task: str) -> pd.DataFrame:
    """Folds x models: scores of the models that predict as many samples as any does."""
    tested = {model: entry[entry["scope"] == "test"] for model, entry in entries.items()}
    most = max((len(rows) for rows in tested.values()), default=0)
    columns = {}
    for model, entry in entries.items():
        if len(tested[model]) == most:
            patients = sorted(tested[model]["patient"].unique())
            ones = np.ones((1, len(patients)))
            columns[model] = {
                (held.repeat, held.fold): float(headline_score([held], task, ones)[0])
                for held in held_out_sets(entry, "test", patients)
            }
    return pd.DataFrame(columns).dropna()
