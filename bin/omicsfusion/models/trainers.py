"""Which module trains which family; only TRAIN asks, so that only TRAIN is keyed by their code."""

from collections.abc import Callable, Sequence
from importlib import import_module

from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.fit import Fit
from omicsfusion.models.registry import ModelSpec
from omicsfusion.tables.outcome import Outcome

MODULES = {
    "clinical": "omicsfusion.models.linear",
    "linear": "omicsfusion.models.linear",
    "fused": "omicsfusion.models.fused",
}

Trainer = Callable[[ModelSpec, GroupReader, Outcome, Sequence[float], int], list[Fit]]


def trainer_of(family: str) -> Trainer:
    """Return ``train(spec, reader, outcome, horizons, seed) -> fits`` of a family.

    Its module is imported only now: TensorFlow takes seconds.
    """
    trainer: Trainer = import_module(MODULES[family]).train
    return trainer
