"""Step: metabolite abundances without the dilution of their samples, on the log scale."""

from abc import abstractmethod
from typing import Any, ClassVar, Self

import numpy as np

from omicsfusion.preprocess.normalise.earlier_scale import spans_magnitudes
from omicsfusion.preprocess.normalise.proteins import half_smallest
from omicsfusion.preprocess.normalise.sample_factors import SampleFactors
from omicsfusion.preprocess.order_statistics import SortedFeatures
from omicsfusion.preprocess.step import UnusableInputError


class DilutionCorrected(SampleFactors):
    """Divides each sample by its dilution, then takes log2(x + offset of the feature).

    What the dilution is measured by is the subclass's. Left out as a whole when the training values
    are logarithms, or centred: when one is negative, or they do not span magnitudes
    (:func:`spans_magnitudes`). Negative values of new samples count as 0.

    Attributes
    ----------
    profile_
        What dilution is measured against, per feature.
    offset_
        Half the smallest positive training value of each feature, after division.
    skipped_
        Why the values pass through.
    """

    state: ClassVar[tuple[str, ...]] = ("profile_", "offset_", "skipped_", "did_")
    feature_state = ("profile_", "offset_")

    def _fit(self, X: np.ndarray) -> Self:
        """Learn the profile and the offsets of values that were checked."""
        self.skipped_ = _logged_before(X)
        self.did_ = ""
        self.profile_ = self.offset_ = np.zeros(X.shape[1])
        if not self.skipped_:
            X = np.maximum(X, 0)
            self.profile_ = self._profile(X)
            self.offset_ = half_smallest(X / self.sample_factors(X))
            self.did_ = f"{self._measure()}, log2"
        return self

    @abstractmethod
    def _profile(self, X: np.ndarray) -> np.ndarray:
        """Return what dilution is measured against."""

    @abstractmethod
    def _measure(self) -> str:
        """Say what dilution is measured by."""

    def apply(self, X: np.ndarray, factors: np.ndarray) -> np.ndarray:
        """Return log2(x / factor + offset)."""
        return np.log2(np.maximum(X, 0) / factors + self.offset_)


class QuotientNormalised(DilutionCorrected):
    """Probabilistic quotient normalisation to the median training spectrum, then log2.

    Dieterle et al., Anal. Chem. 78:4281 (2006): the training samples are divided by their total,
    the median of each feature is the reference spectrum, and a sample's dilution is the median of
    its quotients to the reference. A value of 0 is below detection and gives no quotient, nor does
    a feature whose reference is 0. Totals are taken as in :class:`TotalNormalised`, so that missing
    values do not count as dilution.
    """

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn the reference spectrum and the offsets."""
        return self._fit(self._checked(X, fitting=True))

    def _measure(self) -> str:
        return "probabilistic quotients to the median training spectrum"

    def _profile(self, X: np.ndarray) -> np.ndarray:
        mean = SortedFeatures.of(X).mean()
        totals = np.array([total_against(np.ascontiguousarray(row), mean) for row in X])
        return np.nan_to_num(SortedFeatures.of(X / totals[:, None]).median())

    def _factors_of(self, row: np.ndarray) -> tuple[float, ...]:
        usable = (row > 0) & (self.profile_ > 0)
        if not usable.any():
            return (1.0,)
        return (float(np.median(row[usable] / self.profile_[usable])),)


class TotalNormalised(DilutionCorrected):
    """Each sample's total brought to that of the mean training sample, then log2.

    The total of a sample is compared with that of the mean training sample over the features that
    the sample has.
    """

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn the mean training sample and the offsets."""
        return self._fit(self._checked(X, fitting=True))

    def _measure(self) -> str:
        return "totals brought to that of the mean training sample"

    def _profile(self, X: np.ndarray) -> np.ndarray:
        return SortedFeatures.of(X).mean()

    def _factors_of(self, row: np.ndarray) -> tuple[float, ...]:
        return (total_against(np.maximum(row, 0), self.profile_),)


class ReferenceNormalised(DilutionCorrected):
    """Each sample divided by one of its features (creatinine, an internal standard), then log2.

    The values are multiplied by the median of the training samples' references, to stay in their
    units. A sample that lacks the reference, or has 0, stays as it is.

    Parameters
    ----------
    reference
        Name of the feature.

    Attributes
    ----------
    position_
        Column of the reference.
    """

    state = (*DilutionCorrected.state, "position_")
    needs = ("features",)

    def __init__(self, reference: str = "") -> None:
        self.reference = reference

    def fit(self, X: Any, y: None = None, features: Any = None) -> Self:
        """Learn the reference's training median and the offsets.

        Raises
        ------
        ValueError
            When the layer has no such feature, or no training sample has a positive value of it.
        """
        X = self._checked(X, fitting=True)
        self.position_ = self._position(features)
        return self._fit(X)

    def _measure(self) -> str:
        return f"each sample divided by {self.reference or 'its first feature'}"

    def _position(self, features: Any) -> int:
        if features is None:
            return 0
        names = list(features)
        if self.reference not in names:
            raise UnusableInputError(
                f"The reference feature {self.reference!r} is not in the layer, or the filter left "
                f"it out. Name one of its {len(names)} features with `reference`."
            )
        return names.index(self.reference)

    def _profile(self, X: np.ndarray) -> np.ndarray:
        if not (X[:, self.position_] > 0).any():
            raise UnusableInputError(
                f"No training sample has a positive value of the reference feature "
                f"{self.reference!r}. Choose another."
            )
        return np.nan_to_num(SortedFeatures.of(np.where(X > 0, X, np.nan)).median())

    def _factors_of(self, row: np.ndarray) -> tuple[float, ...]:
        value = row[self.position_]
        return (float(value / self.profile_[self.position_]) if value > 0 else 1.0,)


def total_against(row: np.ndarray, profile: np.ndarray) -> float:
    """Return the total of a sample over that of a profile, over the features the sample has.

    1 when either is 0.
    """
    known = ~np.isnan(row)
    total, expected = row[known].sum(), profile[known].sum()
    return float(total / expected) if total > 0 and expected > 0 else 1.0


def _logged_before(X: np.ndarray) -> str:
    share = np.count_nonzero(X < 0) / (np.count_nonzero(~np.isnan(X)) or 1)
    if share:
        return f"{share:.1%} of the training values are negative: logged or centred before"
    if not spans_magnitudes(X):
        return "the training values do not span magnitudes: logged before"
    return ""
