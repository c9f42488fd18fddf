"""Layers that draw random numbers in training: dropout, noise, omics layers hidden.

They get ``draw`` (see ``random_bits``); without it they predict. ``place`` tells apart the random
layers of one network. How much they do is a setting (``settings``), of which each member has its
own value in a weight of that name.
"""

import math
from typing import Any

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.layers import MemberLayer, register
from omicsfusion.models.random_bits import Draw, learns, uniform
from omicsfusion.models.settings import DEFAULTS

ops = keras.ops


class RandomLayer(MemberLayer):
    """A layer that does something at random, as much as a setting says.

    Parameters
    ----------
    setting
        Name of the setting, one of ``settings.DEFAULTS``.
    members
        How many fits the network holds.
    place
        Its number among the random layers of the network.
    """

    def __init__(self, setting: str, members: int, place: int, **kwargs: Any) -> None:
        super().__init__(members, **kwargs)
        self.setting = setting
        self.place = place
        start = keras.initializers.Constant(DEFAULTS[setting])
        self.amount = self.add_member_weight(setting, (), start, trainable=False)

    def build(self, *shapes: Any) -> None:
        self.built = True

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "setting": self.setting, "place": self.place}


@register
class MemberDropout(RandomLayer):
    """Dropout (Srivastava et al., JMLR 15, 2014) with each member's own random numbers and rate."""

    def call(self, x: Tensor, draw: Draw | None = None) -> Tensor:
        if draw is None:
            return x
        rate = self.amount[:, None, None]
        kept = uniform(draw, self.place, ops.shape(x)[1], ops.shape(x)[2]) >= rate
        return ops.where(kept, x / (1.0 - rate), 0.0)


@register
class MemberNoise(RandomLayer):
    """Gaussian noise on the inputs, its standard deviation in that of a scaled feature.

    Columns of nothing but zeros are padding, and stay so.
    """

    def call(self, x: Tensor, draw: Draw | None = None) -> Tensor:
        if draw is None or not learns(draw):
            return x
        rows, columns = ops.shape(x)[1], ops.shape(x)[2]
        # Box and Muller, Annals of Mathematical Statistics 29, 1958: two uniform numbers make one.
        numbers = uniform(draw, self.place, rows, 2 * columns)
        radius = ops.sqrt(-2.0 * ops.log(1.0 - numbers[..., :columns]))
        normal = radius * ops.cos(2.0 * math.pi * numbers[..., columns:])
        return ops.where(x == 0, x, x + self.amount[:, None, None] * normal)


@register
class OmicsDropout(RandomLayer):
    """Hide whole omics layers of a sample in training, so that none becomes indispensable.

    A sample keeps at least one of the layers that it has. (Neverova et al., IEEE TPAMI 38, 2016,
    section 3.3, drop modalities so.)
    """

    def call(self, present: Tensor, draw: Draw | None = None) -> Tensor:
        """Return the layers left to each sample; ``present``: members x batch x layers, 0 or 1."""
        if draw is None or not learns(draw):
            return present
        luck = uniform(draw, self.place, ops.shape(present)[1], ops.shape(present)[2]) * present
        luckiest = luck >= ops.max(luck, axis=-1, keepdims=True)
        kept = ops.logical_or(luck >= self.amount[:, None, None], luckiest)
        return present * ops.cast(kept, present.dtype)
