"""Stacks against brute force, scikit-learn and lifelines, and what the ridge does."""

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.linear_model import HuberRegressor, LinearRegression, LogisticRegression

from omicsfusion.models import stacking
from omicsfusion.models.stacking import (
    Stack,
    class_decisions,
    efron,
    stack_classes,
    stack_hazards,
    stack_numbers,
    stack_numbers_robustly,
)

N, MODELS = 90, 3
SEEDS = pytest.mark.parametrize("seed", range(3))


@pytest.fixture
def no_ridge(monkeypatch):
    """Make the ridge too small to be seen."""
    monkeypatch.setattr(stacking, "RIDGE", 1e-9)


def drawn(seed: int, outputs: int = 1, n: int = N) -> tuple[np.ndarray, np.random.Generator]:
    """Return random decisions, centred over more than one output, and what drew them."""
    rng = np.random.default_rng(seed)
    decisions = rng.normal(size=(n, MODELS, outputs))
    if outputs > 1:
        decisions -= decisions.mean(axis=2, keepdims=True)
    return decisions, rng


def classes_of(scores: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw the class of each sample from its logits, the first of which is made rare."""
    rare = np.eye(scores.shape[1])[0]
    return np.argmax(scores - rare + rng.gumbel(size=scores.shape), axis=1)


def survival_of(risk: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw times, many of them tied, and events."""
    time = np.ceil(6 * rng.exponential(size=len(risk)) * np.exp(-risk))
    return time, (rng.random(len(risk)) < 0.7).astype(float)


def efron_by_hand(risk: np.ndarray, time: np.ndarray, event: np.ndarray) -> float:
    """Efron's formula, one event time after the other."""
    total = 0.0
    for now in np.unique(time[event == 1]):
        dead = (time == now) & (event == 1)
        at_risk, tied = np.exp(risk[time >= now]).sum(), np.exp(risk[dead]).sum()
        shares = np.arange(dead.sum()) / dead.sum()
        total += risk[dead].sum() - np.log(at_risk - shares * tied).sum()
    return -total


def ridge(weights: np.ndarray) -> float:
    return stacking.RIDGE / 2 * np.sum((weights - 1 / MODELS) ** 2)


def require_least(loss, stack: Stack, outputs: int) -> None:
    """Require that another method, which takes no derivatives from us, finds the same minimum."""
    start = np.concatenate([np.full(MODELS, 0.5), np.zeros(outputs)])
    positive = {"type": "ineq", "fun": lambda numbers: numbers[:MODELS]}
    found = minimize(
        loss, start, method="SLSQP", constraints=positive, options={"maxiter": 500, "ftol": 1e-13}
    )
    mine = np.concatenate([stack.weights, stack.intercept])[: len(start)]
    assert (stack.weights >= 0).all()
    assert loss(mine) <= found.fun + 1e-6
    np.testing.assert_allclose(mine, found.x, atol=2e-3)


def test_scores_are_the_intercept_and_the_weighted_decisions():
    decisions, _ = drawn(0, outputs=2)
    stack = Stack(np.array([0.5, 0.0, 2.0]), np.array([1.0, -1.0]))
    expected = [1, -1] + 0.5 * decisions[:, 0] + 2 * decisions[:, 2]
    np.testing.assert_allclose(stack.scores(decisions), expected)


def test_class_decisions_are_centred_log_probabilities_and_finite():
    decisions = class_decisions(np.array([[0.25, 0.25, 0.5], [1.0, 0.0, 0.0], [1 / 3] * 3]))
    np.testing.assert_allclose(decisions.sum(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(decisions[0, 2] - decisions[0, :2], np.log(2))
    assert np.isfinite(decisions).all()
    np.testing.assert_allclose(decisions[2], 0, atol=1e-12)


@SEEDS
def test_classes_are_stacked_as_by_brute_force(seed):
    decisions, rng = drawn(seed, outputs=3)
    codes = classes_of(decisions[:, 0] + 0.5 * decisions[:, 1], rng)

    def loss(numbers):
        weights, intercept = numbers[:MODELS], numbers[MODELS:]
        log_p = log_softmax(np.tensordot(decisions, weights, (1, 0)) + intercept, axis=1)
        of_classes = [log_p[codes == code, code].mean() for code in range(3)]
        return ridge(weights) - N * np.mean(of_classes) + stacking.RIDGE / 2 * np.sum(intercept**2)

    require_least(loss, stack_classes(decisions, codes), 3)


def test_two_classes_are_stacked_as_by_balanced_logistic_regression(no_ridge):
    decisions, rng = drawn(4, outputs=2)
    codes = classes_of(decisions.sum(axis=1), rng)
    stack = stack_classes(decisions, codes)
    logits = decisions[:, :, 1] - decisions[:, :, 0]
    # scikit-learn's way to say that there is no penalty.
    other = LogisticRegression(C=np.inf, class_weight="balanced", tol=1e-8).fit(logits, codes)
    assert (other.coef_ > 0).all()
    np.testing.assert_allclose(stack.weights, other.coef_[0], rtol=1e-3)
    np.testing.assert_allclose(np.diff(stack.intercept), other.intercept_, atol=1e-3)


@SEEDS
def test_the_partial_likelihood_and_its_slope_are_efrons(seed):
    _, rng = drawn(seed)
    risk = rng.normal(size=N)
    time, event = survival_of(risk, rng)
    order = np.argsort(time)
    risk, time, event = risk[order], time[order], event[order]
    value, slope = efron(risk, time, event)
    assert value == pytest.approx(efron_by_hand(risk, time, event), rel=1e-12)
    for row in range(0, N, 7):
        step = 1e-5 * np.eye(N)[row]
        moved = [efron_by_hand(risk + way * step, time, event) for way in (1, -1)]
        assert slope[row] == pytest.approx((moved[0] - moved[1]) / 2e-5, abs=1e-6)


@SEEDS
def test_hazards_are_stacked_as_by_brute_force(seed):
    decisions, rng = drawn(seed)
    time, event = survival_of(decisions[:, 1, 0], rng)
    stack = stack_hazards(decisions, time, event)
    assert stack.intercept.tolist() == [0.0]

    def loss(weights):
        return efron_by_hand(decisions[:, :, 0] @ weights, time, event) + ridge(weights)

    require_least(loss, stack, 0)


def test_hazards_are_stacked_as_by_lifelines(no_ridge):
    decisions, rng = drawn(5)
    time, event = survival_of(decisions[:, :, 0].sum(axis=1), rng)
    table = pd.DataFrame(decisions[:, :, 0]).assign(time=time, event=event)
    other = CoxPHFitter().fit(table, "time", "event").params_.to_numpy()
    assert (other > 0).all()
    np.testing.assert_allclose(stack_hazards(decisions, time, event).weights, other, rtol=1e-4)


@SEEDS
@pytest.mark.parametrize("robust", [False, True], ids=["squares", "huber"])
def test_numbers_are_stacked_as_by_brute_force(seed, robust):
    decisions, rng = drawn(seed)
    decisions = 30 * decisions
    truth = 100 + decisions[:, 0, 0] + 0.5 * decisions[:, 1, 0] + 20 * rng.normal(size=N)
    truth[:5] += 1000 * robust
    unit = 30.0

    def loss(numbers):
        error = (decisions[:, :, 0] @ numbers[:MODELS] + 30 * numbers[MODELS] - truth) / unit
        size = np.abs(error)
        costs = np.where(size < 1, size**2 / 2, size - 0.5) if robust else size**2 / 2
        return costs.sum() + ridge(numbers[:MODELS])

    stack = (stack_numbers_robustly if robust else stack_numbers)(decisions, truth, unit)
    require_least(loss, Stack(stack.weights, stack.intercept / 30), 1)


def test_numbers_are_stacked_as_by_least_squares_without_negative_slopes(no_ridge):
    decisions, rng = drawn(6)
    truth = 5 + decisions[:, 0, 0] - 0.5 * decisions[:, 1, 0] + rng.normal(size=N)
    stack = stack_numbers(decisions, truth, unit=2.0)
    other = LinearRegression(positive=True).fit(decisions[:, :, 0], truth)
    assert stack.weights[1] == 0
    np.testing.assert_allclose(stack.weights, other.coef_, atol=1e-6)
    np.testing.assert_allclose(stack.intercept, other.intercept_, rtol=1e-6)


def test_outliers_pull_the_robust_stack_no_more_than_scikit_learns(no_ridge):
    decisions, rng = drawn(7)
    truth = 5 + decisions[:, :, 0].sum(axis=1) + 0.5 * rng.normal(size=N)
    truth[:8] += 500
    stack = stack_numbers_robustly(decisions, truth, unit=1.0)
    # Huber's loss with the scale held: scikit-learn estimates it, so that its own is put in here.
    other = HuberRegressor(alpha=0, epsilon=1.35, tol=1e-9, max_iter=1000)
    other.fit(decisions[:, :, 0], truth)
    same = stack_numbers_robustly(decisions, truth, unit=1.35 * other.scale_)
    np.testing.assert_allclose(same.weights, other.coef_, rtol=1e-3)
    assert np.abs(stack.weights - 1).max() < 0.3
    # Least squares loses the models altogether.
    assert stack_numbers(decisions, truth, unit=1.0).weights.max() < 0.1


def stacks_of_all_tasks(n: int, seed: int = 8) -> dict[str, Stack]:
    """Stack a model that knows the truth and two that know nothing, for each task."""
    one, rng = drawn(seed, n=n)
    three, _ = drawn(seed, outputs=3, n=n)
    truth = one[:, 0, 0] + 0.5 * rng.normal(size=n)
    return {
        "classes": stack_classes(three, classes_of(three[:, 0], rng)),
        "hazards": stack_hazards(one, *survival_of(one[:, 0, 0], rng)),
        "numbers": stack_numbers(one, truth, unit=float(np.std(truth))),
        "robust": stack_numbers_robustly(one, truth, unit=float(np.std(truth))),
    }


def test_the_model_that_knows_gets_the_weight():
    for task, stack in stacks_of_all_tasks(n=2000).items():
        assert 0.8 < stack.weights[0] < 1.3, task
        assert (stack.weights[1:] < 0.1).all(), task


def test_a_strong_ridge_makes_weights_equal_and_a_weak_one_does_not(monkeypatch):
    monkeypatch.setattr(stacking, "RIDGE", 1e6)
    for stack in stacks_of_all_tasks(n=N).values():
        np.testing.assert_allclose(stack.weights, 1 / MODELS, atol=1e-3)
    monkeypatch.setattr(stacking, "RIDGE", 1e-3)
    assert all(np.ptp(stack.weights) > 0.5 for stack in stacks_of_all_tasks(n=N).values())


def test_a_model_that_says_nothing_of_anyone_leaves_the_others_as_they_would_be(no_ridge):
    decisions, rng = drawn(9)
    truth = decisions[:, 0, 0] + 0.3 * decisions[:, 2, 0] + rng.normal(size=N)
    silent = decisions.copy()
    silent[:, 1] = 0
    time, event = survival_of(truth, rng)
    for stack in (stack_numbers, stack_numbers_robustly):
        of_two = stack(decisions[:, [0, 2]], truth, 1.0)
        of_three = stack(silent, truth, 1.0)
        np.testing.assert_allclose(of_three.weights[[0, 2]], of_two.weights, atol=1e-5)
    of_two = stack_hazards(decisions[:, [0, 2]], time, event)
    np.testing.assert_allclose(
        stack_hazards(silent, time, event).weights[[0, 2]], of_two.weights, atol=1e-5
    )


def test_a_separable_training_set_gets_finite_weights():
    codes = np.repeat([0, 1], 20)
    decisions = np.zeros((40, MODELS, 2))
    decisions[:, 0] = 5 * (np.eye(2)[codes] - 0.5)
    stack = stack_classes(decisions, codes)
    assert 0 < stack.weights[0] < 5
    assert np.isfinite(stack.intercept).all()
