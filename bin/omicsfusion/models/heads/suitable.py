"""Which head is for which task: the names of ``--head`` in ``heads.json``.

The workflow reads the names too; without TensorFlow, for whoever trains no network.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from omicsfusion.tables.outcome import Outcome

AUTO = "auto"
TASK_OF_HEAD: Mapping[str, str] = json.loads(
    Path(__file__).with_name("heads.json").read_text(encoding="utf-8")
)


class UnsuitableHeadError(ValueError):
    """A head cannot predict the outcome; the message says which can."""


def require_suitable(outcome: Outcome, head: str, class_order: Sequence[str]) -> None:
    """Make sure that a head is for the task, and that the order names each class once.

    Raises
    ------
    UnsuitableHeadError
        When it is not.
    """
    if head != AUTO and TASK_OF_HEAD.get(head) != outcome.task:
        fit = [name for name, task in TASK_OF_HEAD.items() if task == outcome.task]
        raise UnsuitableHeadError(
            f"--head {head} is not for --task {outcome.task}. Use {' or '.join([AUTO, *fit])}."
        )
    if class_order and tuple(sorted(class_order)) != outcome.classes:
        raise UnsuitableHeadError(
            f"--class_order {','.join(class_order)} must name each class once, and nothing else: "
            f"{', '.join(outcome.classes) or 'there are no classes'}."
        )
