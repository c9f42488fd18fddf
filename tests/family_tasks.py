"""Which tasks a family is trained on in every test run, and which only when asked for."""

from typing import Any

import pytest

from omicsfusion.tables.outcome import TASKS


def tasks_of(often: str) -> list[Any]:
    """Return all tasks as parameters: ``often`` as it is, the others marked ``families``.

    A training takes 10 to 40 seconds, most of them to compile: `make test-families` runs them all.
    """
    return [task if task == often else _rarely(task) for task in TASKS]


def families_and_tasks(often: dict[str, str]) -> list[Any]:
    """Return all pairs of a family and a task, with one task of each family run every time."""
    return [
        (family, task) if task == own else _rarely(family, task)
        for family, own in often.items()
        for task in TASKS
    ]


def _rarely(*values: str) -> Any:
    return pytest.param(*values, marks=pytest.mark.families)
