"""Mean and spread of each feature in each batch, with the effect of covariates taken out.

Features are rows here: a sum over the samples of a contiguous row rounds in the same way whatever
other features stand beside it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

# Features that are worked on at a time: some ten MB for a thousand samples.
BLOCK = 1024
# A spread below this share of a feature's largest value is rounding.
ROUNDING = 1e-10
# Sums of squares of standardised covariates within batches, for each sample: below this, none.
COLLINEAR = 1e-9


@dataclass(frozen=True)
class Moments:
    """Of each feature in each batch.

    Attributes
    ----------
    known
        Number of known values, features x batches.
    mean
        Their mean after the covariates' effect is taken out, features x batches; 0 where none is
        known.
    squares
        Sum of squared distances from that mean, features x batches; 0 where it is rounding only.
    coefficients
        Effect of each encoded covariate, features x columns.
    """

    known: np.ndarray
    mean: np.ndarray
    squares: np.ndarray
    coefficients: np.ndarray


def estimate_moments(
    X: np.ndarray, group: np.ndarray, covariates: np.ndarray, coefficients: np.ndarray | None = None
) -> Moments:
    """Fit ``value = batch + covariates`` to each feature by least squares over its known values.

    The batches' intercepts are swept out first (Frisch and Waugh, Econometrica 1:387, 1933), so
    that only a system as large as the number of covariates is solved for each feature. What the
    covariates share with the batches, or with each other, has no unique solution: the shortest is
    taken, so that an effect that only differs between batches is left to the batches.

    Parameters
    ----------
    X
        Samples x features; NaN where missing.
    group
        Number of each sample's batch: 0, 1, and so on, each at least once.
    covariates
        Samples x columns, on a scale of about 1.
    coefficients
        Known effects, features x columns; None: estimated here.
    """
    parts = [
        _of_block(
            np.ascontiguousarray(X[:, block].T),
            group,
            covariates,
            None if coefficients is None else coefficients[block],
        )
        for block in _blocks(X.shape[1])
    ]
    return Moments(*(np.concatenate([part[k] for part in parts]) for k in range(4)))


def _blocks(n_features: int) -> Iterator[slice]:
    # At least one, so that there is something to concatenate.
    for start in range(0, max(n_features, 1), BLOCK):
        yield slice(start, min(start + BLOCK, n_features))


def _of_block(
    Y: np.ndarray, group: np.ndarray, covariates: np.ndarray, coefficients: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    known = ~np.isnan(Y)
    Y = np.where(known, Y, 0.0)
    magnitude = np.abs(Y).max(axis=1, initial=0)
    if coefficients is None:
        coefficients = _coefficients(Y, known, group, covariates)
    for column, effect in zip(covariates.T, coefficients.T, strict=True):
        Y = Y - effect[:, None] * column
    found = []
    for number in range(group.max() + 1):
        rows = np.flatnonzero(group == number)
        there = np.ascontiguousarray(known[:, rows]).astype(float)
        values = np.ascontiguousarray(Y[:, rows])
        n = there.sum(axis=1)
        mean = (values * there).sum(axis=1) / np.maximum(n, 1)
        squares = (((values - mean[:, None]) * there) ** 2).sum(axis=1)
        squares[squares <= n * (ROUNDING * magnitude) ** 2] = 0
        found.append((n, mean, squares))
    n, mean, squares = (np.column_stack(columns) for columns in zip(*found, strict=True))
    return n, mean, squares, coefficients


def _coefficients(
    Y: np.ndarray, known: np.ndarray, group: np.ndarray, covariates: np.ndarray
) -> np.ndarray:
    """Solve the normal equations of the covariates, swept of the batches' intercepts."""
    width = covariates.shape[1]
    product = np.zeros((len(Y), width, width))
    target = np.zeros((len(Y), width))
    if not width:
        return target
    for number in range(group.max() + 1):
        rows = np.flatnonzero(group == number)
        there = np.ascontiguousarray(known[:, rows]).astype(float)
        n = np.maximum(there.sum(axis=1), 1)[:, None]
        swept = [
            (column - (there * column).sum(axis=1, keepdims=True) / n) * there
            for column in covariates[rows].T
        ]
        values = np.ascontiguousarray(Y[:, rows])
        values = (values - (values * there).sum(axis=1, keepdims=True) / n) * there
        for i in range(width):
            target[:, i] += (swept[i] * values).sum(axis=1)
            for j in range(i + 1):
                product[:, i, j] += (swept[i] * swept[j]).sum(axis=1)
    # eigh reads the lower triangle only.
    sizes, axes = np.linalg.eigh(product)
    usable = sizes > COLLINEAR * np.maximum(known.sum(axis=1), 1)[:, None]
    along = (axes * target[:, :, None]).sum(axis=1)
    along = np.where(usable, along / np.where(usable, sizes, 1), 0)
    return np.ascontiguousarray((axes * along[:, None, :]).sum(axis=2))
