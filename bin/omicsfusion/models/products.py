"""Layers for what acts together: encoders that stay linear, hidden units that are products.

A label such as the sign of z1 z2 is even in both factors. Products of linear maps say so with one
unit; ReLU units must be many, and find it late: while they do not, the stopping loss rises and
training ends.
"""

from typing import Any

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.layers import MemberDense, MemberNorm, Shape, register
from omicsfusion.models.random_bits import Draw
from omicsfusion.models.random_layers import MemberDropout

ops = keras.ops


@register
class LinearEncoder(keras.layers.Layer):
    """From the features of one omics layer to its token: a linear map, normalised.

    However far a sample lies off, its token has the length of any other.
    """

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
        return self.dropout(self.norm(self.dense(x)), draw)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}


@register
class ProductLayer(keras.layers.Layer):
    """A hidden layer each unit of which is a product of two linear maps, (x A + a) (x B + b).

    A gated linear unit (Dauphin et al., ICML 2017) without the sigmoid: the bilinear layer of
    Shazeer, arXiv:2002.05202. Both factors are normalised.
    """

    def __init__(self, units: int, members: int, place: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factors = [MemberDense(units, members, name=f"factor_{i}") for i in range(2)]
        self.norms = [MemberNorm(members, name=f"norm_{i}") for i in range(2)]
        self.dropout = MemberDropout("hidden_dropout", members, place=place, name="dropout")
        self.settings = {"units": units, "members": members, "place": place}

    def build(self, shape: Shape) -> None:
        for factor, norm in zip(self.factors, self.norms, strict=True):
            factor.build(shape)
            norm.build((*shape[:-1], factor.units))
        self.built = True

    def call(self, x: Tensor, draw: Draw | None = None) -> Tensor:
        pairs = zip(self.factors, self.norms, strict=True)
        one, other = (norm(factor(x)) for factor, norm in pairs)
        return self.dropout(one * other, draw)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}
