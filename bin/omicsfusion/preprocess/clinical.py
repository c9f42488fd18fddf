"""Step: turn covariates, numbers and words, into numbers."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from omicsfusion.preprocess.step import Step, UnusableInputError

# A level that fewer training samples have gets no column of its own.
RARE_LEVEL = 5
# A numeric covariate that more of the training samples lack tells by its absence, too.
MISSING_WORTH_A_COLUMN = 0.05
OTHER, MISSING = "other", "missing"

Levels = Sequence[Sequence[str] | None]


class ClinicalEncoder(Step):
    """One-hot columns for categorical covariates, numeric ones as they are, and missing indicators.

    A level with at least ``RARE_LEVEL`` training samples has a column (``stage=II``), the rest
    share ``stage=other``, which also takes the levels of new samples that no training sample has;
    ``stage=missing`` exists when a training sample lacks the covariate. Without such a column an
    unknown level or a missing value is 0 in all columns. A numeric covariate (``age``) keeps its
    NaN for the imputer; ``age=missing`` exists when more than ``MISSING_WORTH_A_COLUMN`` lack it.

    Which levels a position stands for comes with the samples, in ``categories``, and is not kept:
    a list over all samples would tell of those that are no training samples.

    Attributes
    ----------
    columns_
        Per column: ``[position of the covariate, name of the level]``; the level of a numeric
        covariate's own column is None.
    """

    state = ("columns_", "did_")
    needs = transform_needs = ("categories",)

    def fit(self, X: Any, y: None = None, categories: Levels | None = None) -> Self:
        """Learn which columns there are.

        Parameters
        ----------
        X
            Training samples x covariates: numbers, or positions in ``categories``.
        categories
            Per covariate: the levels whose positions X holds, or None for a numeric one. None: all
            are numeric.
        """
        X = self._checked(X, fitting=True)
        self.columns_: list[list[Any]] = []
        for position, levels in enumerate(_per_covariate(categories, X.shape[1])):
            values = X[:, position]
            found = _of_numbers(values) if levels is None else _of_levels(values, levels)
            self.columns_ += [[position, level] for level in found]
        words = len({position for position, level in self.columns_ if level not in (None, MISSING)})
        self.did_ = (
            f"{X.shape[1]} covariates, {words} of them words, to {len(self.columns_)} columns"
        )
        return self

    def transform(self, X: Any, categories: Levels | None = None) -> np.ndarray:
        """Return the columns: 0 and 1, and the values of numeric covariates.

        Raises
        ------
        ValueError
            When a covariate is a number here and was a word among the training samples, or the
            other way round.
        """
        check_is_fitted(self)
        X = self._checked(X)
        given = _per_covariate(categories, X.shape[1])
        self._refuse_other_types(given)
        codes = {
            position: self._columns_of(X[:, position], levels, position)
            for position, levels in enumerate(given)
            if levels is not None
        }
        out = np.empty((len(X), len(self.columns_)))
        for column, (position, level) in enumerate(self.columns_):
            if position in codes:
                out[:, column] = codes[position] == column
            elif level == MISSING:
                out[:, column] = np.isnan(X[:, position])
            else:
                out[:, column] = X[:, position]
        return out

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return ``age``, ``age=missing``, ``stage=II`` … given the names of the covariates."""
        given = _check_feature_names_in(self, input_features)
        names = [
            str(given[position]) + ("" if level is None else f"={level}")
            for position, level in self.columns_
        ]
        return np.asarray(names, dtype=object)

    def _columns_of(self, values: np.ndarray, levels: Sequence[str], position: int) -> np.ndarray:
        """Return the column that is 1 for each value of a categorical covariate; -1 for none."""
        own = {level: column for column, (at, level) in enumerate(self.columns_) if at == position}
        other = own.get(OTHER, -1)
        found = np.where(np.isnan(values), own.get(MISSING, -1), other)
        for code, level in enumerate(levels):
            found[values == code] = own.get(level, other)
        return found

    def _refuse_other_types(self, given: Levels) -> None:
        numeric = {position for position, level in self.columns_ if level is None}
        for position, levels in enumerate(given):
            if (levels is None) != (position in numeric):
                was, now = ("numbers", "words") if position in numeric else ("words", "numbers")
                raise UnusableInputError(
                    f"Covariate {position + 1} held {was} among the training samples and holds "
                    f"{now} here. Write it the same way in all cohorts."
                )


def _per_covariate(categories: Levels | None, n: int) -> Levels:
    if categories is None:
        return [None] * n
    if len(categories) != n:
        raise ValueError(f"{n} covariates, but categories for {len(categories)}.")
    return categories


def _of_numbers(values: np.ndarray) -> list[str | None]:
    missing = np.isnan(values).mean() > MISSING_WORTH_A_COLUMN
    return [None, MISSING] if missing else [None]


def _of_levels(values: np.ndarray, levels: Sequence[str]) -> list[str]:
    """Name the columns of a categorical covariate: sorted, then other and missing."""
    counts = Counter({level: int((values == code).sum()) for code, level in enumerate(levels)})
    present = {level for level, count in counts.items() if count}
    columns = {level if counts[level] >= RARE_LEVEL else OTHER for level in present}
    if np.isnan(values).any():
        columns.add(MISSING)
    last = (OTHER, MISSING)
    return sorted(columns, key=lambda name: (name in last, name))
