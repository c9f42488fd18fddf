"""Dealing samples into folds: whole units only, each stratum spread evenly, by hashed names.

A *unit* is what must not be torn apart: the samples of one patient, or of one group of patients,
and samples that are the same material under two names.
Which fold a unit lands in depends on the names of all units, their strata and the seed, never on
the order of rows.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from omicsfusion.seeds import seed_for

# One in six training samples stops a network's training: enough are left to fit on and, of 100
# samples, 17 to see the loss turn.
STOP_PARTS = 6
# A stratum smaller than this has nothing to give away: all its samples are fitted on.
SMALLEST_SHARED_STRATUM = 3
BESIDE = "|"
"""Between the stratum and the layers of a sample, in the name of its cell."""


class SplitError(ValueError):
    """The samples cannot be split as asked; the text says why and what to do."""


def units_of(samples: pd.DataFrame, links: Iterable[tuple[str, str]] = ()) -> pd.Series:
    """Name the unit of each sample: samples linked by a patient, a group or a pair, over any way.

    Parameters
    ----------
    samples
        Columns ``sample``, ``patient``, ``group`` (missing: the patient stands alone).
    links
        Pairs of samples that belong together (near-duplicates). A pair of which one sample is not
        among ``samples`` links nothing.

    Returns
    -------
    Index: sample; value: the smallest patient id of the unit. With groups that cut through a
    patient's samples, the groups are joined, so that no patient can straddle train and test.
    """
    patient, patients = pd.factorize(samples["patient"], sort=True)
    group, groups = pd.factorize(samples["group"].fillna(samples["patient"]), sort=True)
    n = len(patients) + len(groups)
    patient_of = dict(zip(samples["sample"], patient, strict=True))
    paired = [
        (patient_of[one], patient_of[two])
        for one, two in links
        if one in patient_of and two in patient_of
    ]
    start = np.concatenate([patient, np.array([one for one, _ in paired], dtype=np.int64)])
    end = np.concatenate(
        [len(patients) + group, np.array([two for _, two in paired], dtype=np.int64)]
    )
    edges = coo_array((np.ones(len(start)), (start, end)), shape=(n, n))
    component = connected_components(edges, directed=False)[1]
    of_patient = pd.Series(component[: len(patients)], index=patients)
    smallest = of_patient.groupby(of_patient).transform(lambda same: min(same.index))
    return pd.Series(
        smallest.loc[samples["patient"]].to_numpy(), index=samples["sample"], name="unit"
    )


def deal(
    design: pd.DataFrame, n_folds: int, option: str, seed: int, *names: str | int
) -> pd.Series:
    """Deal samples into folds, stratified as finely as there are units to.

    Parameters
    ----------
    design
        ``unit``, the strata ``fine`` and ``coarse``, and ``pattern`` (which layers there are), of
        each sample (index: sample).
    option
        What asks for ``n_folds``, for the message.
    seed, names
        For :func:`omicsfusion.seeds.seed_for`.

    Returns
    -------
    Fold of each sample, 1 … ``n_folds``.

    Raises
    ------
    SplitError
        When there are fewer units than folds.
    """
    n_units = design["unit"].nunique()
    if n_units < n_folds:
        raise SplitError(
            f"A training set has {n_units} patients (or groups of patients), fewer than the "
            f"{n_folds} folds asked for. Lower {option} to {n_units} or less, or use more patients."
        )
    stratum = merge_small_strata(design["unit"], design["fine"], design["coarse"], n_folds)
    cell = stratum + BESIDE + design["pattern"]
    return assign_folds(design["unit"], stratum, cell, n_folds, seed, *names)


def assign_folds(
    unit: pd.Series,
    stratum: pd.Series,
    cell: pd.Series,
    n_folds: int,
    seed: int,
    *names: str | int,
) -> pd.Series:
    """Deal whole units into folds so that strata, then sizes of folds, then cells are even.

    Greedy: large units first, then the rarer strata, cell by cell, in hashed order; each goes to
    the fold that holds the smallest share of the unit's strata so far, the smaller fold where that
    ties, and where that ties too the one that holds the smallest share of its cells. With one
    sample a unit, strata and fold sizes differ by at most one between folds, and cells by two: a
    stratum goes round the folds in turns, and a cell that begins and ends within a turn can meet
    a fold in both, or in none. However small a cell is, it asks for no rule of its own.

    Parameters
    ----------
    unit, stratum
        Label of each sample (index: sample).
    cell
        Label within the stratum: no cell has samples of two strata.
    n_folds
        At most the number of units, or a fold stays empty.
    seed, names
        For :func:`omicsfusion.seeds.seed_for`.

    Returns
    -------
    Fold of each sample, 1 … ``n_folds``, with the index of ``unit``.
    """
    units, counts = _count(unit, stratum)
    _, in_cells = _count(unit, cell)
    held = np.zeros((n_folds, counts.shape[1]))
    held_cells = np.zeros((n_folds, in_cells.shape[1]))
    size = np.zeros(n_folds, dtype=np.int64)
    fold_of = {}
    for row in _order(counts, in_cells, _hashed(units, seed, *names)):
        keys = (_held(held_cells, in_cells, row), size, _held(held, counts, row))
        fold = np.lexsort(keys)[0]
        fold_of[units[row]] = fold + 1
        held[fold] += counts[row]
        held_cells[fold] += in_cells[row]
        size[fold] += counts[row].sum()
    return unit.map(fold_of).rename("fold")


def _held(held: np.ndarray, counts: np.ndarray, row: int) -> np.ndarray:
    """Return the share of a unit's labels that each fold holds, weighted by what the unit has."""
    share = counts[row] / counts.sum(axis=0)
    # Equal counts must tie exactly whatever the rounding of the shares.
    return np.round((held * share)[:, counts[row] > 0].sum(axis=1), 9)


def choose_stop(unit: pd.Series, stratum: pd.Series, seed: int, *names: str | int) -> pd.Series:
    """Choose the training samples that stop a network's training: whole units of each stratum.

    Each stratum gives one in ``STOP_PARTS`` samples, at least one; a stratum of fewer than
    ``SMALLEST_SHARED_STRATUM`` gives none. Where only a unit larger than that share could serve,
    it is taken if it leaves half of each of its strata.

    Returns
    -------
    True for the samples chosen, with the index of ``unit``.
    """
    units, counts = _count(unit, stratum)
    total = counts.sum(axis=0)
    shared = total >= SMALLEST_SHARED_STRATUM
    quota = np.where(shared, np.maximum(1, np.rint(total / STOP_PARTS)), 0)
    chosen = np.zeros(len(units), dtype=bool)
    taken = np.zeros_like(total)
    hashed = _hashed(units, seed, *names)
    for wanted, ceiling in (
        (quota, quota),
        (np.minimum(quota, 1), np.where(shared, total // 2, 0)),
    ):
        for row in sorted(range(len(units)), key=hashed.__getitem__):
            here = counts[row] > 0
            useful = (taken < wanted)[here].any()
            fits = (taken + counts[row] <= ceiling)[here].all()
            if not chosen[row] and useful and fits:
                chosen[row] = True
                taken += counts[row]
    return unit.isin(units[chosen]).rename("stop")


def merge_small_strata(
    unit: pd.Series, fine: pd.Series, coarse: pd.Series, n_parts: int
) -> pd.Series:
    """Fall back to the coarser stratum where a fine one has fewer units than there are parts."""
    n_units = unit.groupby(fine).nunique()
    return fine.where(fine.map(n_units) >= n_parts, coarse)


def _count(unit: pd.Series, stratum: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Count the samples of each unit (row, by name) in each stratum (column)."""
    units, row = np.unique(unit.to_numpy(dtype=object), return_inverse=True)
    strata, column = np.unique(stratum.to_numpy(dtype=object), return_inverse=True)
    counts = np.zeros((len(units), len(strata)), dtype=np.int64)
    np.add.at(counts, (row, column), 1)
    return units, counts


def _order(counts: np.ndarray, in_cells: np.ndarray, hashed: list[tuple[int, str]]) -> list[int]:
    """Rows of ``counts`` in the order of dealing: large, rare, cell by cell, then by hash."""
    size = counts.sum(axis=1)
    rare, cell = _rarest(counts), _rarest(in_cells)
    return sorted(
        range(len(counts)), key=lambda row: (-size[row], rare[row], cell[row], hashed[row])
    )


def _rarest(counts: np.ndarray) -> list[tuple[int, int]]:
    """Name the rarest label of each unit: how many samples have it, and its column."""
    total = counts.sum(axis=0)
    return [min((int(total[s]), int(s)) for s in np.flatnonzero(row)) for row in counts]


def _hashed(units: np.ndarray, seed: int, *names: str | int) -> list[tuple[int, str]]:
    return [(seed_for(seed, *names, unit), unit) for unit in units]
