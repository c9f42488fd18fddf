"""The scale on which quality control looks at a layer: rough, the same for each sample."""

from dataclasses import dataclass

import numpy as np

from omicsfusion.preprocess.order_statistics import SortedFeatures
from omicsfusion.qc.signs import ABUNDANCES

# Larger values than this are no logarithms, whatever the kind says.
LARGEST_ON_LOG_SCALE = 100.0
# Width of the middle half of the normal distribution, in standard deviations.
MIDDLE_HALF = 1.3489795003921634
CLIP = 5.0


def takes_logarithm(kind: str, lowest: float, highest: float) -> bool:
    """Decide whether a layer is looked at as log2(x + 1) or as it is.

    Parameters
    ----------
    kind
        Counts and metabolites are logged unless a value is negative (then they were already); any
        other kind when it has no negative values but some beyond ``LARGEST_ON_LOG_SCALE``.
    lowest, highest
        Over the training cohorts.
    """
    if not lowest >= 0:
        return False
    return kind in ABUNDANCES or highest > LARGEST_ON_LOG_SCALE


def on_display_scale(X: np.ndarray, logarithm: bool) -> np.ndarray:
    """Return float64; negative values of an external cohort count as 0 where logs are taken."""
    X = X.astype(np.float64)
    return np.log2(np.maximum(X, 0, out=X) + 1) if logarithm else X


@dataclass(frozen=True)
class RobustScale:
    """Centre and width of each feature, as the step ``scale`` learns them (method ``robust``).

    Attributes
    ----------
    centre
        Median; 0 for a feature without any value.
    width
        Interquartile range over 1.349, which is the standard deviation of normal values and does
        not see outliers; the standard deviation where more than half of the values are equal; 1
        for a constant feature.
    """

    centre: np.ndarray
    width: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray) -> "RobustScale":
        """Measure the columns of X (samples x features)."""
        if len(X) == 0:
            return cls(np.zeros(X.shape[1]), np.ones(X.shape[1]))
        ordered = SortedFeatures.of(X)
        middle = ordered.quantile(0.75) - ordered.quantile(0.25)
        width = np.where(middle > 0, middle / MIDDLE_HALF, np.sqrt(ordered.variance()))
        return cls(np.nan_to_num(ordered.median()), np.where(width > 0, width, 1.0))

    def applied(self, X: np.ndarray) -> np.ndarray:
        """Return X centred, divided and clipped; a missing value is at the centre."""
        return np.nan_to_num(np.clip((X - self.centre) / self.width, -CLIP, CLIP))
