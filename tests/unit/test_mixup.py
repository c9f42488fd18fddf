"""Mixup: who is mixed with whom, and that no mixing is no difference."""

from dataclasses import replace

import numpy as np
import pytest

from omicsfusion.models import training
from omicsfusion.models.batches import asked_by, dealt_epoch
from omicsfusion.models.dealing import Member
from omicsfusion.models.families.fused import FusedNetwork
from omicsfusion.models.heads.base import weighted_mean
from omicsfusion.models.mixup import mixed, pairs, patterns_of, shuffled_within
from omicsfusion.models.settings import DEFAULTS
from omicsfusion.models.training import Table, Trainer
from omicsfusion.models.weight_vector import packed

ROWS, BATCH = 40, 16
WIDTHS = {"mirna": 3, "rna": 6}


def squared_error(outputs, target, weight, settings):
    return weighted_mean((outputs[..., 0] - target[..., 0]) ** 2, weight)


def a_table() -> Table:
    rng = np.random.default_rng(0)
    x = {name: rng.normal(size=(ROWS, width)).astype(np.float32) for name, width in WIDTHS.items()}
    present = np.ones((ROWS, 2), np.float32)
    present[::3, 0] = 0
    x["mirna"][::3] = 0
    target = x["rna"][:, :1] + 0.1 * rng.normal(size=(ROWS, 1)).astype(np.float32)
    return Table(x=x, present=present, target=target, weight=np.ones(ROWS, np.float32))


@pytest.fixture(scope="module")
def network() -> FusedNetwork:
    network = FusedNetwork(WIDTHS, units=1, members=2)
    network.build()
    return network


def member(network: FusedNetwork, seed: int, mixup: float) -> Member:
    names = {name: range(width) for name, width in WIDTHS.items()}
    return Member(
        seed=seed,
        train=np.arange(30),
        stop=np.arange(30, ROWS),
        strata=np.zeros(30),
        stops=False,
        settings={**DEFAULTS, "mixup": mixup},
        constants=network.constants(names, DEFAULTS),
    )


@pytest.fixture(scope="module")
def trainer(network) -> Trainer:
    return Trainer(network, squared_error, BATCH, stop_rows=10, max_steps=2, mixes=True)


def largest_difference(one, other) -> float:
    return max(np.abs(a - b).max() for a, b in zip(one.weights, other.weights, strict=True))


def test_a_shuffle_stays_within_the_groups_and_reaches_everyone():
    groups = np.array([0, 1, 0, 2, 1, 0, 1])
    rng = np.random.default_rng(1)
    reached = np.zeros((7, 7), bool)
    for _ in range(200):
        shuffled = shuffled_within(groups, rng)
        assert sorted(shuffled) == list(range(7))
        reached[np.arange(7), shuffled] = True
    np.testing.assert_array_equal(reached, groups[:, None] == groups[None, :])


def test_partners_are_of_the_same_batch_and_have_the_same_layers(trainer, network):
    table = a_table()
    members = [member(network, 1, 0.4), member(network, 2, 0.0)]
    patterns = patterns_of(table.present)
    shape = (trainer.network.members, trainer.max_steps, trainer.batch_rows)
    asked = asked_by(members, mixes=True)
    found = dealt_epoch(members, shape, patterns, [0, 0], True, asked)
    np.testing.assert_array_equal(patterns[found["partner"]], patterns[found["rows"]])
    for step in range(2):
        used = found["used"][0, step] > 0
        rows, others = (of[0, step][used] for of in (found["rows"], found["partner"]))
        assert sorted(rows) == sorted(others)
        assert (rows != others).any()
    assert (found["share"][0] > 0).all()
    assert (found["share"][0] < 1).all()
    np.testing.assert_array_equal(found["partner"][1], found["rows"][1])
    np.testing.assert_array_equal(found["share"][1], 1)
    later = dealt_epoch(members, shape, patterns, [1, 1], True, asked)
    assert (later["share"][0] != found["share"][0]).all()


def test_shares_come_from_a_symmetric_beta_distribution():
    batches = {"rows": np.zeros((1, 2000, 2), np.int32), "used": np.ones((1, 2000, 2), np.float32)}
    share = pairs(batches, [3], [0.4], np.zeros(1, int), [0])["share"]
    # Beta(a, a) has variance 1 / (4 (2 a + 1)) = .139. Standard errors: .008 of the mean; below
    # .003 of the variance (no share lies further than .5 from the mean).
    assert abs(share.mean() - 0.5) < 0.04
    assert abs(share.var() - 1 / 7.2) < 0.015


def test_mixing_is_a_weighted_mean_by_member():
    one, other = np.ones((2, 3, 4)), np.zeros((2, 3, 4))
    result = np.asarray(mixed(one, other, np.array([0.25, 1.0])))
    np.testing.assert_array_equal(result[0], 0.25)
    np.testing.assert_array_equal(result[1], 1.0)


def test_a_member_that_does_not_mix_is_the_same_beside_one_that_does(trainer, network, monkeypatch):
    monkeypatch.setattr(training, "EPOCHS_WITHOUT_STOP", 3)
    table = a_table()
    plain = trainer.train(table, [member(network, 1, 0.0), member(network, 2, 0.0)])
    beside = trainer.train(table, [member(network, 1, 0.4), member(network, 2, 0.0)])
    assert largest_difference(plain[1], beside[1]) < 1e-6
    assert largest_difference(plain[0], beside[0]) > 1e-3


def test_a_loss_that_compares_samples_is_never_mixed(network):
    members = [member(network, 1, 0.4), member(network, 2, 0.0)]
    assert asked_by(members, mixes=True) == {"mixup"}
    asked = asked_by(members, mixes=False)
    assert asked == set()
    dealt = dealt_epoch(
        members, (2, 2, BATCH), patterns_of(a_table().present), [0, 0], False, asked
    )
    assert not {"partner", "share"} & set(dealt)


def test_half_of_each_is_the_loss_for_both_outcomes_at_the_point_between(trainer, network):
    table = a_table()
    epochs = trainer.epochs
    weights = packed(
        [
            np.random.default_rng(5).normal(size=variable.shape).astype(np.float32)
            for variable in network.trainable_variables
        ]
    )
    fixed = [np.asarray(variable) for variable in network.non_trainable_variables]
    # Rows 1 and 2 have both layers. No noise, no dropout: a network that predicts.
    halved = [np.zeros_like(v) if v.ndim == 1 and v.max() < 1 else v for v in fixed]
    data = {"x": table.x, "present": table.present, "target": table.target, "weight": table.weight}
    batch = {
        "rows": np.array([[1, 2]] * 2, np.int32),
        "partner": np.array([[2, 1]] * 2, np.int32),
        "used": np.ones((2, 2), np.float32),
        "share": np.array([0.5, 1.0], np.float32),
    }
    settings = {name: np.zeros(2, np.float32) for name in DEFAULTS}
    draw = {"seed": np.zeros((2, 2), np.uint32)}
    loss = np.asarray(epochs.loss(weights, halved, data, settings, batch, draw))
    middle = replace(table, x={name: (v[[1]] + v[[2]]) / 2 for name, v in table.x.items()})
    between, ends = (
        np.asarray(
            epochs.outputs(
                weights,
                halved,
                {"x": x, "present": np.ones((2, 2))},
                rows,
                np.zeros(2, np.uint32),
            )
        )
        for x, rows in (
            (middle.x, np.zeros((2, 1), np.int32)),
            ({name: v[1:3] for name, v in table.x.items()}, np.array([[0, 1]] * 2, np.int32)),
        )
    )
    truth = table.target[1:3, 0]
    assert loss[0] == pytest.approx(np.mean((between[0, 0, 0] - truth) ** 2), rel=1e-4)
    assert loss[1] == pytest.approx(np.mean((ends[1, :, 0] - truth) ** 2), rel=1e-4)
