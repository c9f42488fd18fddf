"""Step: leave out features that say nothing about the training samples."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from omicsfusion.preprocess.keeping import KeepsFeatures

MAX_MISSING = 0.5
CONSTANT = "constant"
MOSTLY_MISSING = "mostly missing"
RARE = "rarely above 0"
LISTED = "on the list to drop"


class FeatureFilter(KeepsFeatures):
    """Leave out features that are constant, mostly missing or rare among the training samples.

    A feature is counted under the first of the reasons that holds: on the list to drop, mostly
    missing, constant, rarely above 0.

    Parameters
    ----------
    max_missing
        Largest share of missing values with which a feature is kept, 0 to 1.
    min_prevalence
        Smallest share of the values that are not missing that must be above 0, 0 to 1; 0 asks for
        none. For counts and presences.
    drop
        Names of features to leave out, such as probes at SNPs or on sex chromosomes.
    """

    needs = ("features",)
    per_feature = True

    def __init__(
        self,
        max_missing: float = MAX_MISSING,
        min_prevalence: float = 0.0,
        drop: Sequence[str] = (),
    ) -> None:
        self.max_missing = max_missing
        self.min_prevalence = min_prevalence
        self.drop = drop

    def fit(self, X: Any, y: None = None, features: Sequence[str] | None = None) -> Self:
        """Learn which features to keep.

        Parameters
        ----------
        features
            Names of the columns; needed only when there is a list to drop.

        Raises
        ------
        ValueError
            There is a list to drop, but no names were given.
        """
        X = self._checked(X, fitting=True)
        known = len(X) - np.isnan(X).sum(axis=0)
        missing = 1 - known / len(X)
        above = (X > 0).sum(axis=0)
        varies = np.fmax.reduce(X, axis=0) > np.fmin.reduce(X, axis=0)
        self.support_ = np.ones(X.shape[1], dtype=bool)
        dropped = {}
        for reason, found in (
            (LISTED, self._listed(features, X.shape[1])),
            (MOSTLY_MISSING, (missing > self.max_missing) | (known == 0)),
            (CONSTANT, ~varies),
            (RARE, above < self.min_prevalence * known),
        ):
            dropped[reason] = (found & self.support_).sum()
            self.support_ &= ~found
        self._count(dropped)
        return self

    def _listed(self, features: Sequence[str] | None, width: int) -> np.ndarray:
        if not len(self.drop):
            return np.zeros(width, dtype=bool)
        if features is None:
            raise ValueError(
                f"A list of {len(self.drop)} features to drop was given, but not the names of "
                "the columns: pass features."
            )
        unwanted = frozenset(self.drop)
        return np.fromiter((name in unwanted for name in features), dtype=bool, count=width)

    @property
    def did_(self) -> str:
        """What was done: a property, so that blocks of features can be fitted one by one."""
        asked = [f"at most {self.max_missing:.0%} missing", "not constant"]
        if self.min_prevalence > 0:
            asked.append(f"above 0 in at least {self.min_prevalence:.0%} of the samples")
        if len(self.drop):
            asked.append(f"not on a list of {len(self.drop):,}")
        return (
            f"{int(self.support_.sum()):,} of {len(self.support_):,} features: {', '.join(asked)}"
        )
