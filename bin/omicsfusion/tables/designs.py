"""The columns of samples.tsv that shape the run: group, batch, split."""

import pandas as pd

from omicsfusion.tables.dates import moment_in
from omicsfusion.tables.ids import shown
from omicsfusion.tables.numbers import is_missing
from omicsfusion.tables.problems import Problems
from omicsfusion.tables.samples import SampleTable, require_column, words


def check_group(
    samples: SampleTable, used: pd.Index, column: str | None, problems: Problems
) -> pd.Series:
    """Return what keeps samples together in a fold: ``--group``'s column, else the patient."""
    patients = samples.patients[used]
    if not column or column == "patient":
        return patients
    if not require_column(samples, column, "--group", problems):
        return patients
    group = words(samples, column, problems, used)
    _require_filled(samples, group, column, "--group", problems)
    torn = group.groupby(patients).nunique()
    torn = torn[torn > 1]
    if len(torn):
        problems.error(
            f"{len(torn)} patients have samples in different groups: {shown(torn.index)}.",
            "The samples of one patient belong together: give them one group.",
            file=samples.name,
            column=column,
        )
    return group


def check_batch(
    samples: SampleTable, used: pd.Index, column: str | None, problems: Problems
) -> pd.Series:
    """Return the batch of each sample; empty when not asked for or not known."""
    if not column or not require_column(samples, column, "--batch", problems):
        return pd.Series("", index=used)
    batch = words(samples, column, problems, used)
    lost = batch.index[batch == ""]
    if len(lost):
        problems.warn(
            f"{len(lost)} samples have no batch: {shown(lost)}.",
            "Fill it in; samples without a batch cannot be corrected for it.",
            file=samples.name,
            column=column,
        )
    size = batch[batch != ""].value_counts()
    single = batch[batch.map(size) == 1]
    if len(single):
        named = (f"{label} ({sample})" for sample, label in single.sort_values().items())
        problems.warn(
            f"{len(single)} of {len(size)} batches have one sample: {shown(named)}.",
            "One sample does not tell its batch's shift from its own: such a batch is pooled with "
            "other small ones or left uncorrected. Is it written in the same way everywhere?",
            file=samples.name,
            column=column,
        )
    return batch


def check_split(
    samples: SampleTable,
    used: pd.Index,
    training: pd.Index,
    how: str,
    groups: pd.Series,
    problems: Problems,
) -> pd.Series:
    """Return the value of the column that ``--split`` names; empty for ``kfold``.

    Only training samples need one.
    """
    nothing = pd.Series("", index=used)
    kind, _, column = how.partition(":")
    if how == "kfold":
        return nothing
    if kind not in ("column", "leave_out", "temporal") or not column:
        problems.error(
            f"--split {how} is not known.",
            "Known are kfold, column:NAME, leave_out:NAME and temporal:NAME.",
        )
        return nothing
    if not require_column(samples, column, f"--split {how}", problems):
        return nothing
    split = words(samples, column, problems, used)
    mine = split[training]
    _require_filled(samples, mine, column, f"--split {how}", problems)
    if kind == "temporal":
        _check_dates(samples, mine, column, how, groups, problems)
        return split
    _check_values(samples, mine, column, how, problems)
    torn = mine.groupby(groups[training]).nunique()
    torn = torn[torn > 1]
    if len(torn):
        problems.error(
            f"{len(torn)} patients (or groups) have samples in different parts of the split: "
            f"{shown(torn.index)}.",
            "A patient in both training and test samples makes the result look better than it is: "
            "give all samples of a patient the same value.",
            file=samples.name,
            column=column,
        )
    return split


def _check_values(
    samples: SampleTable, split: pd.Series, column: str, how: str, problems: Problems
) -> None:
    values = sorted(set(split) - {""})
    if len(values) == 1:
        problems.error(
            f"All training samples have one value ({values[0]}) in the column of --split {how}.",
            "Without a second value there is nothing to test on.",
            file=samples.name,
            column=column,
        )
    lower = {value.lower() for value in values}
    if how.startswith("column") and lower == {"train", "test"} and set(values) != lower:
        problems.error(
            f"The split is written {shown(values)}.",
            "Write train and test, in lower case.",
            file=samples.name,
            column=column,
        )


def _check_dates(
    samples: SampleTable,
    split: pd.Series,
    column: str,
    how: str,
    groups: pd.Series,
    problems: Problems,
) -> None:
    read = {sample: moment_in(cell) for sample, cell in split.items() if not is_missing(str(cell))}
    cure = "Write all as dates like 2019-03-01, or all as years or other numbers."
    strange = [sample for sample, moment in read.items() if moment is None]
    known = {sample: moment for sample, moment in read.items() if moment is not None}
    if strange:
        problems.error(
            f"{len(strange)} cells of --split {how} are no dates: "
            f"{shown(repr(split[sample]) for sample in strange)}.",
            cure,
            file=samples.name,
            row=samples.line(str(strange[0])),
            column=column,
        )
    elif len({kind for kind, _ in known.values()}) > 1:
        problems.error(
            f"Dates stand beside plain numbers in the column of --split {how}.",
            cure,
            file=samples.name,
            column=column,
        )
    elif known and pd.Series(known).groupby(groups).max().nunique() == 1:
        newest = max(known, key=known.__getitem__)
        problems.error(
            f"All patients (or groups) have the same newest date ({split[newest]}) in the column "
            f"of --split {how}.",
            "The newest patients are held out, so some must be newer than others.",
            file=samples.name,
            column=column,
        )


def _require_filled(
    samples: SampleTable, values: pd.Series, column: str, option: str, problems: Problems
) -> None:
    lost = [sample for sample, value in values.items() if is_missing(str(value))]
    if lost:
        problems.error(
            f"{len(lost)} samples have no value in the column of {option}: "
            f"{shown(map(str, lost))}.",
            "Give each of them one.",
            file=samples.name,
            row=samples.line(str(lost[0])),
            column=column,
        )
