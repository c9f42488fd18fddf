"""Keras, imported quietly, and the only functions that know which backend runs it.

Layers and losses are written with ``keras.ops``. What a backend must add is a gradient and a
compiler; here they are TensorFlow's.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

# Read by TensorFlow when it is imported: its start-up chatter says nothing about a run.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf

Tensor = Any

__all__ = ["Tensor", "compiled", "gradients", "keras", "output_gradients"]


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of tensors with XLA, once for each set of shapes."""
    return tf.function(function, jit_compile=True)


def gradients(
    function: Callable[[Sequence[Tensor]], Tensor], at: Sequence[Tensor]
) -> tuple[Tensor, list[Tensor]]:
    """Return ``function(at)`` and the gradient of its sum with respect to each of ``at``."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(list(at))
        value = function(at)
        total = keras.ops.sum(value)
    return value, tape.gradient(total, list(at), unconnected_gradients="zero")


def output_gradients(
    model: Callable[[Any], Tensor], x: Mapping[str, Tensor], present: Tensor
) -> list[dict[str, Tensor]]:
    """Return the gradient of each output of each sample with respect to its own values.

    Parameters
    ----------
    model
        From ``{"x": x, "present": present}`` to samples x outputs; samples do not see each other.

    Returns
    -------
    For each output: layer -> samples x features.
    """
    watched = dict(x)
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(watched)
        columns = tf.unstack(model({"x": watched, "present": present}), axis=1)
    return [tape.gradient(column, watched, unconnected_gradients="zero") for column in columns]
