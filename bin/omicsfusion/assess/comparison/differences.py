"""Paired differences of two models on the samples that both predict.

Two ways, by how the run was split:

- k-fold with at least 5 folds of one size, repeated at least twice: the mean of the differences of
  all J folds, with the corrected resampled t-test of Nadeau & Bengio (Machine Learning 52, 2003,
  239-281): SE² = s²(1/J + n_test/n_train), df = J - 1. Training sets of different folds overlap,
  and the second term makes up for it.
- any other split, and external samples: the difference of the scores over all held-out sets
  (pairs counted within sets), with the p-value and the standard error of the bootstrap. They do
  not include what training on other patients would change.

The interval is that of the bootstrap of patients in both, each replicate the same for both models.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t as student

from omicsfusion.assess.bootstrap import percentile_interval, replicated
from omicsfusion.assess.comparison.headline import headline_score
from omicsfusion.assess.held_out import HeldOut, held_out_sets, scored_rows
from omicsfusion.assess.predictions import ID_COLUMNS, classes_of
from omicsfusion.assess.undefined import mean_of_defined

LEVEL = 0.9
LEAST_FOLDS, LEAST_REPEATS = 5, 2
UNEQUAL = 1.5
"""Folds are of one size while the largest has at most so many times the samples of the least."""

NADEAU_BENGIO, BOOTSTRAP = "nadeau_bengio", "bootstrap"


@dataclass(frozen=True)
class Difference:
    """What two models differ by.

    Attributes
    ----------
    score, score_against, difference
        Of both models on the common samples, and the first minus the second.
    ci_low, ci_high
        90 % bootstrap interval of the difference.
    se, df, p, method
        Standard error, degrees of freedom, two-sided p-value, and whose they are.
    share_positive, share_negative
        Share of the repeats in which the difference is above, below 0.
    n_folds, n_repeats, n_patients, n_events, least_class
        Held-out sets, repeats of the folds, patients, patients with an event (survival), and
        patients of the rarest class, 0 if nobody has it (classification); the last two else None.
    failed_share
        Share of the fits that have no prediction, of the model that failed more often; they are
        scored as chance.
    """

    score: float
    score_against: float
    difference: float
    ci_low: float
    ci_high: float
    se: float
    df: int
    p: float
    method: str
    share_positive: float
    share_negative: float
    n_folds: int
    n_repeats: int
    n_patients: int
    n_events: int | None
    least_class: int | None
    failed_share: float


def paired_difference(
    first: pd.DataFrame,
    second: pd.DataFrame,
    scope: str,
    task: str,
    patients: Sequence[str],
    weights: np.ndarray,
) -> Difference | None:
    """Compare two models on the samples of a scope that both predict.

    Parameters
    ----------
    first, second
        Their rows of one permutation and target that have an outcome.
    scope
        ``test`` or ``external``.
    task
        ``classification``, ``survival`` or ``regression``.
    patients, weights
        All patients of the scope, and replicates x patients: the replicates of the metrics.

    Returns
    -------
    None where there is no sample that both predict, or no score of them is defined.
    """
    one, other = (held_out_sets(e, scope, patients) for e in common(first, second, scope))
    if not one:
        return None
    averaged = is_repeated_kfold(one)
    values, against = (_values(sets, task, weights, averaged) for sets in (one, other))
    replicates = values - against
    if np.isnan(replicates[0]):
        return None
    rows = pd.concat([held.rows for held in one]).drop_duplicates("sample")
    n_patients = rows["patient"].nunique()
    difference = float(replicates[0])
    by_repeat = _by_repeat(one, other, task, averaged)
    if averaged:
        se, df, p = nadeau_bengio(_by_fold(one, other, task), share_held_out(one))
    else:
        se, df, p = _bootstrap_test(replicates[1:], n_patients)
    low, high = percentile_interval(replicates[1:], LEVEL)
    return Difference(
        score=float(values[0]),
        score_against=float(against[0]),
        difference=difference,
        ci_low=low,
        ci_high=high,
        se=se,
        df=df,
        p=p,
        method=NADEAU_BENGIO if averaged else BOOTSTRAP,
        share_positive=float((by_repeat > 0).mean()),
        share_negative=float((by_repeat < 0).mean()),
        n_folds=len(one),
        n_repeats=len({held.repeat for held in one}),
        n_patients=n_patients,
        n_events=_patients_with_event(rows) if task == "survival" else None,
        least_class=_least_class(rows) if task == "classification" else None,
        failed_share=max(_failed_share(one), _failed_share(other)),
    )


def common(
    first: pd.DataFrame, second: pd.DataFrame, scope: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Keep of both models' rows in a scope those of samples that both predict, fold by fold.

    A sample of which a fit failed stays: it has a row, without a prediction. Inner rows stay, as
    they tell the training samples of a fit.
    """
    keys = ["repeat", "fold", "sample"]
    both = scored_rows(first, scope)[keys].merge(scored_rows(second, scope)[keys])
    kept = pd.MultiIndex.from_frame(both)
    parts = []
    for entry in (first, second):
        here = pd.MultiIndex.from_frame(entry[keys]).isin(kept)
        parts.append(entry[(entry["scope"] == "inner") | ((entry["scope"] == scope) & here)])
    return parts[0], parts[1]


def is_repeated_kfold(sets: Sequence[HeldOut]) -> bool:
    """Whether there are enough folds of one size in enough repeats for Nadeau and Bengio's test.

    Only k-fold is repeated: sites, given folds and the newest patients are held out once.
    """
    folds = pd.Series([held.repeat for held in sets]).value_counts()
    sizes = [len(held.rows) for held in sets]
    enough = len(folds) >= LEAST_REPEATS and folds.min() >= LEAST_FOLDS
    return bool(enough and folds.nunique() == 1 and max(sizes) <= UNEQUAL * min(sizes))


def share_held_out(sets: Sequence[HeldOut]) -> float:
    """Return n_test / n_train of repeated k-fold, averaged over the folds.

    What is not held out in a fold of a repeat was trained on.
    """
    sizes = pd.DataFrame([(h.repeat, len(h.rows)) for h in sets], columns=["repeat", "n"])
    everyone = sizes.groupby("repeat")["n"].transform("sum")
    return float((sizes["n"] / (everyone - sizes["n"])).mean())


def nadeau_bengio(differences: np.ndarray, ratio: float) -> tuple[float, int, float]:
    """Return corrected standard error, degrees of freedom and two-sided p-value.

    Parameters
    ----------
    differences
        Of each fold of each repeat; what is not defined is left out.
    ratio
        Test samples over training samples.

    Returns
    -------
    Without any spread p is 1 where there is no difference, else 0; NaN for one fold.
    """
    defined = differences[~np.isnan(differences)]
    if len(defined) < 2:
        return float("nan"), 0, float("nan")
    se = float(np.sqrt(defined.var(ddof=1) * (1 / len(defined) + ratio)))
    mean, df = float(defined.mean()), len(defined) - 1
    if se == 0:
        return se, df, float(mean == 0)
    return se, df, float(2 * student.sf(abs(mean) / se, df))


def _bootstrap_test(replicates: np.ndarray, n_patients: int) -> tuple[float, int, float]:
    """Test by the share of replicates beyond 0.

    The percentile interval turned round (Hall 1992, The Bootstrap and Edgeworth Expansion, section
    3.12), counted as (1 + beyond) / (1 + R) (Davison & Hinkley 1997, section 4.2).
    """
    defined = replicates[~np.isnan(replicates)]
    if len(defined) < 2:
        return float("nan"), 0, float("nan")
    beyond = min((defined <= 0).sum(), (defined >= 0).sum())
    p = min(1.0, 2 * (1 + float(beyond)) / (1 + len(defined)))
    return float(defined.std(ddof=1)), n_patients - 1, p


def _values(sets: Sequence[HeldOut], task: str, weights: np.ndarray, averaged: bool) -> np.ndarray:
    """Return the score and its replicates, of length 1 + replicates."""
    parts = [[held] for held in sets] if averaged else [list(sets)]

    def scores(some: np.ndarray) -> dict[str, np.ndarray]:
        by_part = np.stack([headline_score(part, task, some) for part in parts], axis=-1)
        return {"score": mean_of_defined(by_part)}

    return replicated(scores, weights)["score"]


def _by_fold(one: Sequence[HeldOut], other: Sequence[HeldOut], task: str) -> np.ndarray:
    return np.array([_apart([a], [b], task, True) for a, b in zip(one, other, strict=True)])


def _by_repeat(
    one: Sequence[HeldOut], other: Sequence[HeldOut], task: str, averaged: bool
) -> np.ndarray:
    repeats = sorted({held.repeat for held in one})
    sides = [[[h for h in sets if h.repeat == r] for r in repeats] for sets in (one, other)]
    found = np.array([_apart(a, b, task, averaged) for a, b in zip(*sides, strict=True)])
    return found[~np.isnan(found)]


def _apart(one: Sequence[HeldOut], other: Sequence[HeldOut], task: str, averaged: bool) -> float:
    """Difference on all patients as they are, without replicates."""
    nobody = np.ones((0, 1 + max(int(held.patients.max()) for held in one)))
    values, against = (_values(sets, task, nobody, averaged) for sets in (one, other))
    return float(values[0] - against[0])


def _failed_share(sets: Sequence[HeldOut]) -> float:
    predicted = [held.rows.iloc[:, len(ID_COLUMNS)] for held in sets]
    return float(np.mean([values.isna().all() for values in predicted]))


def _patients_with_event(rows: pd.DataFrame) -> int:
    return int(rows.loc[rows["event"] == 1, "patient"].nunique())


def _least_class(rows: pd.DataFrame) -> int:
    of_class = rows.groupby("truth")["patient"].nunique()
    return int(of_class.reindex(classes_of(rows), fill_value=0).min())
