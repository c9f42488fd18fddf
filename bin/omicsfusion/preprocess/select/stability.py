"""Step: keep the features that are chosen again and again on halves of the training samples."""

import warnings
from collections.abc import Iterator
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import lars_path

from omicsfusion.preprocess.select.associations import (
    CLASSIFICATION,
    SURVIVAL,
    associations,
    checked_outcome,
    martingale_residuals,
)
from omicsfusion.preprocess.select.spread import MAX_FEATURES, best
from omicsfusion.preprocess.select.univariate import MIN_FEATURES, SupervisedSelector
from omicsfusion.seeds import seed_for

THRESHOLD = 0.6
N_SUBSAMPLES = 50
N_CHOSEN = 50
BASES = ("univariate", "lasso")
# The halves are part of the method, not of the run: all chains of all runs draw the same.
SEED = 0


class StabilitySelector(SupervisedSelector):
    """Keep the features that a base selection chooses in most halves of the training samples.

    Meinshausen & Buhlmann, J. R. Stat. Soc. B 72:417, 2010: the base selection chooses
    ``n_chosen`` features on each of ``n_subsamples`` random halves; kept is what was chosen in a
    share of at least ``threshold`` of them. Their theorem 1 bounds the expected number of features
    kept by chance by n_chosen^2 / ((2 threshold - 1) n_features). Halves are drawn within classes,
    and within events and censored times, so that none lacks one of them, and hold all samples of a
    patient or none: with one of two in each half, what is stable would be the patient.

    Parameters
    ----------
    task
        ``classification``, ``regression`` or ``survival``; None: told from the outcome.
    max_features
        How many to keep at most: those chosen most often.
    threshold
        Smallest share of the halves in which a feature is chosen, above 0.5.
    n_subsamples
        Number of halves.
    n_chosen
        How many features are chosen on each.
    base
        ``univariate``: the smallest p-values; ``lasso``: the first to enter the lasso path
        (:func:`first_on_lasso_path`).
    min_features
        How many to keep at least: a model needs an input.

    Attributes
    ----------
    frequency_
        Share of the halves in which each feature was chosen.
    """

    needs = ("patients",)
    state = (*SupervisedSelector.state, "frequency_")
    feature_state = (*SupervisedSelector.feature_state, "frequency_")

    def __init__(
        self,
        task: str | None = None,
        max_features: int = MAX_FEATURES,
        threshold: float = THRESHOLD,
        n_subsamples: int = N_SUBSAMPLES,
        n_chosen: int = N_CHOSEN,
        base: str = "univariate",
        min_features: int = MIN_FEATURES,
    ) -> None:
        self.task = task
        self.max_features = max_features
        self.threshold = threshold
        self.n_subsamples = n_subsamples
        self.n_chosen = n_chosen
        self.base = base
        self.min_features = min_features

    def fit(self, X: Any, y: Any = None, patients: np.ndarray | None = None) -> Self:
        """Learn which features to keep.

        Parameters
        ----------
        y
            Outcome of each training sample: class, number, or (time, event).
        patients
            Whose each training sample is. Default: each is of a patient of its own.

        Raises
        ------
        ValueError
            ``base`` is unknown, or ``threshold`` is not above 0.5.
        """
        X = self._checked(X, fitting=True)
        task, y = checked_outcome(y, self.task, X)
        if self.base not in BASES:
            raise ValueError(f"base {self.base!r} is not one of {', '.join(BASES)}.")
        if not 0.5 < self.threshold <= 1:
            raise ValueError(f"threshold is {self.threshold:g}; it must be above 0.5, at most 1.")
        times = np.zeros(X.shape[1])
        for rows in halves(y, task, self.n_subsamples, patients):
            times += self._chosen(X[rows], y[rows], task)
        self.frequency_ = times / self.n_subsamples
        stable = self.frequency_ >= self.threshold
        n = max(int(stable.sum()), min(self.min_features, self.max_features))
        whole = associations(X, y, task)
        support = best((-whole[1], self.frequency_), min(n, self.max_features))
        dropped = {
            f"chosen in less than {self.threshold:.0%} of the halves": (~support & ~stable).sum(),
            "stable, but chosen less often": (~support & stable).sum(),
        }
        return self._keep(support, dropped, self._said(stable, support))

    def _chosen(self, X: np.ndarray, y: np.ndarray, task: str) -> np.ndarray:
        if self.base == "lasso":
            return first_on_lasso_path(X, y, task, self.n_chosen)
        statistic, p = associations(X, y, task)
        return best((statistic, -p), self.n_chosen, p < 1)

    def _said(self, stable: np.ndarray, support: np.ndarray) -> str:
        bound = self.n_chosen**2 / ((2 * self.threshold - 1) * len(stable))
        said = (
            f"{int(stable.sum()):,} chosen ({self.base}) in at least {self.threshold:.0%} of "
            f"{self.n_subsamples} halves, at most {bound:.2g} of them expected by chance"
        )
        weak = int((support & ~stable).sum())
        return said + (f"; {weak:,} kept that were chosen less often" if weak else "")


def halves(
    y: np.ndarray, task: str, n: int, patients: np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """Draw random halves of the patients, without replacement; always the same ones.

    Parameters
    ----------
    patients
        Whose each sample is. Default: each is of a patient of its own.

    Yields
    ------
    Positions of samples, ascending: all those of half (rounded up) of the patients of each class,
    of events and of censored times, or (regression) of all patients. Patients whose samples are of
    several classes are a class by themselves.
    """
    strata = np.zeros(len(y), dtype=np.int64)
    if task == CLASSIFICATION:
        strata = y
    elif task == SURVIVAL:
        strata = (y[:, 1] > 0).astype(np.int64)
    whose = np.arange(len(y)) if patients is None else pd.factorize(patients)[0]
    # Patients are numbered as they come, so that those with one sample each are drawn as samples.
    classes = [tuple(np.unique(strata[whose == patient])) for patient in range(whose.max() + 1)]
    groups = [
        np.array([patient for patient, its in enumerate(classes) if its == kind])
        for kind in sorted(set(classes))
    ]
    for number in range(n):
        rng = np.random.default_rng(seed_for(SEED, "stability", number))
        drawn = [rng.permutation(group)[: (len(group) + 1) // 2] for group in groups]
        yield np.flatnonzero(np.isin(whose, np.concatenate(drawn)))


def first_on_lasso_path(X: np.ndarray, y: np.ndarray, task: str, limit: int) -> np.ndarray:
    """Mark the features that enter the lasso path first.

    The path is that of least squares (LARS: Efron et al., Ann. Stat. 32:407, 2004) of the outcome;
    for classes of each class's indicator (of two classes, their sparse discriminant: Mai, Zou &
    Yuan, Biometrika 99:29, 2012), the classes' paths taken in turns; for times of the martingale
    residuals of the model without features (as Segal, Biostatistics 7:268, 2006).

    Parameters
    ----------
    X
        Samples x features; they are standardised here, NaN counts as the mean.
    y, task
        As :func:`omicsfusion.preprocess.select.associations.checked_outcome` returns them.
    limit
        How many features at most.
    """
    support = np.zeros(X.shape[1], dtype=bool)
    Z = _standardised(X)
    if len(X) < 2 or not Z.any():
        return support
    paths = [_entered(Z, response, limit) for response in _responses(y, task)]
    for place in range(limit):
        for path in paths:
            if place < len(path) and support.sum() < limit:
                support[path[place]] = True
    return support


def _responses(y: np.ndarray, task: str) -> list[np.ndarray]:
    if task == SURVIVAL:
        return [martingale_residuals(y)]
    if task != CLASSIFICATION:
        return [y]
    classes = np.unique(y)
    # Of two classes the one's indicator is the other's, turned round.
    return [(y == label).astype(np.float64) for label in classes[-1 if len(classes) == 2 else 0 :]]


def _entered(Z: np.ndarray, response: np.ndarray, limit: int) -> list[int]:
    """Return features in the order in which they first enter the path."""
    response = response - response.mean()
    if not response.any():
        return []
    # A feature may leave the path again: more steps than features.
    with warnings.catch_warnings():
        # Of features that say the same one is dropped, with a warning: that is what is wanted.
        warnings.simplefilter("ignore", ConvergenceWarning)
        _, _, path = lars_path(Z, response, method="lasso", max_iter=min(2 * limit, len(Z)))
    entered = (path != 0).any(axis=1)
    first = np.argmax(path != 0, axis=1)
    order = np.lexsort((np.arange(len(path)), first))
    return [int(feature) for feature in order if entered[feature]]


def _standardised(X: np.ndarray) -> np.ndarray:
    known = ~np.isnan(X)
    n = np.maximum(known.sum(axis=0), 1)
    x = np.where(known, X, 0)
    x = np.where(known, x - x.sum(axis=0) / n, 0)
    deviation = np.sqrt((x**2).sum(axis=0) / n)
    varies = np.fmax.reduce(X, axis=0) > np.fmin.reduce(X, axis=0)
    return np.where(varies, x / np.where(deviation > 0, deviation, 1), 0)
