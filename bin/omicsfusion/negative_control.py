"""Negative controls: the same cohort with its outcomes permuted, and the splits it is trained on.

The outcome is permuted before the samples are split, so that folds, selection of features, tuning
and training all meet it; what a model scores then is what it would score by chance. How blocks of
dependent observations may be exchanged: Winkler et al. 2015, NeuroImage 123, 253-268.

Where covariates go with the outcome, it is the omics that are permuted: what they add to clinical
data is then what it would be by chance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from omicsfusion.folds import units_of
from omicsfusion.seeds import seed_for
from omicsfusion.splits import ALL, COLUMNS, list_groups, make_splits
from omicsfusion.tables.layer import new_layer, read_header, read_rows
from omicsfusion.tables.outcome import Outcome, further_targets, outcome_columns

REPEATS = 1
"""A control is trained on one repeat: more repeats of it tell less than more controls do."""

GROUP_COLUMNS = ["group", "n_scopes", "n_outer"]


def draw_donors(
    samples: pd.DataFrame,
    task: str,
    split: str,
    seed: int,
    number: int,
    links: Sequence[tuple[str, str]] = (),
) -> pd.Series:
    """Draw, for each training sample, the sample whose outcome it takes over.

    An outcome that all samples of a unit share (a patient, a group of patients, duplicates) goes to
    the samples of another such unit, however many these are. Where the samples of a unit differ,
    the outcomes of its patients change places within it; and where those of a patient differ, they
    change places within the patient (a tumour and its normal tissue). A sample takes over from one
    of its own cohort in each case: the layers that go the same way lie in a file for each cohort.

    Units change places within their cohort and batch, and with ``leave_out:NAME`` within their
    value of the column: what cohorts, batches or sites alone tell of the outcome stays, and is not
    taken for a signal of the layers. Of a unit that nobody shares these with, the outcome stays as
    it is.

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
    The name of the donor; index: training samples, sorted. Samples of external cohorts have none.
    """
    table = samples.sort_values("sample").set_index("sample")
    training = table[table["role"] == "train"]
    given = training.groupby(_outcome_of(samples, task), dropna=False, sort=True).ngroup()
    rng = np.random.default_rng(seed_for(seed, "permute", number))
    alone = training.assign(group=training["patient"]).reset_index()
    unit = units_of(training.reset_index(), links)
    patient = units_of(alone, links)
    sample = pd.Series(training.index, index=training.index)
    donors, left = sample.copy(), pd.Series(True, index=given.index)
    cohort = training["cohort"]
    cohorts = _of_blocks(cohort, patient)
    for block, place in (
        (unit, _places(training, unit, split)),
        (patient, unit.astype(str) + "\t" + cohorts),
        (sample, patient.astype(str) + "\t" + cohort),
    ):
        uniform = left & (given.groupby(block).transform("nunique") == 1)
        left &= ~uniform
        for _, here in block[uniform].groupby(place):
            blocks = np.unique(here)
            dealt = dict(zip(blocks, blocks[rng.permutation(len(blocks))], strict=True))
            donors[here.index] = _matched(here, here.map(dealt), cohort[here.index])
    return donors


def permute_outcomes(samples: pd.DataFrame, task: str, donors: pd.Series) -> pd.DataFrame:
    """Give each sample the outcome of its donor: all its columns, of all targets, together.

    Parameters
    ----------
    samples
        The clean ``samples.tsv``. Samples without a donor keep their outcome.
    donors
        As :func:`draw_donors` returns them.

    Returns
    -------
    The same table, sorted by sample.
    """
    columns = _outcome_of(samples, task)
    table = samples.sort_values("sample").set_index("sample")
    permuted = table.copy()
    permuted.loc[donors.index, columns] = table.loc[donors, columns].to_numpy(dtype=object)
    return permuted.astype(table.dtypes.to_dict()).reset_index()[samples.columns]


def move_rows(source: Path, target: Path, donors: pd.Series) -> None:
    """Write the layer of one cohort in which each sample has the values of its donor.

    With the outcome that goes the same way, and all other layers as they are, these others are
    permuted together. Whose donor lacks the layer lacks it, too; samples without a donor (of
    external cohorts, or not used) keep their values.
    """
    header = read_header(source)
    row = {sample: number for number, sample in enumerate(header.samples)}
    donor = {sample: sample for sample in header.samples if sample not in donors.index}
    donor |= {str(sample): name for sample, name in donors.items() if name in row}
    samples = tuple(sorted(donor))
    with new_layer(target, replace(header, samples=samples)) as x:
        x[...] = read_rows(source, [row[donor[sample]] for sample in samples])


def _outcome_of(samples: pd.DataFrame, task: str) -> list[str]:
    names = ("", *further_targets(samples.columns))
    return [column for name in names for column in outcome_columns(task, name).values()]


def _matched(block: pd.Series, donor: pd.Series, cohort: pd.Series) -> list[str]:
    """Return for each sample of a block one of its donor's and its cohort, one after the other."""
    members = {key: list(own.index) for key, own in block.groupby([block, cohort])}
    places = block.groupby([block, cohort]).cumcount()
    choices = [members[key] for key in zip(donor, cohort, strict=True)]
    return [own[place % len(own)] for own, place in zip(choices, places, strict=True)]


def _places(training: pd.DataFrame, unit: pd.Series, split: str) -> pd.Series:
    """Name, for each sample, the cohorts, batches and left-out values of its unit's samples."""
    names = ["cohort", "batch", *(["split"] if split.startswith("leave_out:") else [])]
    return _of_blocks(training[names].fillna("").astype(str).agg("\t".join, axis=1), unit)


def _of_blocks(values: pd.Series, block: pd.Series) -> pd.Series:
    """Name, for each sample, all values of its block's samples."""
    return values.groupby(block).transform(lambda own: "\n".join(sorted(set(own))))


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
