"""What stands between the latent of a sample and the outputs: a dense layer, and SMOTE before it.

SMOTE (Chawla et al., JAIR 16, 2002, section 4.2) makes samples of a class that lie between a sample
and one of its nearest neighbours of the class. On thousands of features neighbours mean little;
here they are those of the latent, within a batch.
"""

from typing import Any

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.dealing import NO_KIND
from omicsfusion.models.layers import MemberDense, Shape, register
from omicsfusion.models.random_bits import KINDS, PLACES_PER_STEP, Draw, uniform
from omicsfusion.models.random_layers import RandomLayer

ops = keras.ops

NEIGHBOURS = 5
FAR = 1e30
"""Squared distance of a sample that is no neighbour."""


@register
class Smote(RandomLayer):
    """In training, move samples towards one of their nearest of the same class.

    The setting ``smote`` is the share of samples that are moved. Without classes in ``draw`` none
    is, and nothing is computed.
    """

    def __init__(self, members: int, place: int = PLACES_PER_STEP - 1, **kwargs: Any) -> None:
        super().__init__(kwargs.pop("setting", "smote"), members, place, **kwargs)

    def call(self, x: Tensor, draw: Draw | None = None) -> Tensor:
        if draw is None or KINDS not in draw:
            return x
        kinds = draw[KINDS]
        luck = uniform(draw, self.place, ops.shape(x)[1], 3)
        neighbour, any_near = chosen_neighbours(x, kinds, luck[..., 0])
        moved = x + luck[..., 1:2] * (neighbour - x)
        moves = ops.logical_and(any_near, luck[..., 2] < self.amount[:, None])
        return ops.where(moves[..., None], moved, x)


def chosen_neighbours(x: Tensor, kinds: Tensor, luck: Tensor) -> tuple[Tensor, Tensor]:
    """Choose for each sample one of its nearest of the same kind.

    Parameters
    ----------
    x
        members x batch x units.
    kinds
        uint32, members x batch; ``NO_KIND``: no sample.
    luck
        members x batch, uniform in [0, 1): which of the nearest.

    Returns
    -------
    The neighbours, members x batch x units, and whether there is one, members x batch.
    """
    batch = x.shape[1]
    still = ops.stop_gradient(x)
    square = ops.sum(ops.square(still), axis=-1)
    product = ops.einsum("mih,mjh->mij", still, still)
    distance = square[:, :, None] + square[:, None, :] - 2.0 * product
    same = ops.logical_and(kinds[:, :, None] == kinds[:, None, :], kinds[:, :, None] != NO_KIND)
    same = ops.logical_and(same, ops.logical_not(ops.eye(batch, dtype="bool")[None]))
    near = min(NEIGHBOURS, batch)
    closeness, who = ops.top_k(ops.where(same, -distance, -FAR), near)
    found = ops.sum(ops.cast(closeness > -FAR, "float32"), axis=-1)
    which = ops.cast(ops.floor(luck * ops.maximum(found, 1.0)), "int32")
    one = ops.take_along_axis(who, which[..., None], axis=-1)
    neighbour = ops.einsum("mij,mjh->mih", ops.one_hot(one[..., 0], batch, dtype=x.dtype), x)
    return neighbour, found > 0


@register
class ReadOut(keras.layers.Layer):
    """From latents to outputs, members x batch x units; the dense layer begins with zeros."""

    def __init__(self, units: int, members: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.smote = Smote(members, name="smote")
        self.dense = MemberDense(units, members, start="zeros", name="dense")
        self.settings = {"units": units, "members": members}

    def build(self, shape: Shape) -> None:
        self.dense.build(shape)
        self.built = True

    def call(self, x: Tensor, draw: Draw | None = None) -> Tensor:
        return self.dense(self.smote(x, draw))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}
