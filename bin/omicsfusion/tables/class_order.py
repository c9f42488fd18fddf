"""Does ``--class_order`` name the classes, each once?"""

from collections import Counter

import pandas as pd

from omicsfusion.tables.findings import Request
from omicsfusion.tables.ids import shown
from omicsfusion.tables.outcome_check import CheckedOutcome
from omicsfusion.tables.problems import Problems


def check_class_order(
    request: Request, outcome: CheckedOutcome, roles: pd.Series, problems: Problems
) -> None:
    """Hold the order against the classes of the training samples.

    Parameters
    ----------
    request
        Its ``class_order`` is empty when the classes have none.
    roles
        Index: sample; ``train`` or ``external``.
    """
    order, task = request.class_order, request.task
    if not order:
        return
    if task != "classification":
        problems.error(
            f"--class_order is for --task classification; a {task} has no classes.", "Leave it out."
        )
        return
    if len(request.targets) > 1:
        problems.error(
            f"--class_order orders the classes of one target, and --target names "
            f"{len(request.targets)}.",
            "Leave it out, or train the target with ordered classes in a run of its own.",
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
