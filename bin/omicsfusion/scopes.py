"""Scopes: the training sets on which something is fitted, and the table that lists them."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from omicsfusion.tables.tsv import read_tsv

OUTER = "outer"
FINAL = "final"
TRAINING_ROLES = ("train", "stop")


@dataclass(frozen=True, order=True)
class Scope:
    """One training set.

    Attributes
    ----------
    repeat, fold
        Count from 1. The training set of all samples is repeat 0, fold 0.
    inner
        ``outer`` for an outer fold's own training set, ``final`` for the set of all training
        samples, ``0``, ``1``, … for the inner folds of either.
    """

    repeat: int
    fold: int
    inner: str

    @property
    def key(self) -> str:
        """Name of the scope in files, e.g. ``r1f2-outer``, ``r1f2-0``, ``r0f0-final``."""
        return f"r{self.repeat}f{self.fold}-{self.inner}"

    @property
    def is_inner(self) -> bool:
        """Whether this is an inner fold of another scope."""
        return self.inner not in (OUTER, FINAL)

    @property
    def parent(self) -> "Scope":
        """The scope of which this is an inner fold; itself when it is none."""
        if not self.is_inner:
            return self
        return Scope(self.repeat, self.fold, OUTER if self.repeat else FINAL)


def read_splits(path: str | Path, group: str | None = None) -> pd.DataFrame:
    """Read ``splits.tsv``, optionally the scopes of one group only.

    Returns
    -------
    Columns ``permutation, repeat, fold, inner, group, sample, patient, role``, sorted by scope and
    sample.
    """
    splits = read_tsv(path, text_columns=("group", "role"))
    return splits if group is None else splits[splits["group"] == group].reset_index(drop=True)


def permutation_in(splits: pd.DataFrame) -> int:
    """Return which outcome a table of splits is of: 0, the real one, or a negative control's."""
    (number,) = splits["permutation"].unique()
    return int(number)


def scopes_in(splits: pd.DataFrame) -> list[Scope]:
    """List the scopes of a splits table: by repeat and fold, a parent before its inner folds."""
    rows = splits[["repeat", "fold", "inner"]].drop_duplicates().itertuples(index=False)
    found = [Scope(int(repeat), int(fold), str(inner)) for repeat, fold, inner in rows]
    return sorted(
        found, key=lambda s: (s.repeat, s.fold, s.is_inner, int(s.inner) if s.is_inner else 0)
    )


def rows_of(splits: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """Return ``sample, patient, role`` of one scope, sorted by sample."""
    here = (
        (splits["repeat"] == scope.repeat)
        & (splits["fold"] == scope.fold)
        & (splits["inner"] == scope.inner)
    )
    return splits.loc[here, ["sample", "patient", "role"]].sort_values("sample", ignore_index=True)
