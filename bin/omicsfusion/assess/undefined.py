"""Arithmetic in which what is not defined is NaN and stays out of means, without warnings."""

import numpy as np


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Divide element by element; NaN where the denominator is 0."""
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    result = np.full(numerator.shape, np.nan)
    return np.divide(numerator, denominator, out=result, where=denominator != 0)


def mean_of_defined(values: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Average over the last axis what is not NaN, with weights or without; NaN where nothing is."""
    defined = ~np.isnan(values)
    share = defined * (1.0 if weights is None else weights)
    return ratio((np.where(defined, values, 0.0) * share).sum(axis=-1), share.sum(axis=-1))
