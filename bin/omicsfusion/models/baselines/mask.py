"""Mask only: which layers a patient has, and nothing of what they hold.

Where a hospital measured a layer in its severe cases only, that alone predicts; a model of the
layers that is no better than this one has learnt nothing from them. It is the linear model of the
indicators that ``design_of`` makes: one for each layer that some training samples lack.
"""

from collections.abc import Sequence

from omicsfusion.models.baselines.candidates import Family, train_candidates
from omicsfusion.models.baselines.dummy import constant
from omicsfusion.models.baselines.training_set import Fitted, Setting, TrainingSet
from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.design_matrix import ABSENT, Design
from omicsfusion.models.fit import Fit
from omicsfusion.models.linear import LINEAR
from omicsfusion.models.request import TrainingRequest

NOBODY_LACKS = Setting({"says": "the same of all: every training sample has every layer"})


def _indicators(design: Design) -> Design:
    kept = [column for column, feature in enumerate(design.features) if feature == ABSENT]
    layers = tuple(design.layers[column] for column in kept)
    return Design(design.x[:, kept], layers, (ABSENT,) * len(kept))


def _candidates(training: TrainingSet) -> Sequence[object]:
    return LINEAR.candidates(training) if training.features else [NOBODY_LACKS]


def _fit(training: TrainingSet, candidates: Sequence[object]) -> list[Fitted]:
    if training.features and candidates != [NOBODY_LACKS]:
        return LINEAR.fit(training, candidates)
    return [constant(training) for _ in candidates]


def _way(candidates: Sequence[object], best: int) -> list[object]:
    return [NOBODY_LACKS] if candidates == [NOBODY_LACKS] else LINEAR.way(candidates, best)


MASK = Family(_candidates, _fit, way=_way, columns=_indicators, needs_columns=False)


def train(request: TrainingRequest, reader: GroupReader) -> list[Fit]:
    """Train a linear model of who has which layer on every scope of a group."""
    return train_candidates(MASK, request, reader)
