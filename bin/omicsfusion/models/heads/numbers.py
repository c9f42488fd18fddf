"""Numbers: the mean of an outcome, and how far samples lie from it."""

import numpy as np

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.cohort import ScopeData
from omicsfusion.models.fit import predicted_rows, regression_columns
from omicsfusion.models.heads.base import Head, Settings, Targets, UntrainableError, weighted_mean
from omicsfusion.scopes import TRAINING_ROLES
from omicsfusion.tables.outcome import Outcome

ops = keras.ops

SMALLEST_SD = 1e-3
"""Least residual standard deviation, in standard deviations of the target."""

MAD_TO_SD = 1.482602
"""A normal distribution's standard deviation in units of its median absolute deviation."""


class GaussianHead(Head):
    """The mean of a number, whose spread around it is constant."""

    link = "identity"
    units = 1
    names = ("mean",)

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome

    def targets(self, data: ScopeData) -> Targets:
        """Standardise on the ``train`` rows."""
        truth = self._truth(data, np.arange(len(data.samples)))
        has = np.isfinite(truth)
        fitted = self._truth(data, data.rows("train"))
        if not np.std(fitted) > 0:
            raise UntrainableError("The target has one value only among the samples to fit on.")
        offset, scale = self.centre(fitted)
        return Targets(
            values=np.where(has, (truth - offset) / scale, 0)[:, None].astype(np.float32),
            weight=has.astype(np.float32),
            strata=np.zeros(len(truth)),
            offset=offset,
            scale=scale,
            stops=len(data.rows("stop")) > 0,
        )

    def _truth(self, data: ScopeData, rows: np.ndarray) -> np.ndarray:
        samples = [data.samples[row] for row in rows]
        return self.outcome.table.loc[samples, "truth"].to_numpy(float)

    def centre(self, fitted: np.ndarray) -> tuple[float, float]:
        """Return the mean and the standard deviation."""
        return float(np.mean(fitted)), float(np.std(fitted))

    def loss(self, outputs: Tensor, target: Tensor, weight: Tensor, settings: Settings) -> Tensor:
        """Half the squared error: minus the log-likelihood of a Gaussian up to constants."""
        return weighted_mean(0.5 * ops.square(outputs[..., 0] - target[..., 0]), weight)

    def unit(
        self, raw: np.ndarray, data: ScopeData, targets: Targets
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return what brings outputs back to the target's unit."""
        return np.array([targets.offset], np.float32), np.array([targets.scale], np.float32)

    def columns(
        self, raw: np.ndarray, prediction: np.ndarray, data: ScopeData, targets: Targets
    ) -> dict[str, np.ndarray]:
        """Return ``mean``, and ``sd`` from the residuals of the ``stop`` samples.

        Where these cannot judge it is from those of the ``train`` samples. Both are too small: a
        network that was stopped by samples suits them. It is for where no inner fold tells better.
        """
        held = data.rows("stop") if targets.stops else data.rows("train")
        mean = prediction[predicted_rows(data), 0]
        return regression_columns(mean, self._sd(prediction, held, data, targets))

    def columns_by_left_out(
        self, unseen: np.ndarray, data: ScopeData, targets: Targets
    ) -> dict[str, np.ndarray]:
        """Return ``sd`` from the residuals of the training samples that were left out, if any."""
        training = data.rows(*TRAINING_ROLES)
        held = training[np.isfinite(unseen[training, 0])]
        if not len(held):
            return {}
        return {"sd": np.full(len(predicted_rows(data)), self._sd(unseen, held, data, targets))}

    def _sd(self, said: np.ndarray, rows: np.ndarray, data: ScopeData, targets: Targets) -> float:
        spread = self.spread(self._truth(data, rows) - said[rows, 0])
        return max(spread, SMALLEST_SD * targets.scale)

    def spread(self, residuals: np.ndarray) -> float:
        """Return the standard deviation around the prediction: the root of the mean square."""
        return float(np.sqrt(np.mean(np.square(residuals))))


class HuberHead(GaussianHead):
    """The centre of a number some of whose values lie far out, and pull less on it.

    Huber, Annals of Mathematical Statistics 35, 1964, 73-101: a residual costs its square up to one
    standard deviation, and grows linearly beyond. Outliers must not stretch the unit that tells
    what an outlier is, so centre and standard deviation are the median and the median absolute
    deviation (as of a normal distribution), of the target and of the residuals alike: ``sd`` says
    how far most samples lie from the prediction, not how far the outliers do.
    """

    setting = "Huber loss; sd from the median absolute residual"

    def centre(self, fitted: np.ndarray) -> tuple[float, float]:
        """Return the median and the scaled MAD; the standard deviation where the MAD is 0."""
        middle = float(np.median(fitted))
        scale = MAD_TO_SD * float(np.median(np.abs(fitted - middle)))
        return middle, scale if scale > 0 else float(np.std(fitted))

    def loss(self, outputs: Tensor, target: Tensor, weight: Tensor, settings: Settings) -> Tensor:
        """Huber's loss with delta = 1, in standard deviations of the target."""
        size = ops.abs(outputs[..., 0] - target[..., 0])
        near = ops.minimum(size, 1.0)
        return weighted_mean(near * (size - 0.5 * near), weight)

    def spread(self, residuals: np.ndarray) -> float:
        """Return the scaled median of the absolute residuals."""
        return MAD_TO_SD * float(np.median(np.abs(residuals)))
