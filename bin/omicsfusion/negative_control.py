"""Negative controls: the same cohort with its outcomes permuted, and the splits it is trained on.

The outcome is permuted before the samples are split, so that folds, selection of features, tuning
and training all meet it; what a model scores then is what it would score by chance. How blocks of
dependent observations may be exchanged: Winkler et al. 2015, NeuroImage 123, 253-268.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd

from omicsfusion.folds import units_of
from omicsfusion.seeds import seed_for
from omicsfusion.splits import ALL, COLUMNS, list_groups, make_splits
from omicsfusion.tables.outcome import Outcome, further_targets, outcome_columns

REPEATS = 1
"""A control is trained on one repeat: more repeats of it tell less than more controls do."""

GROUP_COLUMNS = ["group", "n_scopes", "n_outer"]


def permute_outcomes(
    samples: pd.DataFrame,
    task: str,
    split: str,
    seed: int,
    number: int,
    links: Sequence[tuple[str, str]] = (),
) -> pd.DataFrame:
    """Give each training sample the outcome of another: all its columns, of all targets, together.

    An outcome that all samples of a unit share (a patient, a group of patients, duplicates) goes to
    the samples of another such unit, however many these are. Where the samples of a unit differ,
    the outcomes of its patients change places within it; and where those of a patient differ, they
    change places within the patient (a tumour and its normal tissue).

    Units change places within their batch, and with ``leave_out:NAME`` within their value of the
    column: what batches or sites alone tell of the outcome stays, and is not taken for a signal of
    the layers. Of a unit that nobody shares these with, the outcome stays as it is.

    Parameters
    ----------
    samples
        The clean ``samples.tsv``. Samples of external cohorts keep their outcome.
    split
        ``--split`` of the run.
    number
        Which control, from 1.
    links
        Pairs of samples that belong together.

    Returns
    -------
    The same table, sorted by sample.
    """
    names = ("", *further_targets(samples.columns))
    columns = [column for name in names for column in outcome_columns(task, name).values()]
    table = samples.sort_values("sample").set_index("sample")
    training = table[table["role"] == "train"]
    outcomes = training.groupby(columns, dropna=False, sort=True)
    given = outcomes.ngroup()
    taken = _permuted(given, training, split, seed_for(seed, "permute", number), links)
    first = training[columns].set_axis(given)[~given.duplicated().to_numpy()]
    permuted = table.copy()
    permuted.loc[training.index, columns] = first.loc[taken].to_numpy(dtype=object)
    return permuted.astype(table.dtypes.to_dict()).reset_index()[samples.columns]


def _permuted(
    given: pd.Series,
    training: pd.DataFrame,
    split: str,
    seed: int,
    links: Sequence[tuple[str, str]],
) -> pd.Series:
    """Return the number of the outcome that each sample takes over (index: sample)."""
    rng = np.random.default_rng(seed)
    alone = training.assign(group=training["patient"]).reset_index()
    unit = units_of(training.reset_index(), links)
    patient = units_of(alone, links)
    sample = pd.Series(training.index, index=training.index)
    taken, left = given.copy(), pd.Series(True, index=given.index)
    for block, place in (
        (unit, _places(training, unit, split)),
        (patient, unit),
        (sample, patient),
    ):
        uniform = left & (given.groupby(block).transform("nunique") == 1)
        left &= ~uniform
        for _, here in given[uniform].groupby(place):
            of_block = here.groupby(block).first()
            dealt = pd.Series(rng.permutation(of_block.to_numpy()), index=of_block.index)
            taken[here.index] = block[here.index].map(dealt)
    return taken


def _places(training: pd.DataFrame, unit: pd.Series, split: str) -> pd.Series:
    """Name, for each sample, the batches and left-out values that its unit has samples of."""
    names = ["batch", "split"] if split.startswith("leave_out:") else ["batch"]
    own = training[names].fillna("").astype(str).agg("\t".join, axis=1)
    return own.groupby(unit).transform(lambda values: "\n".join(sorted(set(values))))


def control_splits(
    samples: pd.DataFrame,
    outcome: Outcome,
    how: str,
    folds: int,
    inner_folds: int,
    folds_per_task: int,
    seed: int,
    number: int,
    links: Sequence[tuple[str, str]] = (),
    further: Mapping[str, Outcome] = MappingProxyType({}),
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split a control as the run is split: the first repeat of its outer folds, and inner folds.

    External samples, and the training set of all samples, which is for them, are left out.

    Parameters
    ----------
    samples, outcome, further
        With the permuted outcome. The rest as ``make_splits`` takes it.

    Returns
    -------
    The columns of ``splits.tsv``, and ``group, n_scopes, n_outer``. Groups are named after the
    control: ``p001``, or ``p001g001 …`` with ``folds_per_task``.

    Raises
    ------
    SplitError
        As ``make_splits``.
    """
    made = make_splits(
        samples, outcome, how, folds, REPEATS, inner_folds, folds_per_task, seed, links, further
    )
    splits = made[(made["repeat"] > 0) & (made["role"] != "external")]
    group = name_of(number) + splits["group"].where(splits["group"] != ALL, "")
    splits = splits.assign(permutation=number, group=group)[COLUMNS]
    return splits.reset_index(drop=True), list_groups(splits)[GROUP_COLUMNS]


def name_of(number: int) -> str:
    """Return what files and groups of a control are called."""
    return f"p{number:03d}"
