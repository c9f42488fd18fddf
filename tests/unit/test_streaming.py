"""Training from disk gives what training in memory gives, and looks at training samples only."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from omicsfusion.models import shapes, streaming, training
from omicsfusion.models.archive import read_archive
from omicsfusion.models.dealing import Member
from omicsfusion.models.disk_rows import DiskRows
from omicsfusion.models.ensemble import ensemble_inputs
from omicsfusion.models.epochs import Loss
from omicsfusion.models.families import fused
from omicsfusion.models.families.fused import FusedNetwork
from omicsfusion.models.feed import Feed
from omicsfusion.models.heads.choice import head_for
from omicsfusion.models.registry import ModelSpec
from omicsfusion.models.request import TrainingRequest
from omicsfusion.models.settings import DEFAULTS
from omicsfusion.models.streaming import DiskTable, StreamedTrainer
from omicsfusion.models.training import Table, Trainer
from tests.network_cohort import SCOPES, open_cohort, write_cohort

SCOPE = SCOPES[0]
WIDTHS = {"mirna": 5, "rna": 13}  # one more than rna has: padding
BATCH = 8
FEED = Feed(window=4, windows=6)
BLOCK = 16
EPOCHS = 4
SETTINGS = {**DEFAULTS, "mixup": 0.3}


@dataclass(frozen=True)
class Cohort:
    """One scope, on disk and in memory."""

    folder: Path
    on_disk: DiskTable
    in_memory: Table
    roles: dict[str, np.ndarray]
    strata: np.ndarray


def opened(folder: Path) -> Cohort:
    reader, outcome = open_cohort(folder, "classification")
    data = reader.load(SCOPE, list(WIDTHS))
    targets = head_for(outcome, []).targets(data)
    x = {
        name: np.pad(b.x, ((0, 0), (0, WIDTHS[name] - b.x.shape[1])))
        for name, b in data.layers.items()
    }
    present = np.column_stack([data.layers[name].present for name in WIDTHS])
    table = Table(x, present.astype(np.float32), targets.values, targets.weight)
    rows = DiskRows(len(data.samples), reader.layer_rows(SCOPE, WIDTHS), WIDTHS)
    on_disk = DiskTable(SCOPE.key, rows, targets.values, targets.weight)
    roles = {role: data.rows(role) for role in ("train", "stop", "test")}
    return Cohort(folder, on_disk, table, roles, targets.strata)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory) -> Cohort:
    folder = tmp_path_factory.mktemp("cohort")
    write_cohort(folder, "classification")
    return opened(folder)


@pytest.fixture(scope="module", autouse=True)
def small_numbers():
    """Few epochs, and more blocks than one of the samples that are only looked at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "MAX_EPOCHS", EPOCHS)
        patch.setattr(streaming, "PREDICT_ROWS", BLOCK)
        yield


@pytest.fixture(scope="module")
def network() -> FusedNetwork:
    network = FusedNetwork(WIDTHS, units=3, members=2, hidden=8)
    network.build()
    return network


@pytest.fixture(scope="module")
def loss(cohort) -> Loss:
    _, outcome = open_cohort(cohort.folder, "classification")
    return head_for(outcome, []).loss


@pytest.fixture(scope="module")
def trainer(network, loss) -> StreamedTrainer:
    """One trainer for all tests: it compiles once."""
    return StreamedTrainer(network, loss, BATCH, FEED, mixes=True)


def members_of(cohort: Cohort, network: FusedNetwork, train: int | None = None) -> list[Member]:
    """Two members, on the first ``train`` of the training samples."""
    rows = cohort.roles["train"][:train]
    one = Member(
        seed=1,
        train=rows,
        stop=cohort.roles["stop"],
        strata=cohort.strata[rows],
        stops=True,
        settings=SETTINGS,
        constants=network.constants({"mirna": range(5), "rna": range(12)}, SETTINGS),
    )
    return [one, replace(one, seed=2)]


@pytest.fixture(scope="module")
def trained(trainer, cohort, network):
    return trainer.train_from(cohort.on_disk, members_of(cohort, network))


def same(one, other) -> bool:
    """Whether two members became the same, bit for bit."""
    weights = zip(one.weights, other.weights, strict=True)
    return one.curve == other.curve and all(np.array_equal(a, b) for a, b in weights)


def test_with_one_buffer_training_from_disk_is_training_in_memory(trainer, cohort, network, loss):
    members = members_of(cohort, network, FEED.buffer)
    steps = FEED.buffer // BATCH
    in_memory = Trainer(network, loss, BATCH, len(members[0].stop), steps, mixes=True)
    expected = in_memory.train(cohort.in_memory, members)
    found = trainer.train_from(cohort.on_disk, members)
    for one, other in zip(found, expected, strict=True):
        assert len(one.curve) == EPOCHS
        np.testing.assert_allclose(one.curve, other.curve, rtol=1e-4)
        assert one.best_epoch == other.best_epoch
        for a, b in zip(one.weights, other.weights, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-4)
    rows = np.tile(np.arange(len(cohort.strata)), (2, 1))
    np.testing.assert_allclose(
        trainer.predict_from(cohort.on_disk, members, expected),
        in_memory.predict(cohort.in_memory, members, expected, rows),
        atol=1e-5,
    )


def test_members_differ_and_learn_over_several_buffers(trained, cohort):
    assert len(cohort.roles["train"]) > 2 * FEED.buffer
    assert not same(*trained)
    for one in trained:
        assert one.curve[-1][2] < one.curve[0][2]


def test_a_member_is_the_same_again_and_beside_another(trainer, trained, cohort, network):
    members = members_of(cohort, network)
    again = trainer.train_from(cohort.on_disk, members)
    assert all(same(*pair) for pair in zip(again, trained, strict=True))
    [alone] = trainer.train_from(cohort.on_disk, members[1:])
    assert alone.best_epoch == trained[1].best_epoch
    np.testing.assert_allclose(alone.curve, trained[1].curve, rtol=1e-4)


def test_what_stands_where_a_sample_lacks_a_layer_changes_nothing(
    trainer, trained, cohort, network
):
    class Garbled(DiskRows):
        def blocks(self, parts, room):
            for samples, block in zip(parts, super().blocks(parts, room), strict=True):
                for column, name in enumerate(self.widths):
                    block[name][: len(samples)][self.present[samples, column] == 0] = np.nan
                yield block

    rows = cohort.on_disk.rows
    garbled = replace(cohort.on_disk, rows=Garbled(rows.samples, rows.layers, rows.widths))
    found = trainer.train_from(garbled, members_of(cohort, network))
    assert all(same(*pair) for pair in zip(found, trained, strict=True))


def test_test_samples_change_nothing_of_the_fit(trainer, trained, cohort, network, tmp_path):
    shutil.copytree(cohort.folder, tmp_path, dirs_exist_ok=True)
    reader = open_cohort(tmp_path, "classification")[0]
    held_out = cohort.roles["test"]
    for place in reader.layer_rows(SCOPE, WIDTHS).values():
        with h5py.File(place.path, "r+") as file:
            for row in place.rows[held_out]:
                if row >= 0:
                    file[SCOPE.key]["X"][row] = 1e6
    other = opened(tmp_path)
    assert other.in_memory.x["rna"].max() == 1e6
    members = members_of(cohort, network)
    found = trainer.train_from(other.on_disk, members)
    assert all(same(*pair) for pair in zip(found, trained, strict=True))
    before = trainer.predict_from(cohort.on_disk, members, trained)
    after = trainer.predict_from(other.on_disk, members, trained)
    differs = np.abs(before - after).max(axis=(0, 2)) > 1e-6
    np.testing.assert_array_equal(np.flatnonzero(differs), held_out)


@pytest.fixture(scope="module")
def fits(tmp_path_factory):
    """Fits of two scopes, streamed because nothing may be held."""
    folder = tmp_path_factory.mktemp("streamed")
    write_cohort(folder, "regression", SCOPES[:2])
    reader, outcome = open_cohort(folder, "regression")
    request = TrainingRequest(ModelSpec("fused", "fused", tuple(WIDTHS)), outcome, [], seed=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shapes, "MEMORY_LIMIT", 1)
        patch.setattr(training, "MAX_EPOCHS", 25)
        patch.setattr(StreamedTrainer, "train", None)  # what is in memory is not asked
        return reader, outcome, fused.train(request, reader)


def test_a_cohort_beyond_the_limit_is_trained_and_its_signal_found(fits):
    reader, outcome, found = fits
    assert [fit.scope for fit in found] == reader.scopes
    for fit in found:
        assert fit.record["status"] == "ok"
        assert len(fit.curve) == fit.record["epochs"] > 1
        truth = outcome.table.loc[list(fit.samples), "truth"]
        assert np.corrcoef(fit.columns["mean"], truth)[0, 1] > 0.6


def test_the_archive_of_a_streamed_fit_says_what_the_fit_said(fits, tmp_path):
    reader, _, found = fits
    found[0].save(tmp_path / "model")
    model = read_archive(tmp_path / "model.keras")
    data = reader.load(found[0].scope, list(WIDTHS))
    mean = np.asarray(model(ensemble_inputs(model, data, data.rows("test"))))[:, 0]
    assert list(found[0].samples) == [data.samples[row] for row in data.rows("test")]
    np.testing.assert_allclose(mean, found[0].columns["mean"], rtol=1e-4)


@pytest.mark.parametrize(
    ("limit", "scopes", "streamed"),
    [(10**9, 2, False), (3 * 120 * 4 * 17, 1, False), (20_000, 1, True)],
)
def test_fewer_scopes_at_once_come_before_reading_from_disk(
    fits, monkeypatch, limit, scopes, streamed
):
    monkeypatch.setattr(shapes, "MEMORY_LIMIT", limit)
    found = shapes.shapes_of(fits[0], list(WIDTHS), members_at_once=16, networks=2)
    assert (found.scopes, found.streamed) == (scopes, streamed)
