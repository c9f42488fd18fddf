"""Step: keep the features that vary most; and what all selections have in common."""

from typing import Any, ClassVar, Self

import numpy as np

from omicsfusion.preprocess.keeping import KeepsFeatures
from omicsfusion.preprocess.order_statistics import SortedFeatures

MAX_FEATURES = 5000
# A twentieth of the values at each end, and at least one, is drawn in before the variance is
# taken: in tcga_brca a single z-score of 36,893 would make its gene the most variable of all.
WINSORISED_SHARE = 0.05
Scores = tuple[np.ndarray, ...]


class Selector(KeepsFeatures):
    """What selections that look at all features together have in common.

    Attributes
    ----------
    did_
        What was done, for people.
    """

    state: ClassVar[tuple[str, ...]] = (*KeepsFeatures.state, "did_")

    def _keep(self, support: np.ndarray, dropped: dict[str, Any], did: str) -> Self:
        self.support_ = support
        self._count(dropped)
        self.did_ = f"{int(support.sum()):,} of {len(support):,} features: {did}"
        return self


class AllFeatures(KeepsFeatures):
    """Keep all features."""

    per_feature = True

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn how many features there are."""
        X = self._checked(X, fitting=True)
        self.support_ = np.ones(X.shape[1], dtype=bool)
        self.dropped_ = {}
        return self

    @property
    def did_(self) -> str:
        """What was done: a property, so that blocks of features can be fitted one by one."""
        return f"all {len(self.support_):,} features"


class RankedSelector(Selector):
    """Keep the features with the largest scores, each of which hangs on the feature alone.

    A subclass implements :meth:`scores` and says in ``scored_by`` what they are. ``fit(X)`` is
    ``choose`` of the scores of X; for a table that is wider than memory, the scores of its blocks
    of columns, concatenated, give the same features.

    Parameters
    ----------
    max_features
        How many to keep at most.
    """

    scored_by = ""

    def __init__(self, max_features: int = MAX_FEATURES) -> None:
        self.max_features = max_features

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn which features to keep."""
        X = self._checked(X, fitting=True)
        return self.choose(self.scores(X), X.shape[1])

    def scores(self, X: np.ndarray) -> Scores:
        """Return arrays with one number per feature, the larger the better.

        The last array decides; the one before it breaks its ties.

        Parameters
        ----------
        X
            Training samples x features, float64; NaN is a missing value.
        """
        raise NotImplementedError

    def choose(self, scores: Scores, n_features: int) -> Self:
        """Keep the best of ``n_features`` features by their scores."""
        self.n_features_in_ = n_features
        support = best(scores, self.max_features)
        dropped = {f"smaller {self.scored_by}": (~support).sum()}
        return self._keep(support, dropped, f"largest {self.scored_by}")


class VarianceSelector(RankedSelector):
    """Keep the features with the largest winsorised variance among the training samples.

    A twentieth of the values at each end is drawn in. Ties (a rare mutation has winsorised variance
    0) go to the larger plain variance, then to the feature that stands first.

    Parameters
    ----------
    max_features
        How many to keep at most.
    """

    scored_by = "winsorised variance"

    def scores(self, X: np.ndarray) -> Scores:
        """Return plain and winsorised variance of each feature."""
        return variances(X)


class MadSelector(RankedSelector):
    """Keep the features with the largest median absolute deviation among the training samples.

    Ties (it is 0 when more than half of the values are equal) go to the larger winsorised, then to
    the larger plain variance, then to the feature that stands first.

    Parameters
    ----------
    max_features
        How many to keep at most.
    """

    scored_by = "median absolute deviation"

    def scores(self, X: np.ndarray) -> Scores:
        """Return plain variance, winsorised variance and median absolute deviation."""
        ordered = SortedFeatures.of(X)
        distance = np.abs(X - np.nan_to_num(ordered.median()))
        deviation = np.nan_to_num(SortedFeatures.of(distance).median())
        return ordered.variance(), ordered.variance(*winsor_limits(ordered)), deviation


def best(scores: Scores, limit: int, among: np.ndarray | None = None) -> np.ndarray:
    """Mark the features with the best scores.

    Parameters
    ----------
    scores
        One number per feature in each, the larger the better; the last one decides, the one before
        it breaks its ties, and at last the feature that stands first wins.
    limit
        How many to mark.
    among
        Which features may be marked (bool); None: all.
    """
    ranked = np.lexsort(tuple(-score for score in scores))
    if among is not None:
        ranked = ranked[among[ranked]]
    support = np.zeros(len(scores[-1]), dtype=bool)
    support[ranked[:limit]] = True
    return support


def winsor_limits(ordered: SortedFeatures) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and highest value of each feature after a twentieth is drawn in."""
    low = np.nan_to_num(ordered.quantile(WINSORISED_SHARE, "up"))
    high = np.nan_to_num(ordered.quantile(1 - WINSORISED_SHARE, "down"))
    return low, np.maximum(low, high)


def variances(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return plain and winsorised variance of each feature of X (samples x features)."""
    ordered = SortedFeatures.of(X)
    return ordered.variance(), ordered.variance(*winsor_limits(ordered))
