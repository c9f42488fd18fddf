"""Tests of two models on one set of samples: DeLong's of two AUROCs, McNemar's of two error rates.

They are for a single split and for external samples, where there are no folds to take a standard
error from. Both need samples that are independent: one per patient.
"""

import numpy as np
from scipy.stats import binom, norm, rankdata

from omicsfusion.assess.classification import probabilities, truth_codes
from omicsfusion.assess.held_out import HeldOut
from omicsfusion.assess.predictions import classes_of

NOT_TESTED = float("nan")


def single_split_tests(one: HeldOut, other: HeldOut) -> tuple[float, float]:
    """Return the p-values of DeLong and of McNemar; NaN where a test does not apply.

    Parameters
    ----------
    one, other
        The same samples as two classifiers predict them. DeLong's test is for two classes.
    """
    if one.rows["patient"].duplicated().any():
        return NOT_TESTED, NOT_TESTED
    classes = classes_of(one.rows)
    truth = truth_codes(one, classes)
    here, there = probabilities(one, classes), probabilities(other, classes)
    mcnemar = mcnemar_p(_right(here, truth), _right(there, truth))
    if len(classes) != 2:
        return NOT_TESTED, mcnemar
    return delong_p(truth == 1, here[:, 1], there[:, 1]), mcnemar


def delong_p(is_case: np.ndarray, score: np.ndarray, other: np.ndarray) -> float:
    """Test whether two scores of the same samples have the same AUROC (two-sided).

    DeLong, DeLong & Clarke-Pearson, Biometrics 44, 1988, 837-845; placement values by mid-ranks,
    Sun & Xu, IEEE Signal Process. Lett. 21, 2014, 1389-1393.

    Parameters
    ----------
    is_case
        Boolean, one entry per sample.
    score, other
        Of the same samples; higher speaks for a case.

    Returns
    -------
    NaN where there are fewer than two cases or others; 1 where the two place all samples alike.
    """
    if min(is_case.sum(), (~is_case).sum()) < 2:
        return NOT_TESTED
    cases, others = zip(*(placements(is_case, s) for s in (score, other)), strict=True)
    apart, apart_others = cases[0] - cases[1], others[0] - others[1]
    variance = apart.var(ddof=1) / len(apart) + apart_others.var(ddof=1) / len(apart_others)
    if variance == 0:
        return float(apart.mean() == 0)
    return float(2 * norm.sf(abs(apart.mean()) / np.sqrt(variance)))


def placements(is_case: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return of each case the share of others below it, and of each other that of cases above it.

    Ties count half; the mean of either is the AUROC.
    """
    cases, others = score[is_case], score[~is_case]
    together = rankdata(np.concatenate([cases, others]))
    n, m = len(cases), len(others)
    return (
        (together[:n] - rankdata(cases)) / m,
        1 - (together[n:] - rankdata(others)) / n,
    )


def mcnemar_p(right: np.ndarray, other: np.ndarray) -> float:
    """Test whether two models are right equally often (McNemar 1947; exact, two-sided).

    Parameters
    ----------
    right, other
        Boolean, one entry per sample: whether each model is right.
    """
    only_first, only_second = int((right & ~other).sum()), int((~right & other).sum())
    fewer = min(only_first, only_second)
    return float(min(1.0, 2 * binom.cdf(fewer, only_first + only_second, 0.5)))


def _right(values: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Whether the true class alone has the highest probability."""
    best = values == values.max(axis=1, keepdims=True)
    right: np.ndarray = best[np.arange(len(values)), truth] & (best.sum(axis=1) == 1)
    return right
