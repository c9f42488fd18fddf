"""Distillation: one network learns what an ensemble says, and takes its place."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.cohort import ScopeData
from omicsfusion.models.heads.base import Build, Head, Settings, Targets, weighted_mean
from omicsfusion.scopes import Scope

ops = keras.ops


class DistilledHead(Head):
    """A head that learns an ensemble's outputs beside the outcome, half and half.

    The outputs before any softmax are matched by their mean squared difference (Ba and Caruana,
    NeurIPS 2014, formula 1), the outcome by the loss of the head (Hinton, Vinyals and Dean,
    arXiv:1503.02531, section 2, take both). What an output leaves open is left open: a constant
    over the classes of a sample, and over the samples of a batch where the loss compares samples.

    Parameters
    ----------
    head
        That of the ensemble.
    taught
        Scope -> the ensemble's mean outputs for all its samples, samples x units.
    networks
        Of the ensemble.
    """

    def __init__(self, head: Head, taught: Mapping[Scope, np.ndarray], networks: int) -> None:
        self.head = head
        self.taught = taught
        self.units, self.names, self.link = head.units, head.names, head.link
        self.batch_rows, self.mixes = head.batch_rows, head.mixes
        self.setting = f"distilled from the mean of {networks} networks"
        if head.setting:
            self.setting += f"; {head.setting}"

    def completed(self, build: Build) -> Build:
        return self.head.completed(build)

    def targets(self, data: ScopeData) -> Targets:
        """Put what was taught behind the values of the outcome."""
        targets = self.head.targets(data)
        taught = self.taught[data.scope].astype(np.float32)
        return replace(targets, values=np.hstack([targets.values, taught]))

    def loss(self, outputs: Tensor, target: Tensor, weight: Tensor, settings: Settings) -> Tensor:
        """Half the loss of the outcome, and half the squared distance from what was taught."""
        of_outcome = self.head.loss(outputs, target[..., : -self.units], weight, settings)
        distance = self._settled(outputs - target[..., -self.units :], weight)
        return 0.5 * (of_outcome + weighted_mean(ops.mean(ops.square(distance), axis=-1), weight))

    def _settled(self, distance: Tensor, weight: Tensor) -> Tensor:
        """Take off what outputs leave open."""
        if self.link == "softmax":
            distance = distance - ops.mean(distance, axis=-1, keepdims=True)
        if not self.mixes:
            mean = weighted_mean(ops.moveaxis(distance, -1, 1), weight[:, None, :])
            distance = distance - mean[:, None, :]
        return distance

    def unit(
        self, raw: np.ndarray, data: ScopeData, targets: Targets
    ) -> tuple[np.ndarray, np.ndarray]:
        return self.head.unit(raw, data, self._of_outcome(targets))

    def columns(
        self, raw: np.ndarray, prediction: np.ndarray, data: ScopeData, targets: Targets
    ) -> dict[str, np.ndarray]:
        return self.head.columns(raw, prediction, data, self._of_outcome(targets))

    def columns_by_left_out(
        self, unseen: np.ndarray, data: ScopeData, targets: Targets
    ) -> dict[str, np.ndarray]:
        return self.head.columns_by_left_out(unseen, data, self._of_outcome(targets))

    def _of_outcome(self, targets: Targets) -> Targets:
        return replace(targets, values=targets.values[:, : -self.units])
