"""Step: keep the features of a list."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from omicsfusion.preprocess.select.spread import MAX_FEATURES, Selector, best, variances

SHOWN = 5


class ListSelector(Selector):
    """Keep the features whose names are on a list.

    Parameters
    ----------
    names
        The list; empty: all features are on it.
    max_features
        How many to keep at most: those with the largest winsorised variance.

    Attributes
    ----------
    absent_
        Names of the list that are no features here, sorted.
    """

    state = (*Selector.state, "absent_")
    needs = ("features",)

    def __init__(self, names: Sequence[str] = (), max_features: int = MAX_FEATURES) -> None:
        self.names = names
        self.max_features = max_features

    def fit(self, X: Any, y: None = None, features: Sequence[str] | None = None) -> Self:
        """Learn which features to keep.

        Parameters
        ----------
        features
            Names of the columns; needed unless the list is empty.

        Raises
        ------
        ValueError
            There is a list, but no names were given.
        """
        X = self._checked(X, fitting=True)
        listed = self._listed(features, X.shape[1])
        support = listed
        if listed.sum() > self.max_features:
            support = best(variances(X), self.max_features, listed)
        dropped = {
            "not on the list": (~listed).sum(),
            "on the list, but smaller winsorised variance": (listed & ~support).sum(),
        }
        return self._keep(support, dropped, self._said())

    def _listed(self, features: Sequence[str] | None, width: int) -> np.ndarray:
        self.absent_: list[str] = []
        if not len(self.names):
            return np.ones(width, dtype=bool)
        if features is None:
            raise ValueError(
                f"A list of {len(self.names)} features to keep was given, but not the names of "
                "the columns: pass features."
            )
        self.absent_ = sorted(set(self.names) - set(features))
        wanted = frozenset(self.names)
        return np.fromiter((name in wanted for name in features), dtype=bool, count=width)

    def _said(self) -> str:
        if not len(self.names):
            return "the list is empty"
        n = len(set(self.names))
        if not self.absent_:
            return f"all {n:,} names of the list are there"
        more = ", ..." if len(self.absent_) > SHOWN else ""
        return (
            f"{len(self.absent_):,} of {n:,} names of the list are not there "
            f"({', '.join(self.absent_[:SHOWN])}{more})"
        )
