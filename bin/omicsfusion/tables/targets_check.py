"""Are the outcomes of all targets possible? Each is checked by itself; then who has any of them."""

from collections.abc import Sequence

import pandas as pd

from omicsfusion.tables.ids import shown
from omicsfusion.tables.outcome import NO_TASK, outcome_columns
from omicsfusion.tables.outcome_check import CheckedOutcome, check_outcome
from omicsfusion.tables.problems import Problems
from omicsfusion.tables.samples import SampleTable


def check_targets(
    samples: SampleTable,
    roles: pd.Series,
    task: str,
    targets: Sequence[str],
    folds: int,
    problems: Problems,
) -> CheckedOutcome | None:
    """Check the outcomes of the samples that have omics.

    Parameters
    ----------
    samples, roles, task, folds
        As for ``check_outcome``.
    targets
        As the user listed them; the first stratifies the folds.

    Returns
    -------
    The outcomes side by side, those of targets after the first in columns with their name; left out
    are the samples that have none of them. None when a target cannot be used. Where nothing is
    predicted: no outcome for anyone.
    """
    if task == NO_TASK:
        return CheckedOutcome(pd.DataFrame({"truth": ""}, index=roles.index))
    twice = sorted({name for name in targets if list(targets).count(name) > 1})
    if twice or not targets:
        problems.error(
            f"--target {','.join(targets)} names {shown(twice) or 'nothing'}"
            + (" more than once." if twice else "."),
            "Name each target once, separated by commas.",
        )
    names = list(dict.fromkeys(targets))
    alone = len(names) < 2
    found = [check_outcome(samples, roles, task, n, folds, problems, alone) for n in names]
    checked = [one for one in found if one is not None]
    if twice or not checked or len(checked) < len(found):
        return None
    return checked[0] if alone else _side_by_side(dict(zip(names, checked, strict=True)), task)


def _side_by_side(found: dict[str, CheckedOutcome], task: str) -> CheckedOutcome:
    tables = [
        one.table.rename(columns=outcome_columns(task, name if number else ""))
        for number, (name, one) in enumerate(found.items())
    ]
    table = pd.concat(tables, axis=1, join="outer").sort_index()
    lacking = set.intersection(*(set(one.left_out) for one in found.values()))
    left_out = {
        sample: "; ".join(one.left_out[sample] for one in found.values())
        for sample in sorted(lacking)
    }
    return CheckedOutcome(table, left_out)
