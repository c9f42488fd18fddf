"""The encoder of one omics layer, which several families share."""

from typing import Any

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.layers import MemberDense, MemberNorm, Shape, register
from omicsfusion.models.random_bits import Draw
from omicsfusion.models.random_layers import MemberDropout

ops = keras.ops

HIDDEN = 64
"""Units of a token where nothing else is asked for; pretrained encoders have as many."""


@register
class Encoder(keras.layers.Layer):
    """From the features of one omics layer to its token."""

    def __init__(self, width: int, members: int, place: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense = MemberDense(width, members, name="dense")
        self.norm = MemberNorm(members, name="norm")
        self.dropout = MemberDropout("hidden_dropout", members, place=place, name="dropout")
        self.settings = {"width": width, "members": members, "place": place}

    def build(self, shape: Shape) -> None:
        self.dense.build(shape)
        self.norm.build((*shape[:-1], self.dense.units))
        self.built = True

    def call(self, x: Tensor, draw: Draw | None = None) -> Tensor:
        return self.dropout(ops.relu(self.norm(self.dense(x))), draw)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}
