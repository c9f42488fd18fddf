"""Low-rank fusion is a linear map of the outer product of all tokens."""

import numpy as np
import pytest

from omicsfusion.models.families.tensor import LowRankFusion, TensorNetwork
from tests.plain_layers import all_random, dense, encoded, normed
from tests.small_networks import MEMBERS, everything, random_inputs

LAYERS, WIDTH, UNITS, RANK = 3, 4, 5, 2
FEATURES = {"cnv": tuple("abc"), "mirna": tuple("abcd"), "rna": tuple("abcdefgh")}


def full_tensor(fusion: LowRankFusion, member: int, layers: list[int]) -> np.ndarray:
    """Build the tensor of the linear map: (width + 1) for each of ``layers``, then units."""
    kernel = np.asarray(fusion.kernel, np.float64)[member] / np.sqrt(WIDTH)
    constant = np.asarray(fusion.constant, np.float64)[member][:, None]
    factors = np.concatenate([kernel, constant], axis=1).reshape(LAYERS, WIDTH + 1, RANK, UNITS)
    modes = "abc"[: len(layers)]
    terms = ",".join(f"{mode}ru" for mode in modes)
    return np.einsum(f"{terms}->{modes}u", *factors[layers]) / np.sqrt(RANK)


@pytest.mark.parametrize("layers", [[0, 1, 2], [0, 2], [1]])
def test_it_is_the_full_tensor_contracted_with_the_outer_product_of_the_layers_there(layers):
    rng = np.random.default_rng(0)
    tokens = rng.normal(size=(MEMBERS, 4, LAYERS, WIDTH)).astype(np.float32)
    present = np.zeros((MEMBERS, 4, LAYERS), np.float32)
    present[..., layers] = 1
    fusion = LowRankFusion(UNITS, RANK, MEMBERS)
    fusion.build(tokens.shape)
    for variable in fusion.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    found = np.asarray(fusion(tokens, present))
    modes = "abc"[: len(layers)]
    with_one = np.pad(tokens, ((0, 0), (0, 0), (0, 0), (0, 1)), constant_values=1.0)
    for m, b in np.ndindex(MEMBERS, 4):
        outer = np.einsum(",".join(modes) + f"->{modes}", *with_one[m, b, layers])
        expected = np.einsum(f"{modes},{modes}u->u", outer, full_tensor(fusion, m, layers))
        np.testing.assert_allclose(found[m, b], expected, rtol=1e-4, atol=1e-5)


def test_a_layer_that_is_not_there_has_the_factor_one_and_none_at_all_the_root_of_the_rank():
    fusion = LowRankFusion(UNITS, RANK, MEMBERS)
    tokens = np.full((MEMBERS, 4, LAYERS, WIDTH), 1e30, np.float32)
    fusion.build(tokens.shape)
    fusion.kernel.assign(np.ones(fusion.kernel.shape))
    np.testing.assert_allclose(fusion(tokens, np.zeros((MEMBERS, 4, LAYERS))), np.sqrt(RANK))


def test_the_network_agrees_with_numpy_on_the_layers_that_are_there():
    network = all_random(TensorNetwork(_widths(), 2, MEMBERS, hidden=4, fused=5, rank=3))
    x, present = random_inputs(FEATURES), everything(FEATURES)
    present[0, 1, 2] = present[1, 2, :2] = 0
    found = np.asarray(network(x, present))
    for m, b in np.ndindex(present.shape[:2]):
        product, wide = np.ones(15), 0.0
        for i in np.flatnonzero(present[m, b]):
            row = x[list(FEATURES)[i]][m, b][None]
            token = encoded(row, network.encoders[i], m)[0]
            kernel, constant = network.fusion.kernel[m, i], network.fusion.constant[m, i]
            product = product * (token @ np.asarray(kernel) / 2 + np.asarray(constant))
            wide = wide + dense(row, network.wide[i], m)
        fused = product.reshape(3, 5).sum(axis=0)[None] / np.sqrt(3)
        expected = dense(normed(fused, network.norm, m), network.head.dense, m) + wide
        np.testing.assert_allclose(found[m, b], expected[0], rtol=1e-3, atol=1e-4)


def test_extreme_features_of_many_layers_do_not_make_the_product_overflow():
    widths = {f"layer{i:02d}": 6 for i in range(12)}
    network = all_random(TensorNetwork(widths, 2, MEMBERS))
    rng = np.random.default_rng(0)
    x = {name: 1e6 * rng.normal(size=(MEMBERS, 5, 6)).astype(np.float32) for name in widths}
    for wide in network.wide:
        wide.kernel.assign(np.zeros(wide.kernel.shape))
    outputs = np.asarray(network(x, np.ones((MEMBERS, 5, 12), np.float32)))
    assert np.abs(outputs).max() < 1e3


def _widths() -> dict[str, int]:
    return {name: len(features) for name, features in FEATURES.items()}
