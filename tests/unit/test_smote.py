"""SMOTE in the latent: between samples of one class, and nothing without classes."""

from dataclasses import replace

import numpy as np

from omicsfusion.models.batches import asked_by, dealt_epoch
from omicsfusion.models.dealing import NO_KIND, Member, dealt_rows
from omicsfusion.models.families.fused import FusedNetwork
from omicsfusion.models.heads.base import weighted_mean
from omicsfusion.models.read_out import Smote, chosen_neighbours
from omicsfusion.models.settings import DEFAULTS
from omicsfusion.models.training import Table, Trainer

RNG = np.random.default_rng(8)
SEEDS = np.array([[1, 5], [2, 5]], np.uint32)
X = RNG.normal(size=(2, 12, 3)).astype(np.float32)
KINDS = np.tile(np.array([0] * 7 + [1] * 3 + [2] + [NO_KIND], np.uint32), (2, 1))


def moved(amount: float, kinds: np.ndarray | None = KINDS) -> np.ndarray:
    layer = Smote(members=2)
    layer.amount.assign(np.full(2, amount, np.float32))
    draw = {"seed": SEEDS} if kinds is None else {"seed": SEEDS, "kinds": kinds}
    return np.asarray(layer(X, draw))


def test_neighbours_are_the_nearest_of_the_same_class():
    luck = RNG.random((2, 12)).astype(np.float32)
    neighbours, any_near = (np.asarray(v) for v in chosen_neighbours(X, KINDS, luck))
    np.testing.assert_array_equal(any_near, np.isin(KINDS, [0, 1]))
    for m in range(2):
        for row in range(10):
            kind = np.flatnonzero(KINDS[m] == KINDS[m, row])
            others = kind[kind != row]
            order = others[np.argsort(((X[m, others] - X[m, row]) ** 2).sum(axis=1))][:5]
            wanted = order[int(luck[m, row] * len(order))]
            np.testing.assert_allclose(neighbours[m, row], X[m, wanted], rtol=1e-5)


def test_samples_move_towards_their_class_and_those_without_another_of_it_stay():
    found = moved(1.0)
    np.testing.assert_array_equal(found[:, 10:], X[:, 10:])
    for m in range(2):
        for row in range(10):
            step = found[m, row] - X[m, row]
            kind = [other for other in np.flatnonzero(KINDS[m] == KINDS[m, row]) if other != row]
            shares = [_share(step, X[m, other] - X[m, row]) for other in kind]
            assert any(share is not None and 0 <= share < 1 for share in shares)


def _share(step: np.ndarray, way: np.ndarray) -> float | None:
    """How much of the way the step goes; None when it goes another way."""
    share = float(step @ way / (way @ way))
    return share if np.allclose(step, share * way, atol=1e-5) else None


def test_nothing_moves_without_classes_without_a_share_or_in_prediction():
    np.testing.assert_array_equal(moved(1.0, kinds=None), X)
    np.testing.assert_array_equal(moved(0.0), X)
    np.testing.assert_array_equal(np.asarray(Smote(members=2)(X)), X)


def a_member(smote: float, kinds: np.ndarray | None, network: FusedNetwork) -> Member:
    settings = {**DEFAULTS, "smote": smote}
    return Member(
        seed=1,
        train=np.arange(40),
        stop=np.arange(40, 50),
        strata=np.arange(40) % 2,
        kinds=kinds,
        stops=False,
        settings=settings,
        constants=network.constants({"rna": range(6)}, settings),
    )


def test_classes_travel_with_their_rows_only_where_they_are_used():
    network = FusedNetwork({"rna": 6}, units=1, members=1, hidden=4)
    network.build()
    kinds = np.arange(40) % 3
    dealt = dealt_rows([a_member(0.5, kinds, network)], (1, 3, 16), epochs=[0])
    used = dealt["used"] > 0
    np.testing.assert_array_equal(dealt["kinds"][used], kinds[dealt["rows"][used]])
    assert (dealt["kinds"][~used] == NO_KIND).all()
    needed = [
        asked_by([member], mixes=True)
        for member in (
            a_member(0.5, kinds, network),
            a_member(0.0, kinds, network),
            a_member(0.5, None, network),
        )
    ]
    assert needed == [{"kinds"}, set(), set()]
    for asked in needed[:2]:
        dealt = dealt_epoch(
            [a_member(0.5, kinds, network)], (1, 3, 16), np.zeros(50, int), [0], True, asked
        )
        assert ("kinds" in dealt) == ("kinds" in asked)


def test_training_with_smote_learns_and_differs(monkeypatch):
    monkeypatch.setattr("omicsfusion.models.training.EPOCHS_WITHOUT_STOP", 15)
    network = FusedNetwork({"rna": 6}, units=1, members=1, hidden=4)
    network.build()
    x = RNG.normal(size=(50, 6)).astype(np.float32)
    target = np.sign(x[:, :1])
    table = Table({"rna": x}, np.ones((50, 1), np.float32), target, np.ones(50, np.float32))

    def squared_error(outputs, target, weight, settings):
        return weighted_mean((outputs[..., 0] - target[..., 0]) ** 2, weight)

    trainer = Trainer(network, squared_error, batch_rows=16, stop_rows=10, max_steps=3)
    member = a_member(1.0, (target[:40, 0] > 0).astype(int), network)
    [with_smote] = trainer.train(table, [member])
    [without] = trainer.train(table, [replace(member, kinds=None)])
    outputs = trainer.predict(table, [member], [with_smote], np.arange(50)[None])[0, :, 0]
    assert np.corrcoef(outputs[40:], target[40:, 0])[0, 1] > 0.6
    assert with_smote.curve != without.curve
