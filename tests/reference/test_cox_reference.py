"""The Cox loss against lifelines, and its gradient against a difference quotient in float64."""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from lifelines import CoxPHFitter

from omicsfusion.models.heads.hazards import cox_efron


def tied_data(seed: int, n: int = 80) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return covariates, times with many ties, and events."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    time = np.ceil(6 * rng.exponential(size=n) * np.exp(-x[:, 0]))
    return x, time, (rng.random(n) < 0.6).astype(float)


def loss(risk, time, event, weight=None, dtype=np.float64):
    arrays = [risk, time, event, np.ones_like(time) if weight is None else weight]
    return np.asarray(cox_efron(*(tf.constant(a[None], dtype) for a in arrays)))[0]


def by_hand(risk: np.ndarray, time: np.ndarray, event: np.ndarray) -> float:
    """Efron's formula, one event time after the other."""
    total = 0.0
    for now in np.unique(time[event == 1]):
        dead = (time == now) & (event == 1)
        at_risk, tied = np.exp(risk[time >= now]).sum(), np.exp(risk[dead]).sum()
        shares = np.arange(dead.sum()) / dead.sum()
        total += risk[dead].sum() - np.log(at_risk - shares * tied).sum()
    return -total / event.sum()


@pytest.mark.parametrize("seed", range(3))
def test_the_loss_is_lifelines_log_likelihood_with_ties_after_efron(seed):
    x, time, event = tied_data(seed)
    table = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "time": time, "event": event})
    fitted = CoxPHFitter().fit(table, "time", "event")
    risk = (x - x.mean(axis=0)) @ fitted.params_.to_numpy()
    assert loss(risk, time, event) * event.sum() == pytest.approx(-fitted.log_likelihood_, rel=1e-9)
    single = loss(risk, time, event, dtype=np.float32)
    assert single == pytest.approx(loss(risk, time, event), rel=1e-5)


def test_the_gradient_vanishes_where_lifelines_found_the_maximum():
    x, time, event = tied_data(5)
    table = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "time": time, "event": event})
    fitted = CoxPHFitter().fit(table, "time", "event")
    beta = tf.constant(fitted.params_.to_numpy())
    with tf.GradientTape() as tape:
        tape.watch(beta)
        risk = tf.linalg.matvec(tf.constant(x), beta)[None]
        value = cox_efron(risk, *(tf.constant(a[None]) for a in (time, event, np.ones_like(time))))
    slope = np.asarray(tape.gradient(value, beta)) * event.sum()
    # What is left to gain, in units of log-likelihood: lifelines stops when it is below 1e-7.
    assert slope @ fitted.variance_matrix_.to_numpy() @ slope / 2 < 1e-7
    assert np.abs(slope).max() > 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_gradient_is_the_difference_quotient_of_the_formula(dtype):
    x, time, event = tied_data(6, n=30)
    risk = 2 * x[:, 0]
    leaf = tf.constant(risk[None], dtype)
    with tf.GradientTape() as tape:
        tape.watch(leaf)
        others = (tf.constant(a[None], dtype) for a in (time, event, np.ones_like(time)))
        value = cox_efron(leaf, *others)
    steps = 1e-5 * np.eye(len(risk))
    quotient = [
        (by_hand(risk + step, time, event) - by_hand(risk - step, time, event)) / 2e-5
        for step in steps
    ]
    tolerance = 1e-5 if dtype == np.float32 else 1e-8
    np.testing.assert_allclose(tape.gradient(value, leaf)[0], quotient, atol=tolerance)


def test_rows_of_padding_and_the_order_of_rows_do_not_matter():
    x, time, event = tied_data(7)
    risk = x[:, 0]
    alone = loss(risk, time, event)
    padded = [
        np.concatenate([a, np.full(5, junk)]) for a, junk in ((risk, 50), (time, 3), (event, 1))
    ]
    weight = np.concatenate([np.ones(len(time)), np.zeros(5)])
    mixed = np.random.default_rng(8).permutation(len(weight))
    result = loss(*(a[mixed] for a in padded), weight[mixed])
    assert result == pytest.approx(alone, rel=1e-12)


def test_extreme_risks_stay_finite_and_no_event_costs_nothing():
    x, time, event = tied_data(9)
    assert np.isfinite(loss(300 * x[:, 0], time, event, dtype=np.float32))
    assert loss(x[:, 0], time, np.zeros_like(event)) == 0
