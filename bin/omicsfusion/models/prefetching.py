"""Blocks of a table made ready while the one before is computed with: tf.data.

Like ``backend``, the only other file that imports TensorFlow.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from omicsfusion.models.backend import Tensor, keras

# After Keras, which says how TensorFlow starts.
import tensorflow as tf  # isort: skip

Block = Mapping[str, np.ndarray]


def prefetched(
    make: Callable[[], Iterable[Block]], shapes: Mapping[str, tuple[int, ...]]
) -> Iterator[dict[str, Tensor]]:
    """Yield what ``make()`` yields as tensors, in the same order, one block ahead.

    Parameters
    ----------
    shapes
        Name -> shape of the float32 arrays of every block.
    """
    kinds = {name: tf.TensorSpec(shape, tf.float32) for name, shape in shapes.items()}
    blocks = tf.data.Dataset.from_generator(make, output_signature=kinds).prefetch(1)
    for block in blocks:
        yield {name: keras.ops.convert_to_tensor(values) for name, values in block.items()}
