"""Step: turn covariates, numbers and words, into numbers."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from omicsfusion.preprocess.step import Step

# A level that fewer training samples have gets no column of its own.
RARE_LEVEL = 5
# A numeric covariate that more of the training samples lack tells by its absence, too.
MISSING_WORTH_A_COLUMN = 0.05
MISSING_CODE = -1


class ClinicalEncoder(Step):
    """One-hot columns for categorical covariates, numeric ones as they are, and missing indicators.

    A level with at least ``RARE_LEVEL`` training samples has a column (``stage=II``), the rest
    share ``stage=other``, which also takes the levels of new samples that no training sample has;
    ``stage=missing`` exists when a training sample lacks the covariate. Without such a column an
    unknown level or a missing value is 0 in all columns. A numeric covariate (``age``) keeps its
    NaN for the imputer; ``age=missing`` exists when more than ``MISSING_WORTH_A_COLUMN`` lack it.

    Parameters
    ----------
    categories
        Per covariate: the levels whose positions X holds, or None for a numeric one.

    Attributes
    ----------
    columns_
        Per column: ``(position of the covariate, name of the level, codes that are 1)``; the level
        of a numeric covariate's own column is None, and the code of a missing value is -1.
    """

    state = ("columns_",)

    def __init__(self, categories: Sequence[Sequence[str] | None] = ()) -> None:
        self.categories = categories

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn which columns there are."""
        X = self._checked(X, fitting=True)
        if len(self.categories) != X.shape[1]:
            raise ValueError(f"{X.shape[1]} covariates, but categories for {len(self.categories)}.")
        self.columns_: list[tuple[int, str | None, list[int]]] = []
        for position, levels in enumerate(self.categories):
            values = X[:, position]
            found = _numeric_columns(values) if levels is None else _levels(values, levels)
            self.columns_ += [(position, level, codes) for level, codes in found]
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the columns: 0 and 1, and the values of numeric covariates."""
        check_is_fitted(self)
        X = self._checked(X)
        codes = np.where(np.isnan(X), MISSING_CODE, X)
        out = np.empty((len(X), len(self.columns_)))
        for column, (position, level, ones) in enumerate(self.columns_):
            out[:, column] = X[:, position] if level is None else np.isin(codes[:, position], ones)
        return out

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return ``age``, ``age=missing``, ``stage=II`` … given the names of the covariates."""
        names = [
            str(input_features[position]) + ("" if level is None else f"={level}")
            for position, level, _ in self.columns_
        ]
        return np.asarray(names, dtype=object)


Column = tuple[str | None, list[int]]


def _numeric_columns(values: np.ndarray) -> list[Column]:
    own: list[Column] = [(None, [])]
    missing = np.isnan(values).mean() > MISSING_WORTH_A_COLUMN
    return [*own, ("missing", [MISSING_CODE])] if missing else own


def _levels(values: np.ndarray, levels: Sequence[str]) -> list[Column]:
    """Name the columns of a categorical covariate, and the codes that each stands for."""
    present = values[~np.isnan(values)]
    counts = Counter(present.astype(np.int64).tolist())
    # A level that the user called 'other' or 'missing' joins the column of that name.
    columns: dict[str, list[int]] = {}
    for code, level in enumerate(levels):
        columns.setdefault(level if counts[code] >= RARE_LEVEL else "other", []).append(code)
    columns.setdefault("missing", []).append(MISSING_CODE)
    counts[MISSING_CODE] = len(values) - len(present)
    seen = [name for name, codes in columns.items() if any(counts[code] for code in codes)]
    last = ("other", "missing")
    return [(name, columns[name]) for name in sorted(seen, key=lambda name: (name in last, name))]
