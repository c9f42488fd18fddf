"""Discrete hazards against a case by hand, statsmodels' logistic regression, and Cox."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.special import expit
from scipy.stats import spearmanr

from omicsfusion.models.heads.discrete_hazards import (
    interval_ends,
    logistic_hazard,
    survived_intervals,
)
from omicsfusion.models.links import USUAL_LOGIT, average_members


def loss(logits: np.ndarray, survived: np.ndarray, event: np.ndarray) -> np.ndarray:
    outputs = logits - USUAL_LOGIT
    return np.asarray(logistic_hazard(outputs[None], survived[None], event[None]))[0]


def test_three_samples_and_two_intervals_by_hand():
    # Intervals (0, 2] and (2, 6]. A dies at 1, B is censored at 5, past the middle of the second
    # interval, C dies at 6.
    ends = np.array([2.0, 6.0])
    survived, event = survived_intervals(np.array([1.0, 5.0, 6.0]), np.array([1, 0, 1]), ends).T
    assert survived.tolist() == [0, 2, 1]
    assert event.tolist() == [1, 0, 1]
    hazard = np.array([[0.2, 0.5], [0.1, 0.3], [0.25, 0.6]])
    likelihood = [0.2, 0.9 * 0.7, 0.75 * 0.6]
    logits = np.log(hazard / (1 - hazard))
    np.testing.assert_allclose(loss(logits, survived, event), -np.log(likelihood), rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_the_likelihood_is_that_of_a_logistic_regression_on_a_row_for_each_interval_at_risk(seed):
    rng = np.random.default_rng(seed)
    n = 120
    x = rng.normal(size=n)
    time, event = rng.exponential(np.exp(-x)), (rng.random(n) < 0.6).astype(int)
    ends = interval_ends(time[event == 1])
    start = np.concatenate([[0.0], ends[:-1]])
    rows = []
    for i in range(n):
        for j, (left, right) in enumerate(zip(start, ends, strict=True)):
            died = event[i] == 1 and left < time[i] <= right
            lived = time[i] > right if event[i] == 1 else time[i] >= (left + right) / 2
            if died or lived:
                rows.append((i, j, float(died)))
    table = pd.DataFrame(rows, columns=["sample", "interval", "died"])
    design = np.column_stack([np.eye(len(ends))[table["interval"]], x[table["sample"]]])
    parameters = rng.normal(size=len(ends) + 1)
    expected = sm.Logit(table["died"].to_numpy(), design).loglike(parameters)
    logits = parameters[:-1][None, :] + parameters[-1] * x[:, None]
    survived, happened = survived_intervals(time, event, ends).T
    assert -loss(logits, survived, happened).sum() == pytest.approx(expected, rel=1e-10)


def test_the_gradient_is_expected_less_observed_events():
    rng = np.random.default_rng(5)
    import tensorflow as tf

    logits = rng.normal(size=(40, 4))
    ends = np.array([1.0, 2.0, 3.0, 4.0])
    time, event = 5 * rng.random(40), (rng.random(40) < 0.5).astype(int)
    survived, happened = survived_intervals(time, event, ends).T
    outputs = tf.constant(logits[None] - USUAL_LOGIT)
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        value = tf.reduce_sum(logistic_hazard(outputs, survived[None], happened[None]))
    interval = np.arange(4)
    died = (interval == survived[:, None]) & (happened[:, None] == 1)
    at_risk = (interval < survived[:, None]) | died
    expected = at_risk * expit(logits) - died
    np.testing.assert_allclose(tape.gradient(value, outputs)[0], expected, atol=1e-12)


def test_under_proportional_hazards_the_risk_is_the_log_hazard_ratio_up_to_a_constant():
    rng = np.random.default_rng(6)
    ratio = rng.normal(size=50)
    baseline = 0.05 * rng.random(10) + 0.01
    hazard = -np.expm1(-baseline[None, :] * np.exp(ratio)[:, None])
    raw = np.log(hazard / (1 - hazard)) - USUAL_LOGIT
    scale = np.arange(10, 0, -1) / 10
    risk = np.asarray(average_members(raw[None], "log_hazard", np.zeros(1), scale))[:, 0]
    np.testing.assert_allclose(risk - risk.mean(), ratio - ratio.mean(), rtol=1e-9, atol=1e-9)
    assert spearmanr(risk, ratio).statistic == pytest.approx(1)
