"""What dense layers, norms and products compute, in numpy, for tests of what is built from them."""

import numpy as np

from omicsfusion.models.layers import NORM_FLOOR, MemberDense, MemberNorm
from omicsfusion.models.products import LinearEncoder, ProductLayer


def dense(x: np.ndarray, layer: MemberDense, member: int) -> np.ndarray:
    """Compute rows x units from rows x features."""
    kernel = np.asarray(layer.kernel, np.float64)[member]
    return x @ kernel / np.sqrt(x.shape[-1]) + np.asarray(layer.bias)[member]


def normed(x: np.ndarray, layer: MemberNorm, member: int) -> np.ndarray:
    """Normalise rows."""
    centred = x - x.mean(axis=-1, keepdims=True)
    unit = centred / np.sqrt(centred.var(axis=-1, keepdims=True) + NORM_FLOOR)
    return unit * np.asarray(layer.gamma)[member] + np.asarray(layer.beta)[member]


def encoded(x: np.ndarray, layer: LinearEncoder, member: int) -> np.ndarray:
    """Compute tokens."""
    return normed(dense(x, layer.dense, member), layer.norm, member)


def multiplied(x: np.ndarray, layer: ProductLayer, member: int) -> np.ndarray:
    """Compute a hidden layer of products."""
    one, other = (
        normed(dense(x, factor, member), norm, member)
        for factor, norm in zip(layer.factors, layer.norms, strict=True)
    )
    return one * other


def all_random(network, seed: int = 0):
    """Give every weight that is learnt a number that is not zero."""
    network.build()
    rng = np.random.default_rng(seed)
    for variable in network.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    return network
