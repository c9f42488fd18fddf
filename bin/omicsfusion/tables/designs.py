"""The columns of samples.tsv that shape the run: group, batch, split."""

import pandas as pd

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
    if kind not in ("column", "leave_out") or not column:
        problems.error(
            f"--split {how} is not known.", "Known are kfold, column:NAME and leave_out:NAME."
        )
        return nothing
    if not require_column(samples, column, f"--split {how}", problems):
        return nothing
    split = words(samples, column, problems, used)
    mine = split[training]
    _require_filled(samples, mine, column, f"--split {how}", problems)
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
