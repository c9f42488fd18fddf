"""Is the outcome possible? Samples without one are left out and said; impossible values stop."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from omicsfusion.tables.ids import shown
from omicsfusion.tables.numbers import (
    cure_for_text,
    is_missing,
    is_number,
    is_probably_missing,
    number_in,
)
from omicsfusion.tables.problems import Problems
from omicsfusion.tables.samples import SampleTable, require_column, warn_of_probably_missing, words

# Share of samples with a known time whose time is zero or negative, above which the column is
# taken for broken.
MAX_BAD_TIMES = 0.05
# A column of numbers with more distinct values than this is no class.
MAX_NUMERIC_CLASSES = 20


@dataclass
class CheckedOutcome:
    """The outcome of the samples that have a possible one.

    Attributes
    ----------
    table
        Index: sample. Columns ``truth`` (class name or number), or ``time`` and ``event``; missing
        (empty or NaN) where an external sample has none.
    left_out
        Sample -> why it cannot be used.
    """

    table: pd.DataFrame
    left_out: dict[str, str] = field(default_factory=dict)


def check_outcome(
    samples: SampleTable,
    roles: pd.Series,
    task: str,
    target: str,
    folds: int,
    problems: Problems,
    alone: bool = True,
) -> CheckedOutcome | None:
    """Check one outcome of the samples that have omics.

    Parameters
    ----------
    samples
        All samples.
    roles
        Index: sample; ``train`` or ``external``. External samples may lack the outcome.
    task, folds
        As the user asked.
    target
        One of those that the user named.
    alone
        Whether it is the only one: a sample that lacks it is left out then.

    Returns
    -------
    None when the columns are not there.
    """
    columns = [f"{target}_time", f"{target}_event"] if task == "survival" else [target]
    why = f"--target {target} of --task {task}"
    lacking = [name for name in columns if not require_column(samples, name, why, problems)]
    if lacking:
        _hint_at_other_task(samples, task, target, problems)
        return None
    return _CHECKS[task](samples, roles, target, folds, problems, alone)


def _hint_at_other_task(samples: SampleTable, task: str, target: str, problems: Problems) -> None:
    stem = target.removesuffix("_time").removesuffix("_event")
    if task == "survival" and stem != target and samples.has(f"{stem}_time"):
        problems.error(
            f"--target {target} names one of the two columns of survival.",
            f"Use --target {stem}: the columns {stem}_time and {stem}_event are found from it.",
            file=samples.name,
        )
    elif task == "survival" and samples.has(target):
        problems.error(
            f"{target!r} is one column, but survival needs two: {target}_time and {target}_event.",
            "Give --target the part of the names before _time and _event.",
            file=samples.name,
        )
    if task != "survival" and samples.has(f"{target}_time"):
        problems.error(
            f"{target!r} seems to be a survival outcome ({target}_time, {target}_event).",
            "Use --task survival.",
            file=samples.name,
        )


def _numbers(
    samples: SampleTable, used: pd.Index, column: str, what: str, problems: Problems
) -> pd.Series:
    """Return a column as numbers (NaN: missing); report cells that are none."""
    cells = samples.table.loc[used, column]
    values = pd.Series([number_in(cell) for cell in cells], index=used, dtype=object)
    text = values.map(lambda value: value is None)
    if text.any():
        bad = cells[text]
        problems.error(
            f"{len(bad)} cells of {what} are no numbers: {shown(map(repr, bad))}.",
            _cure_for_outcome(list(bad), column),
            file=samples.name,
            row=samples.line(bad.index[0]),
            column=column,
        )
    probable = [
        cell
        for cell in cells
        if not is_missing(cell) and is_probably_missing(cell, number_expected=True)
    ]
    warn_of_probably_missing(probable, problems, file=samples.name, column=column)
    numbers = pd.to_numeric(values.where(~text), errors="coerce").astype(float)
    infinite = numbers.abs() == float("inf")
    if infinite.any():
        first = numbers.index[infinite][0]
        problems.error(
            f"{int(infinite.sum())} cells of {what} are infinite.",
            "Leave the cell empty if the value is not known.",
            file=samples.name,
            row=samples.line(first),
            column=column,
        )
    return numbers


def _cure_for_outcome(bad: Sequence[str], column: str) -> str:
    if column.endswith("_event"):
        return (
            "Write 1 where the event happened (death, relapse) and 0 where the sample was censored "
            "(still without the event when last seen); not yes/no, true/false or dead/alive."
        )
    return cure_for_text(bad)


def _leave_out_missing(
    missing: pd.Index,
    roles: pd.Series,
    what: str,
    samples: SampleTable,
    problems: Problems,
    alone: bool,
) -> dict[str, str]:
    """Leave training samples without an outcome out, with one warning."""
    lost = [sample for sample in missing if roles[sample] == "train"]
    fate = " and are left out" if alone else ""
    if lost:
        problems.warn(
            f"{len(lost)} of {int((roles == 'train').sum())} samples have no {what}{fate}: "
            f"{shown(lost)}.",
            "The accounting lists them all."
            if alone
            else "They count where they have another target; the accounting lists those without.",
            file=samples.name,
        )
    return dict.fromkeys(lost, f"{what} is missing")


def _check_survival(
    samples: SampleTable,
    roles: pd.Series,
    target: str,
    folds: int,
    problems: Problems,
    alone: bool,
) -> CheckedOutcome:
    used = roles.index
    time = _numbers(samples, used, f"{target}_time", "the survival times", problems)
    event = _numbers(samples, used, f"{target}_event", "the events", problems)
    _check_event_codes(samples, event, f"{target}_event", problems)
    missing = used[time.isna() | event.isna()]
    what = f"{target} time or event"
    left_out = _leave_out_missing(missing, roles, what, samples, problems, alone)
    bad = used[(time <= 0) & ~event.isna()]
    left_out.update(_leave_out_bad_times(samples, time, bad, f"{target}_time", problems))
    table = pd.DataFrame({"time": time, "event": event}).drop(index=list(left_out))
    _check_events(
        table.loc[roles[table.index] == "train", "event"],
        f"{target}_event",
        folds,
        samples.name,
        problems,
    )
    return CheckedOutcome(table, left_out)


def _check_event_codes(
    samples: SampleTable, event: pd.Series, column: str, problems: Problems
) -> None:
    strange = event[event.notna() & ~event.isin([0, 1])]
    if strange.empty:
        return
    codes = sorted(set(event.dropna()))
    hint = " If 1 means censored and 2 means dead, subtract 1." if codes in ([1, 2], [2]) else ""
    problems.error(
        f"An event must be 0 (censored) or 1 (happened), but {len(strange)} cells say "
        f"{shown(f'{code:g}' for code in sorted(set(strange)))}.",
        f"Write 0 or 1.{hint}",
        file=samples.name,
        row=samples.line(strange.index[0]),
        column=column,
    )


def _leave_out_bad_times(
    samples: SampleTable, time: pd.Series, bad: pd.Index, column: str, problems: Problems
) -> dict[str, str]:
    if bad.empty:
        return {}
    known = int(time.notna().sum())
    report = problems.error if len(bad) > MAX_BAD_TIMES * known else problems.warn
    report(
        f"{len(bad)} of {known} samples have a time of zero or less: {shown(bad)}.",
        f"A time counts from the start of follow-up and is positive; such samples are left out, "
        f"and more than {MAX_BAD_TIMES:.0%} of them stop the run. Correct the times.",
        file=samples.name,
        row=samples.line(bad[0]),
        column=column,
    )
    return {sample: f"{column} is {time[sample]:g}, not positive" for sample in bad}


def _check_events(event: pd.Series, column: str, folds: int, name: str, problems: Problems) -> None:
    n_events = int((event == 1).sum())
    if n_events == 0:
        problems.error(
            f"No training sample has an event: all {len(event)} are censored.",
            "Without events there is nothing to learn from. Is 1 written where the event happened?",
            file=name,
            column=column,
        )
    elif n_events < folds:
        problems.warn(
            f"There are {n_events} events for {folds} folds, so some folds have none.",
            "Use fewer --folds; the results will be very uncertain.",
            file=name,
            column=column,
        )


def _check_classes(
    samples: SampleTable,
    roles: pd.Series,
    target: str,
    folds: int,
    problems: Problems,
    alone: bool,
) -> CheckedOutcome:
    truth = words(samples, target, problems, used=roles.index)
    missing = truth.index[truth == ""]
    left_out = _leave_out_missing(missing, roles, target, samples, problems, alone)
    truth = truth.drop(index=list(left_out))
    classes = truth[roles[truth.index] == "train"]
    patients = samples.patients[classes.index]
    names = sorted(set(classes))
    where = {"file": samples.name, "column": target}
    if len(names) > MAX_NUMERIC_CLASSES and all(is_number(name) for name in names):
        problems.error(
            f"The classes are {len(names)} different numbers, which looks like regression.",
            "Use --task regression, or give a column of classes.",
            **where,
        )
    elif len(names) < 2:
        problems.error(
            f"All training samples are of one class ({shown(names) or 'none is known'}).",
            "Classification needs at least two classes.",
            **where,
        )
    else:
        _check_class_sizes(patients.groupby(classes).nunique(), folds, where, problems)
    _check_class_names(names, truth[roles[truth.index] != "train"], where, problems)
    return CheckedOutcome(truth.to_frame("truth"), left_out)


def _check_class_sizes(
    sizes: pd.Series, folds: int, where: dict[str, str], problems: Problems
) -> None:
    for name, size in sizes.items():
        if size < 2:
            problems.error(
                f"Class {name!r} has one member only.",
                "A class needs members to learn from and members to test on: join it with another "
                "class, or leave the cell empty to leave the sample out.",
                **where,
            )
        elif size < folds:
            problems.warn(
                f"Class {name!r} has {size} members for {folds} folds, so some folds lack it.",
                "Use fewer --folds, or join it with another class.",
                **where,
            )


def _check_class_names(
    names: Sequence[str], external: pd.Series, where: dict[str, str], problems: Problems
) -> None:
    spellings: dict[str, list[str]] = {}
    for name in names:
        spellings.setdefault(name.lower(), []).append(name)
    for group in spellings.values():
        if len(group) > 1:
            problems.warn(
                f"Classes differ only in upper and lower case: {' / '.join(group)}.",
                "They are taken for different classes; write one class in one way.",
                **where,
            )
    unknown = sorted(set(external) - set(names) - {""})
    if unknown:
        problems.warn(
            f"External samples are of classes that no training sample has: {shown(unknown)}.",
            "They cannot be predicted right.",
            **where,
        )


def _check_regression(
    samples: SampleTable,
    roles: pd.Series,
    target: str,
    folds: int,
    problems: Problems,
    alone: bool,
) -> CheckedOutcome:
    truth = _numbers(samples, roles.index, target, f"the outcome {target}", problems)
    missing = truth.index[truth.isna()]
    left_out = _leave_out_missing(missing, roles, target, samples, problems, alone)
    truth = truth.drop(index=list(left_out))
    known = truth[roles[truth.index] == "train"]
    if known.nunique() < 2:
        problems.error(
            f"The outcome is the same for all {len(known)} training samples.",
            "Regression needs an outcome that varies.",
            file=samples.name,
            column=target,
        )
    return CheckedOutcome(truth.to_frame("truth"), left_out)


_CHECKS = {
    "survival": _check_survival,
    "classification": _check_classes,
    "regression": _check_regression,
}
