"""Pretrained encoders: what networks begin with, what stays frozen, what is refused."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from omicsfusion.models import training
from omicsfusion.models.dealing import Member
from omicsfusion.models.encoder import HIDDEN
from omicsfusion.models.families.attention import AttentionNetwork
from omicsfusion.models.families.autoencoder import AutoencoderNetwork
from omicsfusion.models.families.cnn import CnnNetwork
from omicsfusion.models.families.early import EarlyNetwork
from omicsfusion.models.families.fused import STRUCTURES, FusedNetwork
from omicsfusion.models.families.tensor import TensorNetwork
from omicsfusion.models.families.vae import VariationalNetwork
from omicsfusion.models.heads.base import weighted_mean
from omicsfusion.models.optimiser import begun_from, initial_weights
from omicsfusion.models.pretrained import (
    LayerStart,
    Pretrained,
    fitting_structures,
    read_pretrained,
    refuse_strangers,
    write_pretrained,
)
from omicsfusion.models.registry import PRETRAINED
from omicsfusion.models.settings import DEFAULTS
from omicsfusion.models.training import Table, Trainer
from omicsfusion.models.training_task import train_group
from omicsfusion.models.tuning.scopes import data_digest
from omicsfusion.pretraining import (
    SeenPatientsError,
    UnusablePretrainingError,
    judged_and_seen,
    read_seen,
)
from omicsfusion.tables.tsv import read_tsv
from tests.network_cohort import SCOPES, open_cohort, write_cohort

WIDTHS = {"mirna": 4, "rna": 8}
FEATURES = {"mirna": ("m0", "m1", "m2"), "rna": ("g0", "g1", "g2", "g3", "g4")}
"""In use; the other columns are padding."""
SIZE = 6
NETWORKS = 2
TAKING = {
    "attention": AttentionNetwork,
    "autoencoder": AutoencoderNetwork,
    "fused": FusedNetwork,
    "tensor": TensorNetwork,
    "vae": VariationalNetwork,
}


def layer_start(features, hidden: int = SIZE, seed: int = 0) -> LayerStart:
    rng = np.random.default_rng(seed)
    shape = (NETWORKS, len(features), hidden)
    vectors = rng.normal(size=(3, NETWORKS, hidden)).astype(np.float32)
    return LayerStart(tuple(features), rng.normal(size=shape).astype(np.float32), *vectors)


def pretrained(hidden: int = SIZE, **layers: tuple[str, ...]) -> Pretrained:
    layers = layers or {"rna": ("g4", "elsewhere", "g1", "g0")}
    return Pretrained(
        "reconstruction", 500, {name: layer_start(f, hidden) for name, f in layers.items()}
    )


def network(family: str = "fused", members: int = 1, **structure):
    one = TAKING[family](WIDTHS, 1, members, **{"hidden": SIZE, **structure})
    one.build()
    return one


@pytest.mark.parametrize("family", TAKING)
def test_shared_features_have_the_pretrained_effective_weights_whatever_the_padding(family):
    one, start = network(family), pretrained()
    variables = one.trainable_variables
    for place, values in start.start(one, FEATURES, number=1).items():
        variables[place].assign(np.nan_to_num(values)[None])
    for layer, value in one.known(FEATURES):
        layer.assign(np.asarray(value)[None])
    encoder, source = one.pretrainable["rna"], start.layers["rna"]
    x = np.zeros((1, 3, WIDTHS["rna"]), np.float32)
    x[0, :, [0, 1, 4]] = np.random.default_rng(2).normal(size=(3, 3))
    there = [source.features.index(name) for name in ("g0", "g1", "g4")]
    expected = x[0][:, [0, 1, 4]] @ source.kernel[1, there] + source.bias[1]
    np.testing.assert_allclose(encoder.dense(x)[0], expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(encoder.norm.gamma[0], source.gamma[1])
    np.testing.assert_array_equal(encoder.norm.beta[0], source.beta[1])


def test_what_is_not_shared_begins_as_without_pretrained_encoders():
    one = network()
    start = pretrained().start(one, FEATURES, number=0)
    random = initial_weights(one, [7])
    begun, held = begun_from(random, [start])
    kernel = one.pretrainable["rna"].dense.kernel
    place = next(i for i, v in enumerate(one.trainable_variables) if v is kernel)
    shared = np.isin(FEATURES["rna"], pretrained().layers["rna"].features)
    assert shared.sum() == 3
    np.testing.assert_array_equal(begun[place][0, :5][~shared], random[place][0, :5][~shared])
    assert not np.array_equal(begun[place][0, :5][shared], random[place][0, :5][shared])
    assert held[place][0].any(axis=1).tolist() == [*shared, False, False, False]
    for other in set(range(len(random))) - set(start):
        np.testing.assert_array_equal(begun[other], random[other])
        assert not held[other].any()
    assert len(start) == 4  # nothing of mirna, which the file lacks


def test_networks_of_an_ensemble_begin_from_different_encoders_counted_round():
    one, start = network(), pretrained()
    first, second, third = (start.start(one, FEATURES, number) for number in range(3))
    place = next(iter(first))
    assert not np.array_equal(first[place], second[place], equal_nan=True)
    np.testing.assert_array_equal(first[place], third[place])


def squared_error(outputs, target, weight, settings):
    return weighted_mean((outputs[..., 0] - target[..., 0]) ** 2, weight)


@cache
def trainer() -> Trainer:
    return Trainer(network(members=2), squared_error, batch_rows=16, stop_rows=8, max_steps=2)


def trained_for(epochs: int, freeze: float, monkeypatch, start=None):
    """Train two members, the first of which begins pretrained."""
    start = pretrained().start(trainer().network, FEATURES, 0) if start is None else start
    return trained_from([start, {}], epochs, freeze, monkeypatch)


def trained_from(starts, epochs: int, freeze: float, monkeypatch):
    """Train a member from each start, with seeds from 5 on."""
    monkeypatch.setattr(training, "EPOCHS_WITHOUT_STOP", epochs)
    rng = np.random.default_rng(3)
    x = {name: rng.normal(size=(40, width)).astype(np.float32) for name, width in WIDTHS.items()}
    for name, names in FEATURES.items():
        x[name][:, len(names) :] = 0
    table = Table(x, np.ones((40, 2), np.float32), x["rna"][:, :1], np.ones(40, np.float32))
    one = trainer().network
    member = Member(
        seed=5,
        train=np.arange(32),
        stop=np.arange(32, 40),
        strata=np.zeros(32),
        stops=False,
        settings={**DEFAULTS, "freeze": freeze},
        constants=one.constants(FEATURES, DEFAULTS),
    )
    members = [replace(member, seed=seed, start=start) for seed, start in enumerate(starts, 5)]
    return trainer().train(table, members)


def test_frozen_encoders_stay_to_the_bit_and_move_when_the_epochs_are_over(monkeypatch):
    start = pretrained().start(trainer().network, FEATURES, 0)
    frozen, other = trained_for(3, 3, monkeypatch)
    later, _ = trained_for(4, 3, monkeypatch)
    for place, values in start.items():
        given = np.isfinite(values)
        np.testing.assert_array_equal(frozen.weights[place][given], values[given])
        assert (later.weights[place][given] != values[given]).mean() > 0.5  # units may be dead
    kernel = next(iter(start))
    alone = ~np.isfinite(start[kernel][:5])
    again, _ = trained_for(4, 3, monkeypatch)
    np.testing.assert_array_equal(again.weights[kernel], later.weights[kernel])
    # Rows of features that the file lacks, the rest of the network and other members go on.
    assert (frozen.weights[kernel][:5][alone] != later.weights[kernel][:5][alone]).all()
    random = initial_weights(trainer().network, [6, 6])
    moved = [not np.array_equal(w, r[0]) for w, r in zip(other.weights, random, strict=True)]
    assert moved[kernel]


def test_without_freezing_pretrained_encoders_move_from_the_first_step(monkeypatch):
    moved, _ = trained_for(1, 0, monkeypatch)
    for place, values in pretrained().start(trainer().network, FEATURES, 0).items():
        given = np.isfinite(values)
        assert (moved.weights[place][given] != values[given]).mean() > 0.5


def test_a_member_beside_one_that_begins_pretrained_is_as_it_is_alone(monkeypatch):
    _, beside = trained_for(3, 3, monkeypatch)
    _, alone = trained_for(3, 3, monkeypatch, start={})
    for one, other in zip(beside.weights, alone.weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_who_takes_a_free_place_begins_pretrained_whatever_others_begin_from(monkeypatch):
    """In one lane those without a start come first, in the other those with one."""
    start = pretrained().start(trainer().network, FEATURES, 0)
    found = trained_from([{}, start, {}, start, start, {}, start, {}], 3, 3, monkeypatch)
    assert [one.seed for one in found] == list(range(5, 13))
    for number in (1, 3, 4, 6):
        for place, values in start.items():
            given = np.isfinite(values)
            np.testing.assert_array_equal(found[number].weights[place][given], values[given])
    without = trained_from([{}, {}], 3, 3, monkeypatch)
    for one, other in zip(found[0].weights, without[0].weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_the_registry_names_the_families_that_take_pretrained_encoders():
    assert set(PRETRAINED) == {*TAKING, "late"}  # late trains fused networks of one layer
    for taking in TAKING.values():
        encoders = taking(WIDTHS, 1, 1).pretrainable
        assert {name: one.dense.units for name, one in encoders.items()} == dict.fromkeys(
            WIDTHS, HIDDEN
        )
    for leaving in (CnnNetwork, EarlyNetwork):
        assert leaving.pretrainable.fget(None) == {}


def test_encoders_of_another_size_are_refused_and_such_structures_not_tuned():
    fitting = fitting_structures(FusedNetwork, STRUCTURES, ["rna"], pretrained(HIDDEN))
    assert list(fitting) == ["default"]
    with pytest.raises(UnusablePretrainingError, match=r"6 hidden units, those of the fused .* 64"):
        fitting_structures(FusedNetwork, STRUCTURES, ["rna"], pretrained())
    with pytest.raises(UnusablePretrainingError, match="takes no pretrained encoders"):
        fitting_structures(EarlyNetwork, {"default": {}}, ["rna"], pretrained())


def test_encoders_of_strange_features_are_refused_and_those_of_strange_layers_not():
    strange = pretrained(rna=("ENSG1", "ENSG2"))
    with pytest.raises(UnusablePretrainingError, match=r"'rna' has g0.*pretrained one has ENSG1"):
        refuse_strangers(strange, [FEATURES])
    refuse_strangers(pretrained(protein=("p0",)), [FEATURES])
    assert "none of its features" in pretrained(protein=("p0",)).note(FEATURES)
    assert "500 samples (reconstruction), features shared: rna 3 of 5" in pretrained().note(
        FEATURES
    )


def written(folder: Path, patients=("p1",), **layers: tuple[str, ...]) -> Path:
    path = folder / "encoders.h5"
    write_pretrained(path, pretrained(HIDDEN, **layers), ["a", "b"], list(patients), {"seed": 1})
    return path


def test_a_file_is_read_as_it_was_written(tmp_path):
    path = written(tmp_path, ["p1", "p2"])
    found, meant = read_pretrained(path), pretrained(HIDDEN)
    assert (found.objective, found.n_samples, found.hidden) == ("reconstruction", 500, HIDDEN)
    assert found.layers["rna"].features == meant.layers["rna"].features
    np.testing.assert_array_equal(found.layers["rna"].kernel, meant.layers["rna"].kernel)
    assert read_seen(path).patients == {"p1", "p2"}
    assert read_pretrained(path).digest == found.digest != ""


def test_what_is_no_file_of_encoders_is_refused_with_what_to_give(tmp_path):
    text, other, newer = (tmp_path / name for name in ("a.tsv", "b.h5", "c.h5"))
    text.write_text("layer\n")
    h5py.File(other, "w").close()
    written(tmp_path).rename(newer)
    with h5py.File(newer, "a") as file:
        file.attrs["omicsfusion_pretrained_encoders"] = 99
    for path, telling in ((text, "no file of"), (other, "holds no"), (newer, "version 99")):
        with pytest.raises(UnusablePretrainingError, match=telling):
            read_pretrained(path)


def test_patients_are_found_who_are_tested_in_an_outer_fold_or_external(tmp_path):
    seen = read_seen(written(tmp_path, ["tested", "inner", "outside", "never"]))
    rows = [
        ("outer", "x1", "tested", "test"),
        ("outer", "a", "by_sample", "test"),
        ("outer", "x3", "never", "train"),
        ("0", "x4", "inner", "test"),
        ("outer", "x5", "outside", "external"),
    ]
    splits = pd.DataFrame(rows, columns=["inner", "sample", "patient", "role"])
    assert judged_and_seen(splits, seen) == ["by_sample", "outside", "tested"]


def train_fused(folder: Path, **more) -> None:
    train_group(
        out=str(folder / "fused.all"),
        model=more.pop("model", "fused"),
        matrices=sorted(folder.glob("*.matrices.h5")),
        splits=folder / "splits.tsv",
        samples=folder / "samples.tsv",
        horizons=None,
        group="all",
        task="regression",
        target="outcome",
        seed=3,
        **more,
    )


def test_trials_of_other_encoders_are_trials_on_other_data(tmp_path):
    write_cohort(tmp_path, "regression")
    reader, outcome = open_cohort(tmp_path, "regression")
    one, other = (replace(pretrained(), digest=digest) for digest in ("one", "other"))
    digests = {
        data_digest(reader, ["rna"], [outcome], [SCOPES[1]], encoders)
        for encoders in (None, one, other)
    }
    assert len(digests) == 3


def test_training_is_refused_on_tested_patients_and_for_families_without_encoders(tmp_path):
    write_cohort(tmp_path, "regression")
    with pytest.raises(SeenPatientsError, match=r"^--pretrained encoders.h5: 2 patients .* s000"):
        train_fused(tmp_path, pretrained=written(tmp_path, ["s000", "s001", "s002x"]))
    with pytest.raises(UnusablePretrainingError, match="'linear' takes no pretrained encoders"):
        train_fused(tmp_path, pretrained=written(tmp_path), model="linear")


def test_a_network_begins_pretrained_and_says_so(tmp_path):
    write_cohort(tmp_path, "regression")
    train_fused(tmp_path)
    before = read_tsv(tmp_path / "fused.all.curves.tsv")
    path = written(tmp_path, rna=tuple(f"rna_{column}" for column in range(9)))
    train_fused(tmp_path, pretrained=path, settings="freeze=5")
    record = read_tsv(tmp_path / "fused.all.training.tsv")
    assert record["setting"].str.contains("features shared: rna 9 of 1[12]").all()
    assert record["setting"].str.contains("freeze 5").all()
    after = read_tsv(tmp_path / "fused.all.curves.tsv")
    assert not before["stop_loss"].equals(after["stop_loss"])
