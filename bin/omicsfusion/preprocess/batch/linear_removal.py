"""Step: subtract the shift of each batch, as a linear model finds it."""

from typing import ClassVar

import numpy as np

from omicsfusion.preprocess.batch.correction import BatchCorrection
from omicsfusion.preprocess.batch.moments import Moments


class LinearRemoval(BatchCorrection):
    """Shift of each batch, as a linear model of batch and covariates finds it.

    What limma's ``removeBatchEffect`` does (Ritchie et al., Nucleic Acids Res 43:e47, 2015): the
    batches' effects add up to zero, so that each batch counts alike, and are subtracted. Nothing is
    shrunk, and no scale is changed.

    Attributes
    ----------
    effect_
        What is subtracted, features x groups; 0 where a feature is not known in a batch.
    """

    state: ClassVar[tuple[str, ...]] = (*BatchCorrection.state, "effect_")
    feature_state: ClassVar[tuple[str, ...]] = (*BatchCorrection.feature_state, "effect_")
    per_feature = True
    name = "Linear removal"

    def _learn(self, moments: Moments) -> None:
        there = moments.known > 0
        self.coefficients_ = moments.coefficients
        n = np.maximum(there.sum(axis=1), 1)
        self.centre_ = np.where(there, moments.mean, 0).sum(axis=1) / n
        self.effect_ = self._effects(moments)

    def _learn_new(self, moments: Moments) -> None:
        self.effect_ = np.column_stack([self.effect_, self._effects(moments)])

    def _effects(self, moments: Moments) -> np.ndarray:
        return np.where(moments.known > 0, moments.mean - self.centre_[:, None], 0.0)

    def _corrected(self, X: np.ndarray, group: int, encoded: np.ndarray) -> np.ndarray:
        return X - self.effect_[:, group]
