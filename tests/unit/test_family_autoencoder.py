"""The autoencoder: what its reconstruction error is of, and that it learns to fill in."""

import keras
import numpy as np
import pytest

from omicsfusion.models.families.autoencoder import AutoencoderNetwork, train
from omicsfusion.models.registry import ModelSpec
from omicsfusion.models.request import TrainingRequest
from omicsfusion.models.settings import DEFAULTS
from tests.latent_cohort import OUTER, open_latent_cohort, write_latent_cohort

WIDTHS = {"mirna": 4, "rna": 6}
DRAW = {"seed": np.array([(5, 0)], np.uint32)}


def a_network(**more) -> AutoencoderNetwork:
    """Return one member that uses three of the columns of ``mirna`` and all of ``rna``."""
    network = AutoencoderNetwork(WIDTHS, 1, 1, **more)
    network.build()
    names = {"mirna": ["a", "b", "c"], "rna": list("uvwxyz")}
    constants = network.constants(names, DEFAULTS)
    for variable, value in zip(network.non_trainable_variables, constants, strict=True):
        variable.assign(value[None])
    rng = np.random.default_rng(0)
    for variable in network.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    return network


def random_inputs(rows: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {name: rng.normal(size=(1, rows, width)).astype("f4") for name, width in WIDTHS.items()}


def test_the_error_is_the_mean_square_over_the_features_in_use_of_the_layers_there():
    network, x = a_network(), random_inputs(rows=4)
    present = np.array([[[1, 1], [0, 1], [1, 0], [0, 0]]], np.float32)
    latent = network.encode(x, present)
    mirna, rna = (
        np.square(np.asarray(decoder(latent))[0] - x[name][0])
        for name, decoder in zip(WIDTHS, network.decoders, strict=True)
    )
    expected = [
        (mirna[0, :3].sum() + rna[0].sum()) / 9,
        rna[1].mean(),
        mirna[2, :3].mean(),
        0.0,
    ]
    found = network.reconstruction_error(x, present, latent)
    np.testing.assert_allclose(found[0], expected, rtol=1e-5)


def test_a_layer_that_dropout_hid_is_not_read_but_must_be_reconstructed():
    network, x = a_network(reconstruction=0.5), random_inputs(rows=64)
    network.omics_dropout.amount.assign([1.0])  # every sample keeps one layer
    for dropout in (*network.input_dropout, network.joint.dropout):
        dropout.amount.assign([0.0])
    for encoder in network.encoders:
        encoder.hidden.dropout.amount.assign([0.0])
    present = np.ones((1, 64, 2), np.float32)
    outputs = np.asarray(network(x, present, DRAW))
    (loss,) = network.losses
    left = np.asarray(network.omics_dropout(present, DRAW))
    assert (left.sum(axis=-1) == 1).all()
    latent = network.encode(x, left)
    np.testing.assert_allclose(outputs, network.head(latent), rtol=1e-5, atol=1e-5)
    expected = 0.5 * np.asarray(network.reconstruction_error(x, present, latent))
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return the saved network of a cohort with shared factors, and the data of its scope."""
    folder = tmp_path_factory.mktemp("latent")
    write_latent_cohort(folder)
    reader, outcome = open_latent_cohort(folder)
    spec = ModelSpec("autoencoder", "autoencoder", ("mirna", "rna"))
    (fit,) = train(TrainingRequest(spec, outcome, [], seed=3), reader)
    fit.save(folder / "model")
    model = keras.saving.load_model(folder / "model.keras", compile=False)
    return model.network, reader.load(OUTER, spec.layers), fit


def test_the_latent_of_one_layer_tells_of_the_other(trained):
    network, data, fit = trained
    assert fit.record["status"] == "ok"
    test = data.rows("test")
    x = {name: np.stack([block.x[test]] * network.members) for name, block in data.layers.items()}
    for column, name in enumerate(WIDTHS):
        present = np.ones((network.members, len(test), 2), np.float32)
        present[..., column] = 0
        said = np.asarray(network.decoders[column](network.encode(x, present))).mean(axis=0)
        assert np.corrcoef(said.ravel(), x[name][0].ravel())[0, 1] > 0.4
