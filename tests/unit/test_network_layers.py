import keras
import numpy as np
import pytest

from omicsfusion.models.families.fused import FusedNetwork
from omicsfusion.models.layers import MaskedGate, MemberDense, MemberNorm
from omicsfusion.models.optimiser import initial_weights
from omicsfusion.models.random_bits import uniform
from omicsfusion.models.random_layers import MemberDropout, MemberNoise, OmicsDropout

WIDTHS = {"rna": 6, "mirna": 4}


def draws(*pairs: tuple[int, int]) -> dict[str, np.ndarray]:
    """Return (seed, step) of each member."""
    return {"seed": np.array(pairs, dtype=np.uint32)}


def random_network(members: int = 3, units: int = 2) -> FusedNetwork:
    """Return a network none of whose weights is zero."""
    network = FusedNetwork(WIDTHS, units, members)
    network.build()
    rng = np.random.default_rng(0)
    for variable in network.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    return network


def random_inputs(members: int = 3, rows: int = 5) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    shapes = {name: (members, rows, width) for name, width in WIDTHS.items()}
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def test_random_numbers_are_uniform_and_independent_across_rows_columns_steps_and_places():
    first = np.asarray(uniform(draws((5, 0)), 0, 200, 300)).ravel()
    assert first.min() >= 0
    assert first.max() < 1
    # Standard errors: 0.0012 of the mean, 0.0041 of a correlation.
    assert abs(first.mean() - 0.5) < 0.006
    assert abs(np.quantile(first, 0.9) - 0.9) < 0.006
    others = {
        "next row": first.reshape(200, 300)[1:].ravel(),
        "next column": np.roll(first, -1),
        "next step": np.asarray(uniform(draws((5, 1)), 0, 200, 300)).ravel(),
        "next place": np.asarray(uniform(draws((5, 0)), 1, 200, 300)).ravel(),
        "next seed": np.asarray(uniform(draws((6, 0)), 0, 200, 300)).ravel(),
    }
    for name, other in others.items():
        assert abs(np.corrcoef(first[: len(other)], other)[0, 1]) < 0.02, name


def test_a_members_random_numbers_do_not_hang_on_its_neighbours_or_on_the_padding():
    alone = np.asarray(uniform(draws((7, 3)), 2, 4, 5))[0]
    among = np.asarray(uniform(draws((1, 3), (2, 9), (7, 3)), 2, 6, 9))[2, :4, :5]
    np.testing.assert_array_equal(alone, among)


def test_a_dense_layer_computes_each_member_by_itself():
    layer = MemberDense(2, members=3)
    x = random_inputs()["rna"]
    layer(x)
    kernel = np.random.default_rng(2).normal(size=(3, 6, 2)).astype(np.float32)
    bias = np.arange(6, dtype=np.float32).reshape(3, 2)
    layer.kernel.assign(kernel)
    layer.bias.assign(bias)
    expected = [x[m] @ kernel[m] / np.sqrt(6) + bias[m] for m in range(3)]
    np.testing.assert_allclose(layer(x), np.stack(expected), rtol=1e-5, atol=1e-6)


def test_layer_norm_agrees_with_that_of_keras():
    x = random_inputs()["rna"]
    np.testing.assert_allclose(
        MemberNorm(3)(x), keras.layers.LayerNormalization(epsilon=1e-5)(x), rtol=1e-4, atol=1e-5
    )


def test_dropout_keeps_the_mean_drops_its_share_and_does_nothing_at_prediction():
    layer = MemberDropout("hidden_dropout", members=2, place=1)
    rates = [0.4, 0.1]
    layer.amount.assign(rates)
    ones = np.ones((2, 100, 200), np.float32)
    dropped = np.asarray(layer(ones, draws((1, 0), (2, 0))))
    for of_member, rate in zip(dropped, rates, strict=True):
        assert abs((of_member == 0).mean() - rate) < 0.018  # 5 standard errors
        np.testing.assert_allclose(of_member[of_member > 0], 1 / (1 - rate), rtol=1e-6)
    np.testing.assert_array_equal(layer(ones), ones)


def test_noise_is_normal_has_each_members_width_and_spares_padding():
    layer = MemberNoise("input_noise", members=2, place=1)
    widths = [0.5, 2.0]
    layer.amount.assign(widths)
    ones = np.ones((2, 100, 300), np.float32)
    ones[:, :, 200:] = 0
    noisy = np.asarray(layer(ones, draws((1, 0), (2, 0))))
    for of_member, width in zip(noisy, widths, strict=True):
        noise = (of_member[:, :200].ravel() - 1) / width
        # Standard errors: .0071 of the mean, .005 of the sd, .0017 of a share of 5 %.
        assert abs(noise.mean()) < 0.035
        assert abs(noise.std() - 1) < 0.025
        assert abs((np.abs(noise) > 1.96).mean() - 0.05) < 0.008
        assert not of_member[:, 200:].any()
    np.testing.assert_array_equal(layer(ones), ones)


def test_omics_dropout_leaves_every_sample_a_layer_and_gives_none_it_lacks():
    present = (np.random.default_rng(3).random((2, 300, 4)) < 0.5).astype(np.float32)
    layer = OmicsDropout("omics_dropout", members=2, place=1)
    layer.amount.assign([0.9, 0.9])
    left = np.asarray(layer(present, draws((1, 0), (2, 0))))
    assert (left <= present).all()
    np.testing.assert_array_equal(left.max(axis=-1), present.max(axis=-1))
    assert left.sum() < present.sum()


def test_the_gate_is_a_softmax_over_the_layers_that_are_there():
    gate = MaskedGate(1)
    tokens = np.random.default_rng(4).normal(size=(1, 1, 3, 4)).astype(np.float32)
    present = np.array([[[1, 0, 1]]], np.float32)
    gate(tokens, present)
    gate.bias.assign([[0.0, 9.0, np.log(3.0)]])
    expected = 0.25 * tokens[0, 0, 0] + 0.75 * tokens[0, 0, 2]
    np.testing.assert_allclose(gate(tokens, present)[0, 0], expected, rtol=1e-5)
    assert not np.any(gate(tokens, np.zeros_like(present)))


@pytest.mark.parametrize("draw", [None, draws((1, 0), (2, 0), (3, 0))], ids=["predict", "train"])
@pytest.mark.parametrize("junk", [-1e6, np.nan, np.inf])
def test_values_of_an_absent_layer_change_nothing_at_all(draw, junk):
    network, x = random_network(), random_inputs()
    present = np.ones((3, 5, 2), np.float32)
    present[:, 2, 0] = 0  # mirna: layers are in sorted order
    before = np.asarray(network(x, present, draw))
    x["mirna"][:, 2] = junk
    np.testing.assert_array_equal(network(x, present, draw), before)
    present[:, 2, 0] = 1
    assert not np.array_equal(network(x, present, draw), before)


def test_a_sample_without_any_layer_gets_the_prediction_of_the_bias():
    network = random_network()
    outputs = network(random_inputs(), np.zeros((3, 5, 2), np.float32))
    np.testing.assert_array_equal(
        outputs, np.broadcast_to(np.asarray(network.head.dense.bias)[:, None, :], (3, 5, 2))
    )


def test_columns_of_padding_never_matter():
    narrow, wide = (
        FusedNetwork({"mirna": 4, "rna": width}, units=2, members=2) for width in (6, 9)
    )
    for network in (narrow, wide):
        network.build()
        for variable, values in zip(
            network.trainable_variables, initial_weights(network, [3, 4]), strict=True
        ):
            variable.assign(values)
        for dense in network.readers["rna"]:
            dense.fan_in.assign([6.0, 6.0])
    x = {name: values[:2] for name, values in random_inputs().items()}
    padded = {**x, "rna": np.pad(x["rna"], ((0, 0), (0, 0), (0, 3)))}
    present = np.ones((2, 5, 2), np.float32)
    for draw in (None, draws((1, 0), (2, 0))):
        np.testing.assert_allclose(
            narrow(x, present, draw), wide(padded, present, draw), rtol=1e-5, atol=1e-6
        )
