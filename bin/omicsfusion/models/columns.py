"""Some of a layer's columns, others for each member: in an order of their own, or encoded alone."""

from typing import Any

import numpy as np

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.encoder import Encoder
from omicsfusion.models.layers import Shape, register
from omicsfusion.models.random_bits import Draw

ops = keras.ops


def take_columns(x: Tensor, column: Tensor) -> Tensor:
    """Take columns of ``x``: members x slots x batch.

    Parameters
    ----------
    x
        members x batch x features.
    column
        members x slots: which column stands in each slot, counted from 1; 0 where none does, and
        zeros are returned. (So padding with zeros pads with nothing.)
    """
    members, batch, width = ops.shape(x)
    # One column of zeros before the others; columns become rows, which lie together in memory.
    rows = ops.pad(ops.transpose(x, (0, 2, 1)), ((0, 0), (1, 0), (0, 0)))
    first = (width + 1) * ops.arange(members, dtype="int32")
    row = ops.cast(column, "int32") + first[:, None]
    taken = ops.take(ops.reshape(rows, (-1, batch)), ops.ravel(row), axis=0)
    return ops.reshape(taken, (members, -1, batch))


@register
class PartEncoder(Encoder):
    """The encoder of some features of an omics layer; it does not see the others."""

    def build(self, shape: Shape) -> None:
        super().build(shape)
        self.part = self.add_weight(
            name="part",
            shape=(self.dense.members, shape[-1]),
            initializer="ones",
            trainable=False,
        )

    def known(self, part: np.ndarray) -> list[tuple[Any, np.ndarray]]:
        """Pair the weights that are not learnt with their values.

        Parameters
        ----------
        part
            bool, features: which it sees.
        """
        unused = self.part.shape[1] - len(part)
        return [
            (self.part, np.pad(part, (0, unused))),
            (self.dense.fan_in, np.array(max(1, part.sum()))),
        ]

    def call(self, x: Tensor, draw: Draw | None = None) -> Tensor:
        return super().call(x * self.part[:, None, :], draw)
