"""Ordered classes: what the cut-points make of a score."""

import numpy as np
import pytest
import tensorflow as tf

from omicsfusion.models.families.fused import FusedNetwork
from omicsfusion.models.heads.choice import head_for
from omicsfusion.models.heads.ordinal import (
    OrderedClasses,
    first_steps,
    ordered_log_probabilities,
)
from omicsfusion.models.layers import MemberDense
from tests.network_cohort import open_cohort, write_cohort

WIDTHS = {"mirna": 3, "rna": 5}
MEMBERS = 2


def random_network(ranks=(2, 0, 1)) -> OrderedClasses:
    network = OrderedClasses(FusedNetwork(WIDTHS, 1, MEMBERS), ranks)
    network.build()
    rng = np.random.default_rng(0)
    for variable in network.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    return network


def inputs(rows: int = 6) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(1)
    x = {n: rng.normal(size=(MEMBERS, rows, w)).astype(np.float32) for n, w in WIDTHS.items()}
    return x, np.ones((MEMBERS, rows, 2), np.float32)


@pytest.mark.parametrize("classes", [2, 3, 6])
def test_probabilities_are_none_negative_and_sum_to_one_even_far_out(classes):
    rng = np.random.default_rng(classes)
    score = np.array([[-500, -40, -1, 0, 2, 40, 500]], np.float32)
    steps = 30 * rng.normal(size=(1, classes - 1)).astype(np.float32)
    log_p = np.asarray(ordered_log_probabilities(score, steps))
    assert np.isfinite(log_p).all()
    np.testing.assert_allclose(np.exp(log_p).sum(axis=-1), 1, rtol=1e-5)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_at_the_start_all_classes_are_equally_probable(classes):
    steps = first_steps(classes)[None].astype(np.float32)
    log_p = ordered_log_probabilities(np.zeros((1, 1), np.float32), steps)
    np.testing.assert_allclose(np.exp(log_p), 1 / classes, rtol=1e-5)


def test_the_odds_of_the_lower_classes_change_by_one_factor_at_every_cut():
    steps = np.array([[-0.7, 0.4, 1.1]], np.float32)
    p = np.exp(np.asarray(ordered_log_probabilities(np.array([[0.3, 1.8]], np.float32), steps)))[0]
    lower = p.cumsum(axis=-1)[:, :-1]
    odds = lower / (1 - lower)
    np.testing.assert_allclose(odds[0] / odds[1], np.exp(1.5), rtol=1e-4)


def test_a_higher_score_means_a_higher_class_wherever_its_name_stands():
    network = random_network(ranks=(2, 0, 1))
    x, present = inputs()
    score = np.asarray(network.network(x, present))[..., 0]
    p = np.exp(np.asarray(network(x, present)))
    expected_rank = p @ np.array([2.0, 0.0, 1.0])
    for m in range(MEMBERS):
        np.testing.assert_array_equal(np.argsort(score[m]), np.argsort(expected_rank[m]))
    flipped = np.exp(np.asarray(ordered_log_probabilities(score, network.steps)))
    np.testing.assert_allclose(p, flipped[..., [2, 0, 1]], rtol=1e-6)


def test_the_cut_points_hang_on_no_feature_and_each_member_has_its_own():
    network = random_network()
    assert [v.path for v in network.trainable_variables if v.name == "steps"] == ["ordered/steps"]
    assert network.steps.shape == (MEMBERS, 2)
    assert all(isinstance(r, MemberDense) for rs in network.readers.values() for r in rs)
    x, present = inputs()
    before = np.asarray(network(x, present))
    network.steps.assign(np.asarray(network.steps) + np.array([[0.0], [1.0]]))
    after = np.asarray(network(x, present))
    np.testing.assert_array_equal(before[0], after[0])
    assert not np.allclose(before[1], after[1])


def test_the_gradient_of_the_log_probabilities_is_their_difference_quotient():
    score = np.array([[-1.3, 0.2, 2.0]])
    steps = np.array([[-0.5, 0.3, -1.0]])
    weight = np.random.default_rng(4).normal(size=(1, 3, 4))

    def value(score, steps):
        return np.sum(weight * np.asarray(ordered_log_probabilities(score, steps)))

    leaves = tf.constant(score), tf.constant(steps)
    with tf.GradientTape() as tape:
        tape.watch(leaves)
        total = tf.reduce_sum(weight * ordered_log_probabilities(*leaves))
    slopes = [np.asarray(slope) for slope in tape.gradient(total, leaves)]
    h = 1e-6
    for column in range(3):
        move = h * np.eye(3)[[column]]
        of_score = (value(score + move, steps) - value(score - move, steps)) / (2 * h)
        of_steps = (value(score, steps + move) - value(score, steps - move)) / (2 * h)
        assert slopes[0][0, column] == pytest.approx(of_score, rel=1e-6)
        assert slopes[1][0, column] == pytest.approx(of_steps, rel=1e-6)


def test_the_head_says_the_order_and_keeps_the_classes_sorted(tmp_path):
    write_cohort(tmp_path, "classification")
    _, outcome = open_cohort(tmp_path, "classification")
    head = head_for(outcome, class_order=("low", "middle", "high"))
    assert "low < middle < high" in head.setting
    assert head.names == ("high", "low", "middle")
    network = head.completed(FusedNetwork)(WIDTHS, head.units, MEMBERS)
    assert network.ranks == [2, 0, 1]
