"""What a linear model is once it is fitted, and the rotation that makes wide ridge fits quick."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Coefficients:
    """A linear predictor.

    Attributes
    ----------
    weights
        Columns of the design x outputs.
    intercept
        One per output.
    """

    weights: np.ndarray
    intercept: np.ndarray

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Return the linear predictors of samples (rows of ``x``), samples x outputs."""
        return x @ self.weights + self.intercept


def rotated(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotate a wide matrix into as many columns as it has rows.

    A ridge penalty does not see a rotation, and the optimal weights lie in the space of the rows
    (Hastie and Tibshirani 2004, Biostatistics 5:329), so fitting ``z`` and turning the weights back
    by ``turn`` is exact.

    Returns
    -------
    ``z`` (rows x rank) and ``turn`` (columns x rank): ``z = x @ turn``, ``turn`` orthonormal.
    """
    if x.shape[0] >= x.shape[1]:
        return x, np.eye(x.shape[1])
    values, vectors = np.linalg.eigh(x @ x.T)
    kept = values > values[-1] * len(x) * np.finfo(float).eps
    root = np.sqrt(values[kept])
    return vectors[:, kept] * root, x.T @ (vectors[:, kept] / root)
