"""Training: members do not notice each other, stop when they should, and give back their best."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from omicsfusion.models import optimiser, training
from omicsfusion.models.dealing import Member, dealt_rows
from omicsfusion.models.families.fused import FusedNetwork
from omicsfusion.models.heads.base import weighted_mean
from omicsfusion.models.settings import DEFAULTS
from omicsfusion.models.training import Table, Trainer

ROWS = 60
WIDTHS = {"mirna": 3, "rna": 8}


def squared_error(outputs, target, weight, settings):
    return weighted_mean((outputs[..., 0] - target[..., 0]) ** 2, weight)


def a_table() -> Table:
    rng = np.random.default_rng(0)
    x = {name: rng.normal(size=(ROWS, width)).astype(np.float32) for name, width in WIDTHS.items()}
    x["rna"][:, 7] = 0  # padding
    present = np.ones((ROWS, 2), np.float32)
    present[::5, 0] = 0
    target = (x["rna"][:, :1] + 0.3 * rng.normal(size=(ROWS, 1))).astype(np.float32)
    return Table(x=x, present=present, target=target, weight=np.ones(ROWS, np.float32))


def a_member(seed: int, train: int = 40, stops: bool = True) -> Member:
    return Member(
        seed=seed,
        train=np.arange(train),
        stop=np.arange(45, ROWS),
        strata=np.zeros(train),
        stops=stops,
        settings=DEFAULTS,
        constants=network().constants({"mirna": range(3), "rna": range(7)}, DEFAULTS),
    )


@cache
def network() -> FusedNetwork:
    network = FusedNetwork(WIDTHS, units=1, members=3)
    network.build()
    return network


def new_trainer() -> Trainer:
    return Trainer(network(), squared_error, batch_rows=16, stop_rows=20, max_steps=3)


@pytest.fixture(scope="module")
def trainer() -> Trainer:
    """One trainer for all tests: it compiles once."""
    return new_trainer()


@pytest.fixture(scope="module")
def trained(trainer):
    return trainer.train(a_table(), [a_member(1), a_member(2, train=25), a_member(3)])


def largest_difference(one, other) -> float:
    return max(np.abs(a - b).max() for a, b in zip(one.weights, other.weights, strict=True))


def test_the_network_learns_what_can_be_learnt(trainer, trained):
    table = a_table()
    members = [a_member(1), a_member(2, train=25), a_member(3)]
    outputs = trainer.predict(table, members, trained, np.tile(np.arange(ROWS), (3, 1)))
    for of_member in outputs[:, 45:, 0]:
        assert np.corrcoef(of_member, table.target[45:, 0])[0, 1] > 0.7


def test_a_member_trained_among_others_equals_the_same_member_trained_alone(trainer, trained):
    alone = trainer.train(a_table(), [a_member(3)])[0]
    elsewhere = trainer.train(a_table(), [a_member(9, train=12), a_member(3), a_member(8)])[1]
    for other in (alone, elsewhere):
        assert other.best_epoch == trained[2].best_epoch
        assert largest_difference(other, trained[2]) < 1e-4
        np.testing.assert_allclose(other.curve, trained[2].curve, rtol=1e-4, atol=1e-5)


def test_after_one_epoch_a_member_alone_and_among_others_agree_to_the_last_bits(
    trainer, monkeypatch
):
    monkeypatch.setattr(training, "EPOCHS_WITHOUT_STOP", 1)
    among = trainer.train(a_table(), [a_member(1, 25, False), a_member(3, stops=False)])[1]
    alone = trainer.train(a_table(), [a_member(3, stops=False)])[0]
    assert len(alone.curve) == 1
    assert largest_difference(alone, among) < 1e-6


def test_networks_side_by_side_are_the_same_as_one_after_the_other(trainer, trained, monkeypatch):
    monkeypatch.setattr(training, "EPOCHS_WITHOUT_STOP", 12)
    members = [a_member(seed, stops=False) for seed in range(1, 6)]  # of networks of three
    rows = np.tile(np.arange(ROWS), (5, 1))
    one_by_one = trainer.train(a_table(), members)
    monkeypatch.setattr(trainer, "threads", 2)
    together = trainer.train(a_table(), members)
    assert [len(one.curve) for one in together] == [12] * 5
    assert all(a.curve == b.curve for a, b in zip(one_by_one, together, strict=True))
    assert all(largest_difference(a, b) == 0 for a, b in zip(one_by_one, together, strict=True))
    outputs = trainer.predict(a_table(), members, together, rows)
    alone = trainer.predict(a_table(), members[4:], together[4:], rows[4:])
    np.testing.assert_allclose(outputs[4], alone[0], rtol=1e-5)


def test_who_takes_a_place_that_falls_free_is_trained_as_if_from_the_beginning(trainer, trained):
    """Two lanes of three places: of nine members three wait, for those that stop first."""
    members = [a_member(1), a_member(2, train=25), a_member(3)]
    others = [a_member(seed, train=12 + seed, stops=seed % 2 > 0) for seed in range(10, 16)]
    among = trainer.train(a_table(), [*others, *members])
    assert len({len(one.curve) for one in among[:6]}) > 1
    assert [one.seed for one in among] == [*range(10, 16), 1, 2, 3]
    for alone, waited in zip(trained, among[6:], strict=True):
        assert waited.best_epoch == alone.best_epoch
        assert largest_difference(waited, alone) < 1e-4
        np.testing.assert_allclose(waited.curve, alone.curve, rtol=1e-4, atol=1e-5)


def test_members_differ_by_their_seeds(trained):
    assert largest_difference(trained[0], trained[2]) > 0.1


def test_a_member_stops_after_its_patience_and_gives_back_its_best_weights(trainer, trained):
    table = a_table()
    for number, member in ((0, a_member(1)), (1, a_member(2, train=25)), (2, a_member(3))):
        one = trained[number]
        losses = [stop_loss for _, _, stop_loss in one.curve]
        assert one.best_epoch == np.argmin(losses) + 1
        assert one.best_epoch > optimiser.PATIENCE
        assert len(losses) == min(one.best_epoch + optimiser.PATIENCE, training.MAX_EPOCHS)
        outputs = trainer.predict(table, [member], [one], member.stop[None])[0]
        again = float(np.mean((outputs[:, 0] - table.target[member.stop, 0]) ** 2))
        assert again == pytest.approx(min(losses), rel=1e-4)
    assert len({len(one.curve) for one in trained}) > 1


@pytest.mark.parametrize(
    ("losses_fall_until", "stops_at"),
    [(1, 50), (12, 50), (13, 25), (45, 57), (199, 200)],
)
def test_a_member_whose_best_epochs_are_its_first_goes_on_until_it_could_have_begun(
    losses_fall_until, stops_at
):
    nothing = np.zeros((1, 1), np.float32)
    state = {
        "best": nothing,
        "average": nothing,
        "best_loss": np.array([np.inf], np.float32),
        "best_epoch": np.zeros(1, np.int32),
        "stops": np.array([True]),
        "active": np.array([True]),
        "limit": np.array([training.MAX_EPOCHS], np.int32),
    }
    epoch = 0
    while bool(np.asarray(state["active"])[0]):
        epoch += 1
        loss = np.array([-float(min(epoch, losses_fall_until))], np.float32)
        state = optimiser.keep_best({**state, "epoch": np.array([epoch], np.int32)}, loss)
    assert int(np.asarray(state["best_epoch"])[0]) == losses_fall_until
    assert epoch == stops_at


def test_a_member_whose_stop_samples_cannot_judge_trains_a_fixed_number_of_epochs(trainer):
    one = trainer.train(a_table(), [a_member(1, stops=False)])[0]
    assert one.best_epoch == len(one.curve) == training.EPOCHS_WITHOUT_STOP


def test_a_member_that_meets_nan_fails_alone(trainer, trained):
    table = a_table()
    x = {name: values.copy() for name, values in table.x.items()}
    x["rna"][40] = np.nan
    broken = a_member(5, train=41)
    healthy, sick = trainer.train(replace(table, x=x), [a_member(1), broken])
    assert sick.best_epoch == 0
    assert healthy.best_epoch == trained[0].best_epoch
    assert largest_difference(healthy, trained[0]) < 1e-4


def test_every_training_row_is_seen_once_per_epoch_and_every_batch_gets_its_share(trainer):
    member = replace(a_member(1), strata=np.arange(40) % 4 == 0)
    batches = dealt_rows(
        [member, a_member(2, train=25)],
        (trainer.network.members, trainer.max_steps, trainer.batch_rows),
        epochs=[3, 3],
    )
    assert batches["steps"].tolist() == [3, 2, 0]
    seen = batches["rows"][0][batches["used"][0] > 0]
    np.testing.assert_array_equal(np.sort(seen), member.train)
    rare = [
        np.sum(rows[used > 0] % 4 == 0)
        for rows, used in zip(batches["rows"][0], batches["used"][0], strict=True)
    ]
    assert sorted(rare) == [3, 3, 4]
