"""Penalised multinomial regression is what scikit-learn computes, only quicker."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from omicsfusion.models.coefficients import rotated
from omicsfusion.models.logistic import (
    balanced_log_likelihood,
    balanced_weights,
    elastic_net_path,
    largest_strength,
    ridge_path,
)


def cohort(n: int, p: int, classes: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    scores = x[:, : 2 * classes] @ rng.normal(size=(2 * classes, classes))
    return x, (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)


def sklearn_fit(x: np.ndarray, codes: np.ndarray, strength: float, l1_ratio: float) -> np.ndarray:
    """Coefficients by scikit-learn, sample x class as one weight vector per class."""
    model = LogisticRegression(
        C=1 / (strength * len(x)),
        l1_ratio=l1_ratio,
        solver="saga" if l1_ratio else "lbfgs",
        tol=1e-8,
        max_iter=50_000,
        class_weight="balanced",
    )
    return model.fit(x, codes).coef_.T


@pytest.mark.parametrize(("n", "p"), [(60, 10), (40, 90)])
def test_ridge_gives_the_weights_of_scikit_learn_also_when_there_are_more_columns_than_rows(
    n: int, p: int
) -> None:
    x, codes = cohort(n, p, classes=3)
    for strength, fitted in zip(
        (1.0, 0.1), ridge_path(x, codes, balanced_weights(codes), (1.0, 0.1)), strict=True
    ):
        np.testing.assert_allclose(fitted.weights, sklearn_fit(x, codes, strength, 0), atol=2e-4)


def test_ridge_of_two_classes_gives_their_difference() -> None:
    x, codes = cohort(50, 8, classes=2)
    (fitted,) = ridge_path(x, codes, balanced_weights(codes), [0.1])
    expected = sklearn_fit(x, codes, 0.1, 0)
    np.testing.assert_allclose(fitted.weights @ [-1, 1], expected[:, 0], atol=2e-4)
    np.testing.assert_allclose(fitted.weights.sum(axis=1), 0, atol=1e-12)


@pytest.mark.parametrize("l1_ratio", [0.1, 0.5, 1.0])
def test_the_elastic_net_gives_the_objective_of_scikit_learn(l1_ratio: float) -> None:
    x, codes = cohort(60, 100, classes=3)
    weights = balanced_weights(codes)
    strength = 0.2 * largest_strength(x, codes, weights) / l1_ratio

    def objective(b: np.ndarray, intercept: np.ndarray) -> float:
        penalty = l1_ratio * np.abs(b).sum() + (1 - l1_ratio) / 2 * (b**2).sum()
        return -balanced_log_likelihood(x @ b + intercept, codes) + strength * penalty

    ours = elastic_net_path(x, codes, weights, [3 * strength, strength], l1_ratio)[-1]
    theirs = LogisticRegression(
        C=1 / (strength * len(x)),
        l1_ratio=l1_ratio,
        solver="saga",
        tol=1e-8,
        max_iter=50_000,
        class_weight="balanced",
    ).fit(x, codes)
    best = objective(theirs.coef_.T, theirs.intercept_)
    assert best - 1e-6 <= objective(ours.weights, ours.intercept) <= best * 1.001
    kept = np.abs(theirs.coef_.T) > 0.05 * np.abs(theirs.coef_).max()
    assert (np.sign(ours.weights[kept]) == np.sign(theirs.coef_.T[kept])).all()


def test_at_the_largest_strength_all_weights_are_zero_and_just_below_one_is_not() -> None:
    x, codes = cohort(60, 30, classes=3)
    weights = balanced_weights(codes)
    largest = largest_strength(x, codes, weights)
    at, below = elastic_net_path(x, codes, weights, [largest, 0.8 * largest], 1.0)
    assert not at.weights.any()
    assert below.weights.any()


def test_each_class_weighs_the_same() -> None:
    codes = np.array([0, 0, 0, 1, 2, 2])
    weights = balanced_weights(codes)
    assert np.bincount(codes, weights=weights) == pytest.approx([1 / 3] * 3)


def test_a_rotation_keeps_all_products_of_rows() -> None:
    x = np.random.default_rng(0).normal(size=(7, 30))
    z, turn = rotated(x)
    np.testing.assert_allclose(z @ z.T, x @ x.T, atol=1e-10)
    np.testing.assert_allclose(x @ turn, z, atol=1e-10)
    np.testing.assert_allclose(turn.T @ turn, np.eye(turn.shape[1]), atol=1e-10)
