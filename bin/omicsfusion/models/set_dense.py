"""Dense layers that read a few columns each: those of the genes of one set."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.columns import take_columns
from omicsfusion.models.layers import MemberDense, Shape, register

ops = keras.ops

BLOCK = 32
"""Slots of a block. A set takes as many blocks as its columns need; what is over stays empty.

On CPU smaller blocks are slower, as a product of matrices must be worth its call (of 300 sets of
100 columns the gradient takes 0.24 s with 32, 0.55 s with 16, 0.16 s with 64, 3.6 s pair by pair).
"""


def blocks_needed(columns: Sequence[np.ndarray]) -> int:
    """Count the blocks that the columns of all sets take."""
    return sum(-(-len(of_set) // BLOCK) for of_set in columns)


@register
class SetDense(MemberDense):
    """From the columns of each set to its token: y_s = x[columns of s] W_s / sqrt(columns of s).

    It is a dense layer onto all sets with a mask of columns x sets, but holds only what the mask
    lets through: the weights of every pair of a set and one of its columns. Pairs stand in blocks
    of ``BLOCK`` of one set, so that the work is products of small matrices and a sum over blocks.

    Parameters
    ----------
    units
        Width of a token.
    sets, blocks
        The most that a member has; what a member lacks gives zeros.
    """

    def __init__(self, units: int, members: int, sets: int, blocks: int, **kwargs: Any) -> None:
        super().__init__(units, members, **kwargs)
        self.sets = sets
        self.blocks = blocks

    def build(self, input_shape: Shape) -> None:
        slots = self.blocks * BLOCK
        self.kernel = self.add_member_weight("kernel", (slots, self.units), "zeros")
        fixed = {"start": "zeros", "trainable": False}
        # Both count from 1; 0 stands for none.
        self.column = self.add_member_weight("column", (slots,), **fixed)
        self.block_set = self.add_member_weight("block_set", (self.blocks,), **fixed)
        self.fan_in = self.add_member_weight("fan_in", (self.sets,), "ones", trainable=False)

    def known(self, columns: Sequence[np.ndarray]) -> list[tuple[Any, np.ndarray]]:
        """Pair the weights that are not learnt with their values, for the columns of each set."""
        column = np.zeros(self.blocks * BLOCK, np.int64)
        block_set = np.zeros(self.blocks, np.int64)
        fan_in = np.ones(self.sets, np.int64)
        block = 0
        for number, of_set in enumerate(columns):
            after = block + blocks_needed([of_set])
            column[block * BLOCK :][: len(of_set)] = of_set + 1
            block_set[block:after] = number + 1
            fan_in[number] = max(1, len(of_set))
            block = after
        return [(self.column, column), (self.block_set, block_set), (self.fan_in, fan_in)]

    def call(self, x: Tensor) -> Tensor:
        """Return members x batch x sets x units."""
        batch = ops.shape(x)[1]
        split = (self.members, self.blocks, BLOCK)
        values = ops.reshape(take_columns(x, self.column), (*split, batch))
        kernel = ops.reshape(self.kernel, (*split, self.units))
        of_blocks = ops.einsum("mksb,mkso->mkbo", values, kernel)
        # Segment 0 of each member gathers its empty blocks.
        segments = self.sets + 1
        first = segments * ops.arange(self.members, dtype="int32")
        segment = ops.ravel(ops.cast(self.block_set, "int32") + first[:, None])
        flat = ops.reshape(of_blocks, (-1, batch, self.units))
        summed = ops.segment_sum(flat, segment, self.members * segments)
        of_sets = ops.reshape(summed, (self.members, segments, batch, self.units))[:, 1:]
        scaled = of_sets * ops.rsqrt(self.fan_in)[:, :, None, None]
        return ops.transpose(scaled, (0, 2, 1, 3))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "sets": self.sets, "blocks": self.blocks}
