"""Heads: what a network's outputs mean for a task, and the loss that trains them.

A loss takes ``outputs`` (members x batch x units), ``target`` (members x batch x values),
``weight`` (members x batch; 0 = padding) and ``settings`` (name -> members; see ``settings``), and
returns one number per member.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.cohort import ScopeData
from omicsfusion.scopes import TRAINING_ROLES
from omicsfusion.tables.outcome import Outcome

ops = keras.ops

Settings = Mapping[str, Tensor]

SMALLEST_LOG = 1e-30


class UntrainableError(ValueError):
    """A network cannot be trained on this scope; the message says why."""


@dataclass(frozen=True)
class Targets:
    """The outcome of one scope as its loss takes it.

    Attributes
    ----------
    values
        float32, samples x values; 0 where a sample has no outcome.
    weight
        float32, samples; 0 where a sample has no outcome.
    strata
        Label of each sample; batches get their share of each.
    offset, scale
        A prediction in the outcome's unit is offset + scale * output.
    stops
        Whether the ``stop`` samples can tell when to stop.
    """

    values: np.ndarray
    weight: np.ndarray
    strata: np.ndarray
    offset: float = 0.0
    scale: float = 1.0
    stops: bool = True


class SoftmaxHead:
    """Class probabilities; every class weighs the same in the loss, however rare it is.

    The probabilities are those of a population in which all classes are equally common.
    """

    link = "softmax"
    batch_rows = 64
    setting = "balanced class weights (probabilities as if all classes were equally common)"

    def __init__(self, outcome: Outcome) -> None:
        self.units = len(outcome.classes)
        self.names = outcome.classes

    def targets(self, data: ScopeData, outcome: Outcome) -> Targets:
        """Encode classes; weights are n / (classes x samples of the class), of ``train`` rows."""
        codes = outcome.class_codes(list(data.samples))
        train = codes[data.rows("train")]
        counts = np.bincount(train[train >= 0], minlength=self.units)
        if np.count_nonzero(counts) < 2:
            raise UntrainableError("The samples to fit on are all of one class.")
        share = counts.sum() / np.count_nonzero(counts)
        of_class = np.where(counts > 0, share / np.maximum(counts, 1), 0.0)
        weight = np.where(codes >= 0, of_class[codes], 0.0)
        return Targets(
            values=np.maximum(codes, 0)[:, None].astype(np.float32),
            weight=weight.astype(np.float32),
            strata=codes,
            stops=bool(np.any(weight[data.rows("stop")] > 0)),
        )

    def loss(self, outputs: Tensor, target: Tensor, weight: Tensor, settings: Settings) -> Tensor:
        """Weighted cross-entropy, per unit of weight."""
        truth = ops.one_hot(ops.cast(target[..., 0], "int32"), self.units, dtype=outputs.dtype)
        entropy = -ops.sum(truth * ops.log_softmax(outputs, axis=-1), axis=-1)
        return weighted_mean(entropy, weight)

    def unit(
        self, raw: np.ndarray, data: ScopeData, targets: Targets
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return offset and scale of each member: a softmax has none."""
        return np.zeros(len(raw), np.float32), np.ones(len(raw), np.float32)


class CoxHead:
    """The log hazard ratio of a proportional-hazards model."""

    link = "identity"
    batch_rows = 256
    setting = ""
    units = 1
    names = ("risk",)

    def targets(self, data: ScopeData, outcome: Outcome) -> Targets:
        """Encode (rank of time, event): ranks keep ties apart from near-ties in float32."""
        known = outcome.table.loc[list(data.samples)]
        time, event = known["time"].to_numpy(float), known["event"].to_numpy(float)
        has = np.isfinite(time) & np.isfinite(event)
        if not np.any(event[data.rows("train")] == 1):
            raise UntrainableError("None of the samples to fit on has an event.")
        rank = np.searchsorted(np.unique(time[has]), time)
        values = np.column_stack([rank, event])
        return Targets(
            values=np.where(has[:, None], values, 0).astype(np.float32),
            weight=has.astype(np.float32),
            strata=event,
            stops=bool(np.any(event[data.rows("stop")] == 1)),
        )

    def loss(self, outputs: Tensor, target: Tensor, weight: Tensor, settings: Settings) -> Tensor:
        """Return ``cox_efron`` of the outputs."""
        return cox_efron(outputs[..., 0], target[..., 0], target[..., 1], weight)

    def unit(
        self, raw: np.ndarray, data: ScopeData, targets: Targets
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return offset and scale of each member: the training samples' mean risk becomes 0."""
        mean = raw[:, data.rows(*TRAINING_ROLES), 0].mean(axis=1, dtype=np.float64)
        return -mean.astype(np.float32), np.ones(len(raw), np.float32)


class GaussianHead:
    """The mean of a number, whose spread around it is constant."""

    link = "identity"
    batch_rows = 64
    setting = ""
    units = 1
    names = ("mean",)

    def targets(self, data: ScopeData, outcome: Outcome) -> Targets:
        """Standardise on the ``train`` rows."""
        truth = outcome.table.loc[list(data.samples), "truth"].to_numpy(float)
        has = np.isfinite(truth)
        fitted = truth[data.rows("train")]
        offset, scale = float(np.mean(fitted)), float(np.std(fitted))
        if not scale > 0:
            raise UntrainableError("The target has one value only among the samples to fit on.")
        return Targets(
            values=np.where(has, (truth - offset) / scale, 0)[:, None].astype(np.float32),
            weight=has.astype(np.float32),
            strata=np.zeros(len(truth)),
            offset=offset,
            scale=scale,
            stops=len(data.rows("stop")) > 0,
        )

    def loss(self, outputs: Tensor, target: Tensor, weight: Tensor, settings: Settings) -> Tensor:
        """Half the squared error: minus the log-likelihood of a Gaussian up to constants."""
        return weighted_mean(0.5 * ops.square(outputs[..., 0] - target[..., 0]), weight)

    def unit(
        self, raw: np.ndarray, data: ScopeData, targets: Targets
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return offset and scale of each member: back to the target's unit."""
        size = len(raw)
        return np.full(size, targets.offset, np.float32), np.full(size, targets.scale, np.float32)


Head = SoftmaxHead | CoxHead | GaussianHead


def head_for(outcome: Outcome) -> Head:
    """Return the head of a task."""
    if outcome.task == "classification":
        return SoftmaxHead(outcome)
    return CoxHead() if outcome.task == "survival" else GaussianHead()


def weighted_mean(values: Tensor, weight: Tensor) -> Tensor:
    """Average over the batch; 0 where nothing weighs."""
    total = ops.sum(weight, axis=-1)
    return ops.sum(values * weight, axis=-1) / ops.where(total > 0, total, 1.0)


def cox_efron(risk: Tensor, time: Tensor, event: Tensor, weight: Tensor) -> Tensor:
    """Minus the log partial likelihood per event, ties after Efron.

    Efron, JASA 72, 1977, 557-565: of d tied events the l-th (l = 0 … d-1) is compared with the risk
    set less l/d of the tied events, sum_i [risk_i - log(sum_at_risk e^risk - l/d sum_tied e^risk)].
    Rows in any order; the cost grows with the square of the batch, which is little beside the
    network for up to some thousand rows.

    Parameters
    ----------
    risk, time, event
        members x batch. ``time`` may be ranks; equal means tied.
    weight
        members x batch, 1 or 0: rows with 0 take no part.

    Returns
    -------
    members; 0 without any event.
    """
    event = event * weight
    at_risk = ops.where(weight > 0, risk, -1e9)
    top = ops.stop_gradient(ops.max(at_risk, axis=-1, keepdims=True))
    hazard = ops.exp(at_risk - top) * weight
    mine, other = time[:, :, None], time[:, None, :]
    later = ops.cast(other >= mine, risk.dtype)
    tied = ops.cast(other == mine, risk.dtype) * event[:, None, :]
    position = ops.arange(ops.shape(risk)[-1])
    earlier_row = ops.cast(position[None, None, :] < position[None, :, None], risk.dtype)
    share = ops.sum(tied * earlier_row, axis=-1) / ops.maximum(ops.sum(tied, axis=-1), 1.0)
    summed = ops.sum(later * hazard[:, None, :], axis=-1)
    summed = summed - share * ops.sum(tied * hazard[:, None, :], axis=-1)
    log_sum = ops.log(ops.where(event > 0, ops.maximum(summed, SMALLEST_LOG), 1.0)) + top
    likelihood = ops.sum(event * (risk - log_sum), axis=-1)
    return -likelihood / ops.maximum(ops.sum(event, axis=-1), 1.0)
