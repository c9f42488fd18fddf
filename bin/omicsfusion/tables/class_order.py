"""Does ``--class_order`` name the classes, each once?"""

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from omicsfusion.tables.ids import shown
from omicsfusion.tables.outcome_check import CheckedOutcome
from omicsfusion.tables.problems import Problems


def check_class_order(
    order: Sequence[str], task: str, outcome: CheckedOutcome, roles: pd.Series, problems: Problems
) -> None:
    """Hold the order against the classes of the training samples.

    Parameters
    ----------
    order
        As the user gave it; empty when the classes have none.
    roles
        Index: sample; ``train`` or ``external``.
    """
    if not order:
        return
    if task != "classification":
        problems.error(
            f"--class_order is for --task classification; a {task} has no classes.", "Leave it out."
        )
        return
    truth = outcome.table["truth"]
    classes = sorted(set(truth[roles[truth.index] == "train"]))
    unknown = [name for name in order if name not in classes]
    absent = [name for name in classes if name not in order]
    twice = [name for name, times in Counter(order).items() if times > 1]
    wrong = [
        *([f"no training sample is of the class {shown(unknown)}"] if unknown else []),
        *([f"{shown(absent)} is not in it"] if absent else []),
        *([f"{shown(twice)} is in it twice"] if twice else []),
    ]
    if wrong:
        problems.error(
            f"--class_order {','.join(order)} does not name the classes: {'; '.join(wrong)}.",
            f"Name each class once, the lowest first: {', '.join(classes)}. A class whose name "
            "holds a comma cannot be named: call it otherwise.",
        )
