"""Survival by proportional hazards: Cox's partial likelihood."""

from collections.abc import Sequence

import numpy as np

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.cohort import ScopeData
from omicsfusion.models.fit import survival_columns
from omicsfusion.models.heads.base import Head, Settings, Targets, UntrainableError
from omicsfusion.scopes import TRAINING_ROLES
from omicsfusion.tables.outcome import Outcome

ops = keras.ops

SMALLEST_LOG = 1e-30


class CoxHead(Head):
    """The log hazard ratio of a proportional-hazards model.

    Samples are not mixed: the loss compares each with those at risk beside it, so that a mixture
    of two would need a time of its own.
    """

    link = "identity"
    batch_rows = 256
    units = 1
    names = ("risk",)
    mixes = False

    def __init__(self, outcome: Outcome, horizons: Sequence[float]) -> None:
        self.outcome = outcome
        self.horizons = horizons

    def targets(self, data: ScopeData) -> Targets:
        """Encode (rank of time, event): ranks keep ties apart from near-ties in float32."""
        time, event, has = known_survival(data, self.outcome)
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
        """Return the offset by which the training samples' mean risk becomes 0."""
        mean = raw[:, data.rows(*TRAINING_ROLES), 0].mean(dtype=np.float64)
        return np.array([-mean], np.float32), np.ones(1, np.float32)

    def columns(
        self, raw: np.ndarray, prediction: np.ndarray, data: ScopeData, targets: Targets
    ) -> dict[str, np.ndarray]:
        """Return ``risk``, and survival by Breslow's baseline hazard."""
        return survival_columns(data, prediction[:, 0], self.outcome, self.horizons)


def known_survival(data: ScopeData, outcome: Outcome) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return times, events, and whether both are known, of all samples of a scope.

    Raises
    ------
    UntrainableError
        When none of the ``train`` rows has an event.
    """
    table = outcome.table.loc[list(data.samples)]
    time, event = table["time"].to_numpy(float), table["event"].to_numpy(float)
    has = np.isfinite(time) & np.isfinite(event)
    if not np.any(event[data.rows("train")] == 1):
        raise UntrainableError("None of the samples to fit on has an event.")
    return time, event, has


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
