"""What TensorFlow adds to ``keras.ops``: a compiler, gradients, and which devices there are."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from omicsfusion.models.accelerator import Accelerator

Tensor = Any

BACKEND = f"TensorFlow {tf.__version__}"

# A GPU would round the factors of every product to 10 bits (TF32), a CPU to 23.
tf.config.experimental.enable_tensor_float_32_execution(False)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of tensors with XLA, once for each set of shapes."""
    # AutoGraph would rewrite the Python of every layer, which takes longer than tracing it. Loops
    # over tensors are written as such (``keras.ops.while_loop``): there is nothing to rewrite.
    return tf.function(function, jit_compile=True, autograph=False)


def gradients(
    function: Callable[[Sequence[Tensor]], Tensor], at: Sequence[Tensor]
) -> tuple[Tensor, list[Tensor]]:
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(list(at))
        value = function(at)
        total = tf.reduce_sum(value)
    return value, tape.gradient(total, list(at), unconnected_gradients="zero")


def output_gradients(
    model: Callable[[Any], Tensor], x: Mapping[str, Tensor], present: Tensor
) -> list[dict[str, Tensor]]:
    watched = dict(x)
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(watched)
        columns = tf.unstack(model({"x": watched, "present": present}), axis=1)
    return [tape.gradient(column, watched, unconnected_gradients="zero") for column in columns]


def prefetched(
    make: Callable[[], Iterable[Mapping[str, np.ndarray]]], shapes: Mapping[str, tuple[int, ...]]
) -> Iterator[dict[str, Tensor]]:
    kinds = {name: tf.TensorSpec(shape, tf.float32) for name, shape in shapes.items()}
    yield from tf.data.Dataset.from_generator(make, output_signature=kinds).prefetch(1)


def accelerators() -> list[Accelerator]:
    return [
        Accelerator(tf.config.experimental.get_device_details(device).get("device_name", "GPU"))
        for device in tf.config.list_physical_devices("GPU")
    ]


def can_use_accelerators() -> bool:
    return tf.test.is_built_with_gpu_support()
