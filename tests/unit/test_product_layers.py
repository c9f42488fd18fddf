"""Linear encoders and hidden units that are products agree with plain numpy."""

import numpy as np

from omicsfusion.models.products import LinearEncoder, ProductLayer
from tests.plain_layers import encoded, multiplied
from tests.small_networks import DRAW, MEMBERS

X = np.random.default_rng(1).normal(size=(MEMBERS, 5, 7)).astype(np.float32)


def with_random_weights(layer):
    layer.build(X.shape)
    rng = np.random.default_rng(0)
    for variable in layer.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    return layer


def test_an_encoder_is_a_normalised_linear_map_by_member():
    layer = with_random_weights(LinearEncoder(4, MEMBERS, place=1))
    expected = np.stack([encoded(X[m], layer, m) for m in range(MEMBERS)])
    np.testing.assert_allclose(layer(X), expected, rtol=1e-4, atol=1e-5)


def test_the_token_of_a_sample_is_as_long_however_far_it_lies_off():
    layer = LinearEncoder(64, MEMBERS, place=1)
    layer.build(X.shape)
    layer.dense.kernel.assign(np.random.default_rng(0).normal(size=layer.dense.kernel.shape))
    np.testing.assert_allclose(layer(1e6 * X), layer(1e3 * X), rtol=1e-4, atol=1e-4)


def test_a_unit_is_the_product_of_two_linear_maps_by_member():
    layer = with_random_weights(ProductLayer(4, MEMBERS, place=1))
    expected = np.stack([multiplied(X[m], layer, m) for m in range(MEMBERS)])
    np.testing.assert_allclose(layer(X), expected, rtol=1e-4, atol=1e-5)


def test_products_are_even_without_constants_and_are_dropped_in_training():
    layer = ProductLayer(50, MEMBERS, place=1)
    layer.build(X.shape)
    for factor, seed in zip(layer.factors, (2, 3), strict=True):
        factor.kernel.assign(np.random.default_rng(seed).normal(size=factor.kernel.shape))
    once = np.asarray(layer(X))
    np.testing.assert_allclose(layer(-X), once, rtol=1e-4, atol=1e-5)
    dropped = np.asarray(layer(X, DRAW))
    assert 0.2 < (dropped == 0).mean() < 0.4
    np.testing.assert_allclose(dropped[dropped != 0], once[dropped != 0] / 0.7, rtol=1e-4)
