"""Which module trains which family; only TRAIN asks, so that only TRAIN is keyed by their code.

The two linear families and the networks have theirs listed; any other one of ``registry.json`` is
the file of its name in ``omicsfusion.models.baselines``.
"""

from collections.abc import Callable
from importlib import import_module

from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.fit import Fit
from omicsfusion.models.network_modules import NETWORKS
from omicsfusion.models.request import TrainingRequest

BASELINES = "omicsfusion.models.baselines"
MODULES = {
    "clinical": "omicsfusion.models.linear",
    "linear": "omicsfusion.models.linear",
    **NETWORKS,
}

Trainer = Callable[[TrainingRequest, GroupReader], list[Fit]]


def trainer_of(family: str) -> Trainer:
    """Return ``train(request, reader) -> fits`` of a family.

    Its module is imported only now: TensorFlow takes seconds.
    """
    trainer: Trainer = import_module(MODULES.get(family, f"{BASELINES}.{family}")).train
    return trainer
