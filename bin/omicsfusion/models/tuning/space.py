"""What a trial may choose: settings of the training, and the structure of the network."""

from collections.abc import Container, Mapping
from math import log

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.trial import Trial

from omicsfusion.models.choice import STRUCTURE, Choice

RANGES: Mapping[str, FloatDistribution] = {
    "learning_rate": FloatDistribution(2e-3, 3e-2, log=True),
    "weight_decay": FloatDistribution(1e-2, 1.0, log=True),
    "input_dropout": FloatDistribution(0.0, 0.6),
    "hidden_dropout": FloatDistribution(0.0, 0.6),
    "omics_dropout": FloatDistribution(0.0, 0.5),
    "input_noise": FloatDistribution(0.0, 0.5),
}
"""Of the settings that every task has; the defaults lie in them."""

OF_CLASSES: Mapping[str, FloatDistribution] = {"label_smoothing": FloatDistribution(0.0, 0.2)}

EDGE = 0.02
"""A number in this share of its range at either end stands at the edge of it. One drawn at random
does so once in 25 or 50 times; of a share as wide as 0.05, every third training set would have a
number there by chance alone."""


def space_of(
    task: str, structures: Mapping[str, object], fixed: Container[str] = ()
) -> dict[str, BaseDistribution]:
    """Return the distribution of everything that a trial chooses.

    Parameters
    ----------
    task
        One of ``outcome.TASKS``.
    structures
        By name; ``default`` is one of them.
    fixed
        Settings that are not chosen.
    """
    space: dict[str, BaseDistribution] = dict(RANGES)
    if task == "classification":
        space |= OF_CLASSES
    if len(structures) > 1:
        space[STRUCTURE] = CategoricalDistribution(tuple(structures))
    return {name: values for name, values in space.items() if name not in fixed}


def choice_of(trial: Trial, start: Choice) -> Choice:
    """Turn what a trial drew into a choice; what it did not draw is as at the start."""
    drawn = dict(trial.params)
    structure = drawn.pop(STRUCTURE, start.structure)
    return Choice({**start.settings, **drawn}, structure)


def edges_of(choice: Choice, space: Mapping[str, BaseDistribution]) -> list[str]:
    """Name the numbers of a choice beyond whose range a better one may lie; nothing is below 0."""
    found = []
    for name, values in space.items():
        if isinstance(values, FloatDistribution):
            ends = (values.low, values.high, choice.settings[name])
            low, high, value = map(log, ends) if values.log else ends
            place = (value - low) / (high - low)
            if place > 1 - EDGE or (place < EDGE and values.low > 0):
                found.append(name)
    return found
