"""Whether values are missing because they are low, or at random."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.stats import binom, false_discovery_control, spearmanr

from omicsfusion.preprocess.order_statistics import SortedFeatures

# A relation between abundance and missing values is claimed below this one-sided P value.
P_LAYER = 0.01
# False discovery rate of the features called left-censored.
FDR_FEATURES = 0.05
# With fewer features (or fewer that lack values) no relation over features can be told.
MIN_FEATURES = 10
MIN_INCOMPLETE = 5


@dataclass(frozen=True)
class Missingness:
    """How values of a layer are missing among the training samples.

    Attributes
    ----------
    mechanism
        ``none``: nothing is missing; ``random``: no sign that low values are missing more often;
        ``censored``: in some features values are missing because they are low; ``unknown``: too few
        features to tell, taken as random.
    censored
        Which features are judged left-censored.
    share
        Share of all values that are missing.
    tail_share
        Of the missing values, the share that is missing for being low: in the features judged
        left-censored, what exceeds the rate of those missing at random.
    random_rate
        Share of values missing at random: that of the features above the median abundance.
    rho, p_value
        Spearman correlation over features between mean and share of missing values, and its
        one-sided P value (less than 0).
    log_odds
        Change of the log odds of a missing value per standard deviation of the features' means.
    """

    mechanism: str
    censored: np.ndarray
    share: float
    tail_share: float = 0.0
    random_rate: float = 0.0
    rho: float = 0.0
    p_value: float = 1.0
    log_odds: float = 0.0

    def figures(self) -> dict[str, Any]:
        """Return what JSON can hold: all but ``censored``, of which the number."""
        named = asdict(self)
        named["censored"] = int(self.censored.sum())
        return named

    def __str__(self) -> str:
        if self.mechanism == "none":
            return "no value was missing in training"
        if self.mechanism == "unknown":
            return f"{self.share:.2%} missing, in too few features to tell why"
        relation = (
            f"missing share against mean over features: Spearman {self.rho:.2f}, "
            f"one-sided P {self.p_value:.2g}, log odds {self.log_odds:+.2f} per sd"
        )
        if self.mechanism == "random":
            return f"{self.share:.2%} missing, no sign that low values are missing ({relation})"
        return (
            f"{self.share:.2%} missing, {int(self.censored.sum()):,} features left-censored "
            f"({relation})"
        )


def judge_missingness(X: np.ndarray) -> Missingness:
    """Judge from training samples why values are missing.

    A detection limit makes features of low abundance lack more values than others; values that go
    missing at random do not know the abundance (Lazar et al., J. Proteome Res. 15:1116, 2016). The
    layer is judged by the Spearman correlation between a feature's mean and its share of missing
    values, and the slope of a logistic regression of the same. If both are negative and the first
    is below P = 0.01, a feature counts as left-censored when its mean is below the median of all
    features and it lacks more values than the rate of the more abundant half explains (one-sided
    binomial test, false discovery rate 5 % by Benjamini & Hochberg).

    The features of the layer must be on one scale: of features that were centred one by one the
    means tell nothing, and values then count as missing at random.

    Parameters
    ----------
    X
        Training samples x features, NaN where missing.
    """
    ordered = SortedFeatures.of(X)
    n_missing = len(X) - ordered.n
    none = np.zeros(X.shape[1], dtype=bool)
    share = float(n_missing.sum() / X.size)
    if not n_missing.any():
        return Missingness("none", none, 0.0)
    seen = ordered.n > 0
    mean = ordered.mean()
    incomplete = int((n_missing[seen] > 0).sum())
    if seen.sum() < MIN_FEATURES or incomplete < MIN_INCOMPLETE or np.ptp(mean[seen]) == 0:
        return Missingness("unknown", none, share)
    rho, p_value = _rank_correlation(mean[seen], n_missing[seen])
    log_odds = logistic_slope(mean[seen], n_missing[seen], len(X))
    abundant = seen & (mean >= np.median(mean[seen]))
    # Had half a value more been missing, where none is.
    rate = max(float(n_missing[abundant].mean()), 0.5 / int(abundant.sum())) / len(X)
    found = {"random_rate": rate, "rho": rho, "p_value": p_value, "log_odds": log_odds}
    if p_value >= P_LAYER or log_odds >= 0:
        return Missingness("random", none, share, **found)
    excess = none.copy()
    excess[seen] = _exceeds(n_missing[seen], len(X), rate)
    censored = excess & ~abundant
    if not censored.any():
        return Missingness("random", none, share, **found)
    tail = np.maximum(n_missing[censored] - rate * len(X), 0).sum() / n_missing.sum()
    return Missingness("censored", censored, share, float(tail), **found)


def logistic_slope(mean: np.ndarray, n_missing: np.ndarray, n: int) -> float:
    """Fit log odds of a missing value = a + b x standardised mean; return b.

    Maximum likelihood for n values a feature, by Newton's method (McCullagh & Nelder, Generalized
    Linear Models, 1989, section 4.4), with as much of a penalty (1e-6) as keeps it finite where the
    means part complete from incomplete features.
    """
    x = (mean - mean.mean()) / mean.std()
    design = np.column_stack([np.ones_like(x), x])
    observed = n_missing / n
    start = np.clip(observed.mean(), 1e-6, 1 - 1e-6)
    beta = np.array([np.log(start / (1 - start)), 0.0])
    for _ in range(50):
        rate = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        weight = n * rate * (1 - rate)
        hessian = (design * weight[:, None]).T @ design + 1e-6 * np.eye(2)
        gradient = design.T @ (n * (observed - rate)) - 1e-6 * beta
        step = np.clip(np.linalg.solve(hessian, gradient), -2, 2)
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            break
    return float(beta[1])


def _rank_correlation(mean: np.ndarray, n_missing: np.ndarray) -> tuple[float, float]:
    if np.ptp(n_missing) == 0:
        return 0.0, 1.0
    found = spearmanr(mean, n_missing, alternative="less")
    return float(found.statistic), float(found.pvalue)


def _exceeds(n_missing: np.ndarray, n: int, rate: float) -> np.ndarray:
    """Say which of these counts are more than ``rate`` explains."""
    tail = binom.sf(n_missing - 1, n, rate)
    return false_discovery_control(np.clip(tail, 0, 1)) < FDR_FEATURES
