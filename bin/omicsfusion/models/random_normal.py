"""Normal random numbers that are a function of names, like the uniform ones they are made of."""

import math

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.random_bits import Draw, uniform

ops = keras.ops


def normal(draw: Draw, place: int, rows: int, columns: int) -> Tensor:
    """Draw from N(0, 1), members x rows x columns; see ``uniform`` for the parameters.

    Box and Muller, Annals of Mathematical Statistics 29, 1958: two uniform numbers make one.
    """
    numbers = uniform(draw, place, rows, 2 * columns)
    radius = ops.sqrt(-2.0 * ops.log(1.0 - numbers[..., :columns]))
    return radius * ops.cos(2.0 * math.pi * numbers[..., columns:])
