"""The variational autoencoder: its belief, its bound, and the layers that it generates."""

from functools import partial

import keras
import numpy as np
import pytest

from omicsfusion.models.ensemble import MemberEnsemble, ensemble_inputs
from omicsfusion.models.families.autoencoder import AutoencoderNetwork
from omicsfusion.models.families.vae import (
    FIRST_LOG_VARIANCE,
    SMALLEST_VARIANCE,
    VariationalNetwork,
    bounded,
    train,
)
from omicsfusion.models.generation import generate_layer
from omicsfusion.models.random_normal import normal
from omicsfusion.models.registry import ModelSpec
from omicsfusion.models.request import TrainingRequest
from omicsfusion.models.settings import DEFAULTS
from tests.latent_cohort import NOISE, OUTER, WIDTHS, open_latent_cohort, write_latent_cohort

NARROW = {"mirna": 4, "rna": 6}
DRAW = {"seed": np.array([(5, 0)], np.uint32)}


def a_network(**more) -> VariationalNetwork:
    """Return one member that uses three of the columns of ``mirna`` and all of ``rna``."""
    network = VariationalNetwork(NARROW, 1, 1, **more)
    network.build()
    names = {"mirna": ["a", "b", "c"], "rna": list("uvwxyz")}
    constants = network.constants(names, DEFAULTS)
    for variable, value in zip(network.non_trainable_variables, constants, strict=True):
        variable.assign(value[None])
    rng = np.random.default_rng(0)
    for variable in network.trainable_variables:
        variable.assign(0.5 * rng.normal(size=variable.shape))
    return network


def without_dropout(network: VariationalNetwork) -> VariationalNetwork:
    inside = [encoder.hidden.dropout for encoder in network.encoders]
    for dropout in (*network.input_dropout, *inside, network.joint.dropout, network.omics_dropout):
        dropout.amount.assign([0.0])
    return network


def random_inputs(rows: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {name: rng.normal(size=(1, rows, width)).astype("f4") for name, width in NARROW.items()}


def test_normal_numbers_are_normal_and_those_of_a_member_are_its_own():
    numbers = np.asarray(normal({"seed": np.array([(1, 0), (2, 0)], np.uint32)}, 2, 200, 301))
    for of_member in numbers:
        # Standard errors: .0041 of the mean, .0029 of the sd, .0009 of a share of 5 %.
        assert abs(of_member.mean()) < 0.02
        assert abs(of_member.std() - 1) < 0.015
        assert abs((np.abs(of_member) > 1.96).mean() - 0.05) < 0.0045
    assert abs(np.corrcoef(numbers[0].ravel(), numbers[1].ravel())[0, 1]) < 0.02
    np.testing.assert_array_equal(
        normal({"seed": np.array([(2, 0)], np.uint32)}, 2, 200, 301)[0], numbers[1]
    )


def test_the_belief_is_the_product_of_the_prior_and_the_experts_there():
    network, x = a_network(), random_inputs(rows=3)
    present = np.array([[[1, 1], [0, 1], [0, 0]]], np.float32)
    mean, variance = (np.asarray(part)[0] for part in network.posterior(x, present))
    says = [
        np.split(np.asarray(encoder(x[name]))[0], 2, axis=-1)
        for name, encoder in zip(NARROW, network.encoders, strict=True)
    ]
    precision = [
        np.exp(-np.asarray(bounded(FIRST_LOG_VARIANCE + log_variance, 8.0)))
        for _, log_variance in says
    ]
    for row, experts in ((0, (0, 1)), (1, (1,)), (2, ())):
        total = 1 + sum(precision[e][row] for e in experts)
        weighed = sum(precision[e][row] * says[e][0][row] for e in experts)
        np.testing.assert_allclose(variance[row], 1 / total, rtol=1e-4)
        np.testing.assert_allclose(mean[row], weighed / total, rtol=1e-4, atol=1e-5)


def test_what_an_expert_says_is_bounded_and_about_itself_near_zero():
    np.testing.assert_allclose(bounded(np.array([-0.5, 0.1], "f4"), 8.0), [-0.5, 0.1], rtol=2e-3)
    assert np.abs(np.asarray(bounded(np.array([-1e30, 1e30], "f4"), 8.0))).max() == 8.0


def test_the_loss_is_minus_the_bound_of_the_features_in_use_of_the_layers_there():
    network, x = without_dropout(a_network(reconstruction=3.0, beta=0.25)), random_inputs(rows=4)
    present = np.array([[[1, 1], [0, 1], [1, 0], [0, 0]]], np.float32)
    outputs = np.asarray(network(x, present, DRAW))
    (loss,) = network.losses
    mean, variance = (np.asarray(part) for part in network.posterior(x, present))
    latent = mean + np.sqrt(variance) * np.asarray(normal(DRAW, 2, 4, mean.shape[-1]))
    divergence = 0.5 * (variance + mean**2 - 1 - np.log(variance))[0].sum(axis=-1)
    surprise = {}
    for name, decoder, noise in zip(NARROW, network.decoders, network.variances, strict=True):
        around = SMALLEST_VARIANCE + np.exp(np.asarray(noise.log_variance)[0])
        off = np.asarray(decoder(latent))[0] - x[name][0]
        surprise[name] = 0.5 * (off**2 / around + np.log(around))
    mirna, rna = surprise["mirna"][:, :3].sum(axis=-1), surprise["rna"].sum(axis=-1)
    expected = [
        (mirna[0] + rna[0] + 0.25 * divergence[0]) / 9,
        (rna[1] + 0.25 * divergence[1]) / 6,
        (mirna[2] + 0.25 * divergence[2]) / 3,
        0.0,
    ]
    np.testing.assert_allclose(loss[0], 3.0 * np.array(expected), rtol=1e-4)
    # The outcome is learnt from the latent drawn, and predicted from its mean.
    for draw, at in ((DRAW, latent), (None, mean)):
        both = np.concatenate([at, np.asarray(network.joint(at))], axis=-1)
        np.testing.assert_allclose(
            network.head(both), network(x, present, draw), rtol=1e-4, atol=1e-4
        )
    assert not np.allclose(outputs, network(x, present), atol=1e-3)


def test_a_layer_that_dropout_hid_is_neither_read_nor_reconstructed():
    network, x = without_dropout(a_network()), random_inputs(rows=64)
    network.omics_dropout.amount.assign([1.0])  # every sample keeps one layer
    everything = np.ones((1, 64, 2), np.float32)
    outputs = np.asarray(network(x, everything, DRAW))
    (loss,) = network.losses
    left = np.asarray(network.omics_dropout(everything, DRAW))
    assert (left.sum(axis=-1) == 1).all()
    spoilt = {
        name: np.where(left[..., i : i + 1] > 0, x[name], 1e6).astype("f4")
        for i, name in enumerate(NARROW)
    }
    np.testing.assert_array_equal(network(spoilt, everything, DRAW), outputs)
    np.testing.assert_array_equal(network.losses[0], loss)


def test_a_generated_layer_has_the_mean_and_the_variance_over_draws_of_the_latent():
    network, x = a_network(), random_inputs(rows=3)
    present = np.array([[[0, 1], [1, 0], [0, 0]]], np.float32)
    noise = np.random.default_rng(2).normal(size=(50, 1, 32)).astype("f4")
    mean, variance = network.generate(x, present, "mirna", noise)
    centre, width = (np.asarray(part) for part in network.posterior(x, present))
    said = np.stack(
        [np.asarray(network.decoders[0](centre + np.sqrt(width) * step[:, None])) for step in noise]
    )
    around = SMALLEST_VARIANCE + np.exp(np.asarray(network.variances[0].log_variance))[:, None]
    np.testing.assert_allclose(mean, said.mean(axis=0), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(variance, said.var(axis=0) + around, rtol=1e-3)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return the saved ensemble of a cohort with shared factors, and the data of its scope."""
    folder = tmp_path_factory.mktemp("latent")
    write_latent_cohort(folder)
    reader, outcome = open_latent_cohort(folder)
    spec = ModelSpec("vae", "vae", ("mirna", "rna"))
    (fit,) = train(TrainingRequest(spec, outcome, [], seed=3), reader)
    fit.save(folder / "model")
    model = keras.saving.load_model(folder / "model.keras", compile=False)
    return model, reader.load(OUTER, spec.layers)


@pytest.mark.parametrize("layer", WIDTHS)
def test_a_generated_layer_tells_of_the_hidden_one_and_how_far_off_it_is(trained, layer):
    model, data = trained
    test = data.rows("test")
    generated = generate_layer(model, ensemble_inputs(model, data, test), layer, seed=1)
    truth = data.layers[layer].x[test]
    assert generated.features == list(data.layers[layer].features)
    assert generated.mean.shape == generated.sd.shape == truth.shape
    # Of the variance, 1 - NOISE comes from factors: no one can do better than its square root.
    correlation = np.corrcoef(generated.mean.ravel(), truth.ravel())[0, 1]
    assert 0.4 < correlation < np.sqrt(1 - NOISE) + 0.05
    covered = np.mean(np.abs(truth - generated.mean) < 1.96 * generated.sd)
    assert 0.92 < covered < 0.98


def test_generation_does_not_look_at_the_layer_nor_at_other_samples_and_hangs_on_its_seed(trained):
    model, data = trained
    inputs = ensemble_inputs(model, data, data.rows("test"))
    generate = partial(generate_layer, model, layer="mirna")
    before = generate(inputs, seed=1)
    blind = {**inputs, "x": {**inputs["x"], "mirna": np.full_like(inputs["x"]["mirna"], np.nan)}}
    again = generate(blind, seed=1)
    np.testing.assert_array_equal(again.mean, before.mean)
    np.testing.assert_array_equal(again.sd, before.sd)
    some = {
        "x": {name: values[7:9] for name, values in inputs["x"].items()},
        "present": inputs["present"][7:9],
    }
    np.testing.assert_allclose(generate(some, seed=1).mean, before.mean[7:9], rtol=1e-4, atol=1e-5)
    other = generate(inputs, seed=2).mean
    assert 0 < np.abs(other - before.mean).max() < 0.1


def test_a_sample_of_which_less_is_known_is_generated_with_more_uncertainty(trained):
    model, data = trained
    inputs = ensemble_inputs(model, data, data.rows("test"))
    nothing = {**inputs, "present": np.zeros_like(inputs["present"])}
    known, unknown = (generate_layer(model, given, "mirna", 1).sd for given in (inputs, nothing))
    assert known.mean() < unknown.mean()


def test_generating_what_cannot_be_generated_is_refused_with_what_can():
    names = {"mirna": list("abcd"), "rna": []}
    inputs = {
        "x": {name: np.zeros((1, width), "f4") for name, width in NARROW.items()},
        "present": np.ones((1, 2), "f4"),
    }
    model = MemberEnsemble(a_network(), "identity", ["mean"], names)
    with pytest.raises(ValueError, match=r"'rna'.*mirna"):
        generate_layer(model, inputs, "rna", 1)
    with pytest.raises(ValueError, match=r"'protein'.*mirna"):
        generate_layer(model, inputs, "protein", 1)
    other = MemberEnsemble(AutoencoderNetwork(NARROW, 1, 1), "identity", ["mean"], names)
    with pytest.raises(ValueError, match="AutoencoderNetwork cannot generate"):
        generate_layer(other, inputs, "mirna", 1)
