"""What the autoencoder and the variational autoencoder must both do, and must not notice."""

from functools import cache

import keras
import numpy as np
import pandas as pd
import pytest

from omicsfusion.models import training
from omicsfusion.models.archive import save_archive
from omicsfusion.models.backend import compiled, output_gradients
from omicsfusion.models.dealing import Member
from omicsfusion.models.ensemble import MemberEnsemble, ensemble_inputs, widened
from omicsfusion.models.families import autoencoder, vae
from omicsfusion.models.families.autoencoder import AutoencoderNetwork
from omicsfusion.models.families.vae import VariationalNetwork
from omicsfusion.models.fit import prediction_table
from omicsfusion.models.heads.base import weighted_mean
from omicsfusion.models.registry import ModelSpec
from omicsfusion.models.request import TrainingRequest
from omicsfusion.models.settings import DEFAULTS
from omicsfusion.models.training import Table, Trainer
from tests.family_tasks import families_and_tasks
from tests.network_cohort import open_cohort, write_cohort
from tests.trained_families import require_signal

FAMILIES = {"autoencoder": autoencoder, "vae": vae}
NETWORKS = {"autoencoder": AutoencoderNetwork, "vae": VariationalNetwork}
WIDTHS = {"mirna": 4, "rna": 6}
MEMBERS, ROWS = 3, 5
DRAW = {"seed": np.array([(1, 0), (2, 0), (3, 0)], np.uint32)}
EVERYTHING = np.ones((MEMBERS, ROWS, 2), np.float32)
OFTEN = {"autoencoder": "regression", "vae": "regression"}


def names_of(widths) -> dict[str, list[str]]:
    return {layer: [f"{layer}_{i}" for i in range(width)] for layer, width in widths.items()}


def built(family: str, widths=WIDTHS, used=WIDTHS, members: int = MEMBERS):
    """Return a network that knows the columns in ``used``, none of whose weights is zero."""
    network = NETWORKS[family](widths, 2, members)
    network.build()
    constants = network.constants(names_of(used), DEFAULTS)
    for variable, value in zip(network.non_trainable_variables, constants, strict=True):
        variable.assign(np.stack([value] * members))
    rng = np.random.default_rng(0)
    for variable in network.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    return network


def random_inputs(widths=WIDTHS) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {
        name: rng.normal(size=(MEMBERS, ROWS, width)).astype(np.float32)
        for name, width in widths.items()
    }


def outputs_and_loss(network, x, present, draw) -> tuple[np.ndarray, list[np.ndarray]]:
    outputs = np.asarray(network(x, present, draw))
    return outputs, [np.asarray(loss) for loss in network.losses]


@pytest.mark.parametrize("family", FAMILIES)
def test_outputs_have_their_shape_and_only_training_adds_to_the_loss(family):
    network, x = built(family), random_inputs()
    outputs, losses = outputs_and_loss(network, x, EVERYTHING, None)
    assert outputs.shape == (MEMBERS, ROWS, 2)
    assert losses == []
    outputs, (loss,) = outputs_and_loss(network, x, EVERYTHING, DRAW)
    assert loss.shape == (MEMBERS, ROWS)
    assert np.isfinite(outputs).all()
    assert np.isfinite(loss).all()
    again = compiled(network)(x, EVERYTHING, DRAW)
    np.testing.assert_allclose(again, outputs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("draw", [None, DRAW], ids=["predict", "train"])
@pytest.mark.parametrize("junk", [-1e6, np.nan, np.inf])
@pytest.mark.parametrize("column", range(2), ids=WIDTHS)
@pytest.mark.parametrize("family", FAMILIES)
def test_values_of_an_absent_layer_change_neither_outputs_nor_loss(family, column, junk, draw):
    network, x, present = built(family), random_inputs(), EVERYTHING.copy()
    present[:, 2, column] = 0
    outputs, losses = outputs_and_loss(network, x, present, draw)
    name = list(WIDTHS)[column]
    x[name][:, 2] = junk
    after, losses_after = outputs_and_loss(network, x, present, draw)
    np.testing.assert_array_equal(after, outputs)
    np.testing.assert_array_equal(losses_after, losses)
    assert np.isfinite(outputs).all()
    x[name][:, 2] = 1.0
    assert not np.array_equal(network(x, EVERYTHING, draw), outputs)


@pytest.mark.parametrize("draw", [None, DRAW], ids=["predict", "train"])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_sample_without_any_layer_gets_an_output_and_adds_nothing_to_the_loss(family, draw):
    x = {name: np.full_like(values, np.nan) for name, values in random_inputs().items()}
    outputs, losses = outputs_and_loss(built(family), x, np.zeros_like(EVERYTHING), draw)
    assert np.isfinite(outputs).all()
    for loss in losses:
        np.testing.assert_array_equal(loss, np.zeros((MEMBERS, ROWS)))


@pytest.mark.parametrize("family", FAMILIES)
def test_columns_of_padding_never_matter_whatever_their_weights(family):
    narrow = built(family)
    more = {"mirna": 7, "rna": 9}
    wide = built(family, more)
    pairs = zip(wide.trainable_variables, narrow.trainable_variables, strict=True)
    for variable, values in pairs:
        junk = np.array(variable)
        junk[tuple(slice(size) for size in values.shape)] = values
        variable.assign(junk)
    x = random_inputs()
    padded = {
        name: np.pad(values, ((0, 0), (0, 0), (0, more[name] - WIDTHS[name])))
        for name, values in x.items()
    }
    for draw in (None, DRAW):
        outputs, losses = outputs_and_loss(narrow, x, EVERYTHING, draw)
        again, losses_again = outputs_and_loss(wide, padded, EVERYTHING, draw)
        np.testing.assert_allclose(again, outputs, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(losses_again, losses, rtol=1e-4)


def squared_error(outputs, target, weight, settings):
    return weighted_mean((outputs[..., 0] - target[..., 0]) ** 2, weight)


@pytest.mark.parametrize("family", FAMILIES)
def test_after_one_epoch_a_member_alone_and_among_others_agree(family, monkeypatch):
    monkeypatch.setattr(training, "EPOCHS_WITHOUT_STOP", 1)
    network = NETWORKS[family](WIDTHS, 1, MEMBERS)
    network.build()
    rng = np.random.default_rng(3)
    x = {name: rng.normal(size=(40, w)).astype(np.float32) for name, w in WIDTHS.items()}
    x["rna"][:, 5] = 0  # padding
    present = (rng.random((40, 2)) < 0.8).astype(np.float32)
    table = Table(x, present, x["rna"][:, :1], np.ones(40, np.float32))
    trainer = Trainer(network, squared_error, batch_rows=16, stop_rows=8, max_steps=2)

    def member(seed: int, rna: int = 5) -> Member:
        return Member(
            seed=seed,
            train=np.arange(32),
            stop=np.arange(32, 40),
            strata=np.zeros(32),
            stops=False,
            settings=DEFAULTS,
            constants=network.constants(names_of({"mirna": 4, "rna": rna}), DEFAULTS),
        )

    among = trainer.train(table, [member(1, rna=3), member(7), member(2, rna=2)])[1]
    alone = trainer.train(table, [member(7)])[0]
    assert len(alone.curve) == 1
    np.testing.assert_allclose(alone.curve, among.curve, rtol=1e-5)
    for one, other in zip(alone.weights, among.weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_archive_holds_a_network_of_another_structure_too(family, tmp_path):
    network = NETWORKS[family](WIDTHS, 2, 1, hidden=5, latent=3, reconstruction=0.5)
    model = MemberEnsemble(network, "softmax", ["a", "b"], names_of(WIDTHS))
    rng = np.random.default_rng(0)
    for variable in network.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    save_archive(model, tmp_path / "model")
    again = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    assert again.network.get_config() == network.get_config()
    inputs = {
        "x": {name: values[0] for name, values in random_inputs().items()},
        "present": EVERYTHING[0],
    }
    np.testing.assert_array_equal(again(inputs), model(inputs))


@pytest.fixture(scope="module")
def trained_on(tmp_path_factory):
    """Return a function from family and task to the folder, the reader and the fits."""

    @cache
    def trained_on(family: str, task: str):
        folder = tmp_path_factory.mktemp(f"{family}-{task}")
        write_cohort(folder, task)
        reader, outcome = open_cohort(folder, task)
        spec = ModelSpec(family, family, ("mirna", "rna"))
        request = TrainingRequest(spec, outcome, [1.0, 2.0], 3)
        fits = FAMILIES[family].train(request, reader)
        return reader, fits, prediction_table(fits, family, "outcome", outcome)

    return trained_on


@pytest.mark.parametrize(("family", "task"), families_and_tasks(OFTEN))
def test_the_signal_is_found_in_samples_not_trained_on(family, task, trained_on):
    table: pd.DataFrame = trained_on(family, task)[2]
    require_signal(table, task)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_archive_gives_the_predictions_of_the_table_and_gradients(family, trained_on, tmp_path):
    reader, fits, table = trained_on(family, "regression")
    for fit in (fit for fit in fits if fit.save):
        fit.save(tmp_path / fit.scope.key)
        model = keras.saving.load_model(tmp_path / f"{fit.scope.key}.keras", compile=False)
        data = reader.load(fit.scope, ("mirna", "rna"))
        inputs = ensemble_inputs(model, data, data.rows("test"))
        mine = table[(table["fold"] == fit.scope.fold) & (table["inner"] == fit.scope.inner)]
        outputs = np.asarray(model(inputs))
        np.testing.assert_allclose(outputs, mine[model.outputs_named], rtol=1e-4, atol=1e-3)
        wide = widened(model, {"mirna": 9, "rna": 20})
        padded = ensemble_inputs(wide, data, data.rows("test"))
        np.testing.assert_allclose(wide(padded), outputs, rtol=1e-4, atol=1e-3)
        tensors = keras.tree.map_structure(keras.ops.convert_to_tensor, inputs)
        (gradient,) = output_gradients(model, tensors["x"], tensors["present"])
        absent = inputs["present"][:, 0] == 0
        assert absent.any()
        assert np.asarray(gradient["rna"]).any()
        assert not np.asarray(gradient["mirna"])[absent].any()
