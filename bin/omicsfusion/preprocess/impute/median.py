"""Step: fill in missing values; by medians, and what all imputers that scale have in common."""

from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils.validation import check_is_fitted

from omicsfusion.preprocess.order_statistics import SortedFeatures
from omicsfusion.preprocess.step import Step

# Takes a scaled sample (NaN where missing) and the positions of its missing values; returns scaled
# values for these positions.
Filler = Callable[[np.ndarray, np.ndarray], np.ndarray]

# Scaled values further off count as this far, so that their squares and products stay finite.
FARTHEST = 1e6
# With more missing values a feature says little of how alike two samples are.
MOSTLY_KNOWN = 0.2
# As in the selection by variance: one huge value must not make a feature the most telling of all.
WINSORISED_SHARE = 0.05


class MedianImputer(OneToOneFeatureMixin, Step):
    """Replace missing values by the median of the training samples.

    Attributes
    ----------
    median_
        Median of each feature; 0 for a feature without any training value.
    share_missing_
        Share of the training samples that lack each feature, 0 to 1.
    """

    state = ("median_", "share_missing_")
    feature_state = state
    per_feature = True

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn the medians."""
        ordered = SortedFeatures.of(self._checked(X, fitting=True))
        self.median_ = np.nan_to_num(ordered.median())
        self.share_missing_ = 1 - ordered.n / ordered.values.shape[1]
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the values without NaN."""
        check_is_fitted(self)
        X = self._checked(X)
        return np.where(np.isnan(X), self.median_, X)

    @property
    def did_(self) -> str:
        """What was done: a property, so that blocks of features can be fitted one by one."""
        return f"medians of the training samples; {told_missing(self.share_missing_)}"


class ScaledImputer(OneToOneFeatureMixin, Step):
    """What imputers share that see each feature in its own standard deviations.

    Values are centred and scaled by the mean and the standard deviation (divided by n) of the
    training samples, imputed, and scaled back. An imputed value is never below the lowest nor above
    the highest training value of its feature. A feature without any training value is 0.

    A subclass implements ``_learn``, ``_filler`` and ``_said``.

    Attributes
    ----------
    mean_, scale_, median_, lowest_, highest_
        Of each feature, of its known training values. The scale of a constant feature is 1.
    did_
        What was done, for people.
    """

    state: ClassVar[tuple[str, ...]] = (
        "mean_",
        "scale_",
        "median_",
        "lowest_",
        "highest_",
        "did_",
    )
    feature_state = ("mean_", "scale_", "median_", "lowest_", "highest_")

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn scale and model from training samples."""
        X = np.ascontiguousarray(self._checked(X, fitting=True))
        ordered = SortedFeatures.of(X)
        deviation = np.sqrt(ordered.variance())
        self.mean_ = ordered.mean()
        self.median_ = np.nan_to_num(ordered.median())
        self.lowest_ = np.nan_to_num(ordered.quantile(0))
        self.highest_ = np.nan_to_num(ordered.quantile(1))
        # Equal values whose mean is rounded have a deviation a little above 0.
        varies = (deviation > 0) & (self.highest_ > self.lowest_)
        self.scale_ = np.where(varies, deviation, 1.0)
        self._learn(X, self._scaled(X))
        share = 1 - ordered.n / len(X)
        self.did_ = f"{self._said()}; {told_missing(share)}"
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the values without NaN, each sample by itself."""
        check_is_fitted(self)
        out = np.array(self._checked(X), order="C")
        fill = self._filler()
        for row in out:
            missing = np.flatnonzero(np.isnan(row))
            if len(missing):
                values = fill(self._scaled(row), missing)
                row[missing] = np.clip(
                    values * self.scale_[missing] + self.mean_[missing],
                    self.lowest_[missing],
                    self.highest_[missing],
                )
        return out

    def _scaled(self, X: np.ndarray) -> np.ndarray:
        return np.clip((X - self.mean_) / self.scale_, -FARTHEST, FARTHEST)

    def _learn(self, X: np.ndarray, Z: np.ndarray) -> None:
        """Learn from training samples x features as they are (X) and scaled (Z), NaN if missing."""
        raise NotImplementedError

    def _filler(self) -> Filler:
        """Return what imputes one scaled sample."""
        raise NotImplementedError

    def _said(self) -> str:
        """Say in one phrase what was learnt, with its figures."""
        raise NotImplementedError


def informative_features(X: np.ndarray, limit: int) -> np.ndarray:
    """Choose the features by which samples are compared.

    Parameters
    ----------
    X
        Training samples x features, unscaled, NaN where missing.
    limit
        How many features at most.

    Returns
    -------
    Positions, ascending: of the features with at most a fifth of their values missing those with
    the largest winsorised variance; where these do not suffice, those with the fewest missing.
    """
    if X.shape[1] <= limit:
        return np.arange(X.shape[1])
    ordered = SortedFeatures.of(X)
    low = ordered.quantile(WINSORISED_SHARE, "up")
    high = np.maximum(ordered.quantile(1 - WINSORISED_SHARE, "down"), low)
    share = 1 - ordered.n / len(X)
    ranked = np.lexsort((-ordered.variance(low, high), np.maximum(share, MOSTLY_KNOWN)))
    return np.sort(ranked[:limit])


def nearest_features(filled: np.ndarray, pool: np.ndarray, k: int) -> np.ndarray:
    """Find for each feature the features of a pool that correlate most with it.

    Parameters
    ----------
    filled
        Features x training samples, scaled, 0 (the mean) where missing.
    pool
        Positions of the features to choose from.
    k
        How many; fewer where the pool has fewer others.

    Returns
    -------
    Features x k positions, ascending in each row.
    """
    k = min(k, len(pool) - 1)
    if k < 1:
        return np.empty((len(filled), 0), dtype=np.int32)
    length = np.linalg.norm(filled, axis=1)
    direction = filled / np.where(length > 0, length, 1)[:, None]
    nearest = np.empty((len(filled), k), dtype=np.int32)
    block = 256
    for start in range(0, len(filled), block):
        stop = min(start + block, len(filled))
        likeness = np.abs(direction[start:stop] @ direction[pool].T)
        likeness[np.arange(start, stop)[:, None] == pool] = -1
        chosen = np.argpartition(-likeness, k - 1, axis=1)[:, :k]
        nearest[start:stop] = np.sort(pool[chosen], axis=1)
    return nearest


def told_missing(share: np.ndarray) -> str:
    """Say how much was missing, of the share of training samples that lack each feature."""
    if not share.any():
        return "no value was missing in training"
    return (
        f"{share.mean():.2%} of the training values were missing, "
        f"in {int((share > 0).sum()):,} of {len(share):,} features"
    )
