"""Pretraining without an outcome: what is lost, what is learnt, what is written."""

import math

import numpy as np
import pytest

from omicsfusion.models.pretext.contrast import contrastive_loss
from omicsfusion.models.pretext.networks import ContrastiveNetwork, ReconstructionNetwork
from omicsfusion.models.pretext.training import learn_encoders, pretrain
from omicsfusion.models.pretrained import read_pretrained
from omicsfusion.models.request import ENSEMBLE
from omicsfusion.models.settings import DEFAULTS
from omicsfusion.pretraining import UnusablePretrainingError, read_seen
from omicsfusion.tables.tsv import read_tsv
from tests.unlabelled_cohort import SAMPLES, WIDTHS, open_unlabelled, write_unlabelled

NETWORKS = {"reconstruction": ReconstructionNetwork, "contrastive": ContrastiveNetwork}
MEMBERS, ROWS = 2, 5
DRAW = {"seed": np.array([(1, 0), (2, 0)], np.uint32)}


def unit_vectors(*angles: float) -> np.ndarray:
    return np.array([(math.cos(a), math.sin(a)) for a in np.radians(angles)], np.float32)


def loss_of(views: np.ndarray, here: np.ndarray, temperature: float = 0.5) -> float:
    return float(contrastive_loss(views[None], here[None], temperature)[0])


def test_the_contrastive_loss_of_three_samples_is_what_it_is_by_hand():
    one, other = unit_vectors(0, 90, 180), unit_vectors(0, 90, 270)
    cosines = [[1, 0, 0], [0, 1, -1], [-1, 0, 0]]  # of each one (row) and each other (column)
    own = [math.exp(cosines[i][i] / 0.5) for i in range(3)]
    rows = [sum(math.exp(c / 0.5) for c in cosines[i]) for i in range(3)]
    columns = [sum(math.exp(cosines[i][j] / 0.5) for i in range(3)) for j in range(3)]
    ways = [-math.log(own[i] / rows[i]) - math.log(own[i] / columns[i]) for i in range(3)]
    found = loss_of(np.stack([one, other], axis=1), np.ones((3, 2), np.float32))
    assert found == pytest.approx(sum(ways) / 6, rel=1e-5)


def test_who_lacks_a_layer_is_nobody_s_stranger():
    views = np.stack([unit_vectors(0, 90, 180), unit_vectors(10, 80, 170)], axis=1)
    here = np.array([[1, 1], [1, 1], [1, 0]], np.float32)
    assert loss_of(views, here) == pytest.approx(loss_of(views[:2], here[:2]), rel=1e-6)
    assert loss_of(views, np.array([[1, 0], [0, 1], [0, 0]], np.float32)) == 0.0


@pytest.mark.parametrize("draw", [None, DRAW], ids=["look", "train"])
@pytest.mark.parametrize("junk", [1e6, np.nan, np.inf])
@pytest.mark.parametrize("objective", NETWORKS)
def test_garbage_in_a_layer_that_a_sample_lacks_changes_nothing(objective, junk, draw):
    network = NETWORKS[objective](WIDTHS, 1, MEMBERS)
    network.build()
    rng = np.random.default_rng(0)
    for variable in network.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    x = {
        name: rng.normal(size=(MEMBERS, ROWS, width)).astype(np.float32)
        for name, width in WIDTHS.items()
    }
    present = np.ones((MEMBERS, ROWS, 2), np.float32)
    present[:, 2, 0] = 0
    before = np.asarray(network(x, present, draw))
    x["mirna"][:, 2] = junk
    np.testing.assert_array_equal(network(x, present, draw), before)
    assert np.isfinite(before).all()


def test_columns_of_padding_do_not_count_in_the_reconstruction_error():
    rng = np.random.default_rng(1)
    x = {"rna": rng.normal(size=(1, ROWS, 3)).astype(np.float32)}
    present = np.ones((1, ROWS, 1), np.float32)
    network = ReconstructionNetwork({"rna": 5}, 1, 1)
    network.build()
    constants = network.constants({"rna": ["a", "b", "c"]}, DEFAULTS)
    for variable, value in zip(network.non_trainable_variables, constants, strict=True):
        variable.assign(value[None])
    padded = {"rna": np.pad(x["rna"], ((0, 0), (0, 0), (0, 2)))}
    # At its start the decoder says zero, so that the error is the mean square.
    expected = np.mean(np.square(x["rna"]), axis=-1)
    np.testing.assert_allclose(network(padded, present)[..., 0], expected, rtol=1e-5)


@pytest.fixture(scope="module", params=NETWORKS)
def pretrained(request, tmp_path_factory):
    """Return a folder in which PRETRAIN has run, and its objective."""
    folder = tmp_path_factory.mktemp(request.param)
    write_unlabelled(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        pretrain(
            matrices=sorted(folder.glob("*.matrices.h5")),
            splits=folder / "splits.tsv",
            objective=request.param,
            seed=3,
        )
    return folder, request.param


def test_the_loss_falls_among_samples_not_trained_on(pretrained):
    folder, objective = pretrained
    for _, curve in read_tsv(folder / "curves.tsv").groupby("network"):
        least = curve["stop_loss"].min()
        assert least < 0.8 * curve["stop_loss"].iloc[0]
        # Chance: the mean square of a feature; as many strangers as have both layers.
        chance = {"reconstruction": 0.9, "contrastive": math.log(SAMPLES / 10)}[objective]
        assert least < 0.8 * chance
    record = read_tsv(folder / "pretraining.tsv")
    assert record["objective"].tolist() == [objective] * ENSEMBLE
    assert set(record["layers"]) == {"mirna (10);rna (24)"}
    assert (record["n_train"] + record["n_stop"] == SAMPLES).all()


def test_the_file_holds_the_encoders_and_whom_they_have_seen(pretrained):
    folder, objective = pretrained
    found = read_pretrained(folder / "encoders.h5")
    assert (found.objective, found.n_samples, found.hidden) == (objective, SAMPLES, 64)
    for name, width in WIDTHS.items():
        one = found.layers[name]
        assert one.features == tuple(f"{name}_{column}" for column in range(width))
        assert one.kernel.shape == (ENSEMBLE, width, 64)
        assert np.abs(one.kernel[0] - one.kernel[1]).max() > 0.1
        # A random kernel has this size, too: effective weights, not those that a network keeps.
        assert 0.3 < one.kernel.std() * math.sqrt(width) < 3
    seen = read_seen(folder / "encoders.h5")
    assert seen.patients == seen.samples == {f"u{number:03d}" for number in range(SAMPLES)}


def test_the_same_seed_writes_the_same_bytes(pretrained, tmp_path, monkeypatch):
    folder, objective = pretrained
    if objective == "contrastive":
        pytest.skip("one objective is enough")
    monkeypatch.chdir(tmp_path)
    matrices = sorted(folder.glob("*.matrices.h5"))
    pretrain(matrices=matrices, splits=folder / "splits.tsv", objective=objective, seed=3)
    for name in ("encoders.h5", "curves.tsv", "pretraining.tsv"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


def test_one_layer_has_nothing_to_be_compared_with(tmp_path):
    write_unlabelled(tmp_path, layers=("rna",))
    with pytest.raises(UnusablePretrainingError, match="two layers"):
        learn_encoders(open_unlabelled(tmp_path), "contrastive", seed=1)
