"""What is known of samples and features beside the values of a layer."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Annotations:
    """Row by row and column by column as in X; a step takes what it needs, by the field's name.

    Attributes
    ----------
    features
        Names of the columns of X.
    batch
        Batch of each sample, text; empty where it is not known. None: no batches were named.
    covariates
        Covariates that are known when a new patient is predicted (index: sample, in the order of
        the rows; columns: numbers, or text for categories; NaN where missing). Never the outcome.
    categories
        For kind ``clinical``: the levels whose positions a feature holds, None for a numeric one.
    outcome
        Training samples only: class names, numbers, or (time, event) in two columns. A supervised
        step takes it as ``y``.
    task
        ``classification``, ``regression`` or ``survival``: what ``outcome`` holds.
    patients
        Whose each sample is, text.
    """

    features: tuple[str, ...] = ()
    batch: np.ndarray | None = None
    covariates: pd.DataFrame | None = None
    categories: tuple[tuple[str, ...] | None, ...] = ()
    outcome: np.ndarray | None = None
    task: str = ""
    patients: np.ndarray | None = None

    def of_features(self, features: Sequence[str]) -> "Annotations":
        """Return the same for other columns."""
        return replace(self, features=tuple(features))

    def of_rows(self, rows: np.ndarray) -> "Annotations":
        """Return the same for some of the samples."""
        return replace(
            self,
            batch=None if self.batch is None else self.batch[rows],
            covariates=None if self.covariates is None else self.covariates.iloc[rows],
            outcome=None if self.outcome is None else self.outcome[rows],
            patients=None if self.patients is None else self.patients[rows],
        )

    def named(self, names: Sequence[str]) -> dict[str, Any]:
        """Return the fields of these names."""
        known = {field.name for field in fields(self)}
        unknown = sorted(set(names) - known)
        if unknown:
            raise ValueError(f"Annotations has no {', '.join(unknown)}.")
        return {name: getattr(self, name) for name in names}
