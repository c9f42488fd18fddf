"""The weights of a network as one vector per member.

A step moves every weight in the same way: on one vector that is a handful of operations, however
many weights a network has, and as many fewer to compile.
"""

import math
from collections.abc import Sequence
from typing import Any

from omicsfusion.models.backend import Tensor, keras

ops = keras.ops

Shapes = Sequence[tuple[int, ...]]
"""Of each weight, members first."""


def shapes_of_weights(weights: Sequence[Any]) -> list[tuple[int, ...]]:
    """Return the shape of each weight."""
    return [tuple(weight.shape) for weight in weights]


def packed(weights: Sequence[Tensor]) -> Tensor:
    """Put weights of shapes members x … side by side: members x values."""
    return ops.concatenate([ops.reshape(one, (one.shape[0], -1)) for one in weights], axis=1)


def unpacked(vector: Tensor, shapes: Shapes) -> list[Tensor]:
    """Take the weights apart again."""
    parts, first = [], 0
    for shape in shapes:
        last = first + math.prod(shape[1:])
        parts.append(ops.reshape(vector[:, first:last], shape))
        first = last
    return parts
