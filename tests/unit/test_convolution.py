"""Convolutions agree with scipy's correlation, see features in order, and end where they end."""

import numpy as np
import pytest
from scipy.signal import correlate

from omicsfusion.models.columns import PartEncoder, take_columns
from omicsfusion.models.convolution import STRIDE, GenomeEncoder, StridedConvolution, windows_of
from omicsfusion.models.layers import NORM_FLOOR

MEMBERS, BATCH = 2, 3


def random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def with_random_weights(layer, *shapes):
    layer.build(*shapes)
    for seed, variable in enumerate(layer.trainable_variables):
        variable.assign(random(*variable.shape, seed=seed))
    return layer


def correlated(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Convolve one sample, places x channels, by scipy; ``kernel``: window x in x out."""
    window = len(kernel)
    ended = np.concatenate([x, np.zeros((window, x.shape[1]))])
    full = [correlate(ended, kernel[:, :, o], mode="valid")[:, 0] for o in range(len(bias))]
    starts = np.arange(0, len(x), STRIDE)
    return np.stack(full, axis=1)[starts] / np.sqrt(window * x.shape[1]) + bias


def test_columns_are_taken_by_number_and_0_takes_none():
    x = random(MEMBERS, BATCH, 4)
    found = np.asarray(take_columns(x, np.array([[3, 0, 1], [0, 2, 2]], np.float32)))
    nothing = np.zeros(BATCH)
    expected = [[x[0, :, 2], nothing, x[0, :, 0]], [nothing, x[1, :, 1], x[1, :, 1]]]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("places", "channels"), [(1, 1), (8, 1), (13, 3), (30, 2)])
def test_a_convolution_is_a_correlation_at_every_stride(places, channels):
    x = random(MEMBERS, BATCH, places, channels)
    layer = with_random_weights(StridedConvolution(4, MEMBERS), x.shape)
    found = np.asarray(layer(x))
    assert found.shape == (MEMBERS, BATCH, windows_of(places), 4)
    for m, b in np.ndindex(MEMBERS, BATCH):
        kernel = np.asarray(layer.dense.kernel)[m].reshape(2 * STRIDE, channels, 4)
        expected = correlated(x[m, b], kernel, np.asarray(layer.dense.bias)[m])
        np.testing.assert_allclose(found[m, b], expected, rtol=1e-4, atol=1e-5)


def genome(width: int, order: np.ndarray) -> GenomeEncoder:
    layer = GenomeEncoder(5, (3, 2), MEMBERS, place=1)
    layer.build((MEMBERS, None, width))
    known = layer.known(order)
    for variable, value in known:
        variable.assign(np.broadcast_to(value, variable.shape))
    rng = np.random.default_rng(3)
    for convolution in layer.convolutions:
        for variable in convolution.trainable_variables:
            variable.assign(rng.normal(size=variable.shape))
    kernel = layer.encoder.dense.kernel
    kernel.assign(random(MEMBERS, 40, 5)[:, : kernel.shape[1]])
    return layer


def test_a_token_of_ordered_features_agrees_with_scipy():
    x = random(MEMBERS, BATCH, 40)
    order = np.random.default_rng(4).permutation(40)[:37]
    layer = genome(40, order)
    found = np.asarray(layer(x))
    for m, b in np.ndindex(MEMBERS, BATCH):
        hidden = x[m, b, order][:, None]
        for convolution in layer.convolutions:
            kernel = np.asarray(convolution.dense.kernel)[m]
            kernel = kernel.reshape(2 * STRIDE, -1, kernel.shape[-1])
            bias = np.asarray(convolution.dense.bias)[m]
            hidden = np.maximum(correlated(hidden, kernel, bias), 0)
        flat = hidden.ravel()
        token = flat @ np.asarray(layer.encoder.dense.kernel)[m, : len(flat)] / np.sqrt(len(flat))
        token = (token - token.mean()) / np.sqrt(token.var() + NORM_FLOOR)
        np.testing.assert_allclose(found[m, b], np.maximum(token, 0), rtol=1e-3, atol=1e-4)


def test_the_order_of_the_tables_columns_changes_nothing():
    x = random(MEMBERS, BATCH, 40)
    order = np.random.default_rng(4).permutation(40)
    mixed = np.random.default_rng(5).permutation(40)
    there = np.asarray(genome(40, order)(x))
    again = np.asarray(genome(40, np.argsort(mixed)[order])(x[..., mixed]))
    np.testing.assert_array_equal(there, again)


def test_columns_of_padding_and_features_without_a_place_change_nothing():
    x = random(MEMBERS, BATCH, 40)
    order = np.arange(21)[::-1]
    narrow = np.asarray(genome(21, order)(x[..., :21]))
    for junk in (0, 1e3):
        wide = np.array(x)
        wide[..., 21:] = junk
        np.testing.assert_allclose(genome(40, order)(wide), narrow, rtol=1e-5, atol=1e-6)


def test_the_token_knows_where_on_the_genome_a_pattern_lies():
    layer = genome(40, np.arange(40))
    x = np.zeros((MEMBERS, BATCH, 40), np.float32)
    x[:, 0, 0:4] = x[:, 1, 16:20] = x[:, 2, 32:36] = 1
    tokens = np.asarray(layer(x))
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(tokens[:, one] - tokens[:, other]).max() > 0.1


def test_an_encoder_of_some_features_is_an_encoder_of_these_alone():
    x = random(MEMBERS, BATCH, 6)
    part = np.array([True, False, True, True, False])
    layer = with_random_weights(PartEncoder(4, MEMBERS, place=1), x.shape)
    for variable, value in layer.known(part):
        variable.assign(np.broadcast_to(value, variable.shape))
    columns = np.flatnonzero(part)
    alone = PartEncoder(4, MEMBERS, place=1)
    alone.build((MEMBERS, None, 3))
    for variable, other in zip(alone.trainable_variables, layer.trainable_variables, strict=True):
        kernel = other is layer.dense.kernel
        variable.assign(np.asarray(other)[:, columns] if kernel else other)
    np.testing.assert_allclose(layer(x), alone(x[..., columns]), rtol=1e-5, atol=1e-6)
