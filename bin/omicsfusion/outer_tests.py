"""The test set of each outer fold: dealt out, named by a column, or the newest samples."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from omicsfusion.folds import SplitError, deal
from omicsfusion.tables.dates import moments_in


def outer_tests(
    design: pd.DataFrame,
    split: pd.Series,
    how: str,
    folds: int,
    repeats: int,
    seed: int,
    links: Sequence[tuple[str, str]],
) -> list[tuple[int, int, pd.Index]]:
    """List the outer folds: repeat and fold, both from 1, and the samples held out.

    Parameters
    ----------
    design
        As ``splits.design_of`` returns it, of the training samples.
    split
        Of the same samples: the column that ``how`` names.
    how, folds, repeats, seed, links
        As ``make_splits`` takes them.

    Raises
    ------
    SplitError
        ``how`` is unknown, there are fewer units than folds, or the column tears a patient or a
        pair of duplicates apart, is empty somewhere, or holds one value only.
    """
    kind, _, column = how.partition(":")
    if how == "kfold":
        return list(_kfold_tests(design, folds, repeats, seed))
    if kind == "temporal" and column:
        return [(1, 1, _newest(design, split, how, folds))]
    return list(_column_tests(design, split, how, links))


def _kfold_tests(
    design: pd.DataFrame, folds: int, repeats: int, seed: int
) -> Iterator[tuple[int, int, pd.Index]]:
    for repeat in range(1, repeats + 1):
        fold_of = deal(design, folds, "--folds", seed, "folds", repeat)
        for fold in range(1, folds + 1):
            yield repeat, fold, design.index[fold_of == fold]


def _newest(design: pd.DataFrame, split: pd.Series, how: str, folds: int) -> pd.Index:
    """Hold out the newest units: no training sample is as new as the newest of any of them.

    A unit is as new as its newest sample, so that one with samples on both sides of the cut is
    held out whole. The cut lies between two dates, where the part held out comes nearest to one
    in ``folds`` units (of two that are as near, the later).
    """
    column = how.partition(":")[2]
    _refuse_empty_cells(split, how)
    try:
        moments = moments_in(split)
    except ValueError as error:
        raise SplitError(
            f"The column {column!r} of --split {how} cannot be put in order of time: {error}. "
            "Write all as 2019-03-01, or all as years or other numbers."
        ) from None
    latest = pd.Series(moments, index=split.index).groupby(design["unit"]).max()
    dates, counts = np.unique(latest, return_counts=True)
    if len(dates) < 2:
        raise SplitError(
            f"All patients have the same newest date in the column {column!r} of --split {how}, so "
            "that none is newer than the others. Use another column, or another --split."
        )
    n_held_out = counts[::-1].cumsum()[::-1][1:]
    # Searched from the newest date down: argmin takes the first of equal ones, the later cut.
    nearest = np.abs(n_held_out * folds - len(latest))[::-1].argmin()
    cut = dates[1:][::-1][nearest]
    return design.index[(design["unit"].map(latest) >= cut).to_numpy()]


def _column_tests(
    design: pd.DataFrame, split: pd.Series, how: str, links: Sequence[tuple[str, str]]
) -> Iterator[tuple[int, int, pd.Index]]:
    kind, _, column = how.partition(":")
    if kind not in ("column", "leave_out") or not column:
        known = "kfold, column:NAME, leave_out:NAME and temporal:NAME"
        raise SplitError(f"--split {how} is unknown: it must be one of {known}.")
    _refuse_empty_cells(split, how)
    _refuse_parted_pairs(split, how, links)
    values = sorted(split.unique())
    if len(values) < 2:
        raise SplitError(
            f"The column {column!r} of --split {how} has one value only ({values[0]!r}). "
            "It needs at least two, such as train and test, or the names of folds."
        )
    torn = split.groupby(design["unit"]).nunique() > 1
    if torn.any():
        raise SplitError(
            f"The column {column!r} of --split {how} puts samples of one patient or group into "
            f"different folds, for {torn.sum()} of them, such as {torn.index[torn][0]!r}. "
            "Give all samples of a patient the same value."
        )
    held_out = ["test"] if kind == "column" and values == ["test", "train"] else values
    for fold, value in enumerate(held_out, start=1):
        yield 1, fold, design.index[split == value]


def _refuse_empty_cells(split: pd.Series, how: str) -> None:
    column = how.partition(":")[2]
    if split.isna().any():
        raise SplitError(
            f"The column {column!r} of --split {how} is empty for {split.isna().sum()} training "
            f"samples, such as {split.index[split.isna()][0]}. Give each sample a value."
        )


def _refuse_parted_pairs(split: pd.Series, how: str, links: Sequence[tuple[str, str]]) -> None:
    column = how.partition(":")[2]
    parted = [
        (one, two)
        for one, two in links
        if one in split.index and two in split.index and split[one] != split[two]
    ]
    if parted:
        one, two = parted[0]
        raise SplitError(
            f"The column {column!r} of --split {how} parts samples that are the same material: "
            f"{one} ({split[one]}) and {two} ({split[two]}) have all but the same profile, and so "
            f"for {len(parted)} pairs. Give both samples of a pair the same value, or leave one of "
            "them out; *.duplicates.tsv lists them."
        )
