"""Priority order: clinical data first, and of each further layer only what it adds.

Klau, Jurinovic, Hornung, Herold and Boulesteix 2018 (BMC Bioinformatics 19:322): a model of the
first block, then one of the second with the first one's scores as an offset, and so on; an offset
holds scores of samples that the block's model has not seen (their cross-validated offsets). They
use the lasso, here it is ridge regression. The covariates come first; the layers follow from the
smallest to the largest, so that a small one is not drowned. Each block's penalty is chosen by
cross-validation in the training set; strong ones let a block add next to nothing.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from omicsfusion.models.baselines.candidates import Family, train_candidates
from omicsfusion.models.baselines.crossfit import columns_of, cross_fitted, parts_of
from omicsfusion.models.baselines.training_set import Fitted, Setting, TrainingSet, linear_fit
from omicsfusion.models.coefficients import Coefficients
from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.fit import Fit
from omicsfusion.models.registry import CLINICAL
from omicsfusion.models.request import TrainingRequest


def order_of(training: TrainingSet) -> list[str]:
    """List the blocks in their order of priority."""
    blocks = training.blocks()
    return sorted(blocks, key=lambda name: (name != CLINICAL, len(blocks[name]), name))


def _candidates(training: TrainingSet) -> list[Setting]:
    return [Setting({"order": ", ".join(order_of(training))})]


def _fit(training: TrainingSet, candidates: Sequence[Setting]) -> list[Fitted]:
    outputs = len(training.task.outputs)
    weights, intercept = np.zeros((training.x.shape[1], outputs)), np.zeros(outputs)
    offset = np.zeros((len(training.y), outputs))
    parts, blocks, shares, edges = parts_of(training), training.blocks(), {}, []
    for name in order_of(training):
        block = cross_fitted(columns_of(training, blocks[name]), parts, offset)
        weights[blocks[name]] = block.fitted.weights
        intercept = intercept + block.fitted.intercept
        offset = offset + block.held_out
        shares[name] = block.share
        edges += [f"penalty of {name}"] if block.at_edge else []
    fitted = linear_fit(Coefficients(weights, intercept), penalty_shares=shares)
    return [replace(fitted, edges=tuple(edges)) for _ in candidates]


PRIORITY = Family(_candidates, _fit)


def train(request: TrainingRequest, reader: GroupReader) -> list[Fit]:
    """Train blocks in their order of priority on every scope of a group."""
    return train_candidates(PRIORITY, request, reader)
