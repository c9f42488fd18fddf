"""Classes: their probabilities, trained by cross-entropy under balanced class weights."""

import numpy as np

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.cohort import ScopeData
from omicsfusion.models.fit import class_columns, predicted_rows
from omicsfusion.models.heads.base import (
    Head,
    Settings,
    Targets,
    UntrainableError,
    no_unit,
    weighted_mean,
)
from omicsfusion.tables.outcome import Outcome

ops = keras.ops

SMALLEST_DOUBT = 1e-7
"""Least 1 - p of the true class: its power of zero has a gradient."""


class SoftmaxHead(Head):
    """Class probabilities; every class weighs the same in the loss, however rare it is.

    The probabilities are those of a population in which all classes are equally common (ASSESS
    turns them into those of the training samples' population). Two settings change the loss:
    ``label_smoothing`` a spreads a share a of the truth over all classes (Szegedy et al., CVPR
    2016, section 7), ``focal`` c multiplies a sample's loss by (1 - p)^c, p the probability of its
    class (Lin et al., ICCV 2017, equation 4). At 0 both leave the cross-entropy as it is.
    """

    link = "softmax"
    setting = "balanced class weights (probabilities as if all classes were equally common)"

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.units = len(outcome.classes)
        self.names = outcome.classes

    def targets(self, data: ScopeData) -> Targets:
        """Encode classes; weights are n / (classes x samples of the class), of ``train`` rows."""
        codes = self.outcome.class_codes(list(data.samples))
        train = codes[data.rows("train")]
        counts = np.bincount(train[train >= 0], minlength=self.units)
        if np.count_nonzero(counts) < 2:
            raise UntrainableError("The samples to fit on are all of one class.")
        share = counts.sum() / np.count_nonzero(counts)
        of_class = np.where(counts > 0, share / np.maximum(counts, 1), 0.0)
        weight = np.where(codes >= 0, of_class[codes], 0.0)
        stop = data.rows("stop")
        return Targets(
            values=np.maximum(codes, 0)[:, None].astype(np.float32),
            weight=weight.astype(np.float32),
            strata=codes,
            kinds=np.maximum(codes, 0),
            stops=len(np.unique(codes[stop][weight[stop] > 0])) > 1,
            note=self._shares(counts),
        )

    def _shares(self, counts: np.ndarray) -> str:
        shares = zip(self.names, counts / counts.sum(), strict=True)
        return "shares of the classes fitted on: " + ", ".join(f"{n} {s:.3g}" for n, s in shares)

    def loss(self, outputs: Tensor, target: Tensor, weight: Tensor, settings: Settings) -> Tensor:
        """Weighted cross-entropy, smoothed and focused as the settings say, per unit of weight."""
        truth = ops.one_hot(ops.cast(target[..., 0], "int32"), self.units, dtype=outputs.dtype)
        log_p = ops.log_softmax(outputs, axis=-1)
        smoothing = settings["label_smoothing"][:, None, None]
        wanted = (1.0 - smoothing) * truth + smoothing / self.units
        entropy = -ops.sum(wanted * log_p, axis=-1)
        doubt = -ops.expm1(ops.sum(truth * log_p, axis=-1))
        focus = ops.power(ops.maximum(doubt, SMALLEST_DOUBT), settings["focal"][:, None])
        return weighted_mean(focus * entropy, weight)

    def unit(
        self, raw: np.ndarray, data: ScopeData, targets: Targets
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return zeros and ones: probabilities have no unit."""
        return no_unit(self.units, self.units)

    def columns(
        self, raw: np.ndarray, prediction: np.ndarray, data: ScopeData, targets: Targets
    ) -> dict[str, np.ndarray]:
        """Return ``p_<class>``."""
        return class_columns(prediction[predicted_rows(data)], self.outcome)
