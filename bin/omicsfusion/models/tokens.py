"""Layers over tokens, members x batch x tokens x width: a transformer block, attention pooling.

A mask ``here`` (members x batch x tokens, bool) says which tokens a sample has. The others are left
out of every softmax: what stands in them changes nothing.
"""

from collections.abc import Callable
from typing import Any

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.layers import MemberDense, MemberLayer, MemberNorm, Shape, register

ops = keras.ops

NOT_HERE = -1e9


def attention(query: Tensor, key: Tensor, value: Tensor, here: Tensor) -> Tensor:
    """Average values by a softmax over the keys that are here: softmax(Q K' / sqrt(d)) V.

    Vaswani et al., NeurIPS 2017, equation 1. Without any key: zeros.

    Parameters
    ----------
    query
        members x batch x queries x heads x d.
    key, value
        members x batch x keys x heads x d.
    here
        members x batch x keys.

    Returns
    -------
    members x batch x queries x heads x d.
    """
    score = ops.einsum("mbqhd,mbkhd->mbhqk", query, key) * ops.shape(query)[-1] ** -0.5
    seen = here[:, :, None, None, :]
    share = ops.where(seen, ops.softmax(ops.where(seen, score, NOT_HERE), axis=-1), 0.0)
    return ops.einsum("mbhqk,mbkhd->mbqhd", share, value)


def each_token(layer: Callable[[Tensor], Tensor], tokens: Tensor) -> Tensor:
    """Apply a layer of members x rows x width to every token."""
    members, batch, n, width = ops.shape(tokens)
    rows = layer(ops.reshape(tokens, (members, batch * n, width)))
    return ops.reshape(rows, (members, batch, n, -1))


@register
class TokenBlock(MemberLayer):
    """A transformer block: tokens attend to each other, then each is transformed by itself.

    Norms come first, so that tokens reach the end unchanged but for what is added to them (Xiong et
    al., ICML 2020, figure 1b).

    Parameters
    ----------
    width
        Of a token.
    heads
        Of the attention; a divisor of ``width``.
    """

    def __init__(self, width: int, heads: int, members: int, **kwargs: Any) -> None:
        super().__init__(members, **kwargs)
        self.width = width
        self.heads = heads
        self.norms = [MemberNorm(members, name=f"norm_{i}") for i in range(2)]
        self.seen = MemberDense(3 * width, members, name="seen")
        self.mixed = MemberDense(width, members, name="mixed")
        self.hidden = MemberDense(2 * width, members, name="hidden")
        self.out = MemberDense(width, members, name="out")

    def build(self, tokens_shape: Shape, *shapes: Any) -> None:
        rows = (self.members, None, self.width)
        for layer in (*self.norms, self.seen, self.mixed, self.hidden):
            layer.build(rows)
        self.out.build((self.members, None, 2 * self.width))
        self.built = True

    def call(self, tokens: Tensor, here: Tensor) -> Tensor:
        tokens = tokens + each_token(self.mixed, self.attend(tokens, here))
        return tokens + each_token(self.transformed, tokens)

    def attend(self, tokens: Tensor, here: Tensor) -> Tensor:
        """Return what each token gathers from those that are here."""
        seen = each_token(self.seen, each_token(self.norms[0], tokens))
        split = (*ops.shape(tokens)[:3], 3, self.heads, self.width // self.heads)
        query, key, value = ops.unstack(ops.reshape(seen, split), axis=3)
        return ops.reshape(attention(query, key, value, here), ops.shape(tokens))

    def transformed(self, rows: Tensor) -> Tensor:
        """Transform tokens one by one, members x rows x width."""
        return self.out(ops.relu(self.hidden(self.norms[1](rows))))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "width": self.width, "heads": self.heads}


@register
class AttentionPool(MemberLayer):
    """From tokens to one vector: learnt queries attend to the tokens that are here.

    Lee et al., ICML 2019, section 3.2 (pooling by multihead attention), without projections: the
    tokens are keys and values. The averages of all queries stand side by side.
    """

    def __init__(self, queries: int, members: int, **kwargs: Any) -> None:
        super().__init__(members, **kwargs)
        self.queries = queries
        self.norm = MemberNorm(members, name="norm")

    def build(self, tokens_shape: Shape, *shapes: Any) -> None:
        width = tokens_shape[-1]
        self.norm.build((self.members, None, width))
        self.kernel = self.add_member_weight("kernel", (self.queries, width), "zeros")
        self.built = True

    def call(self, tokens: Tensor, here: Tensor) -> Tensor:
        """Return members x batch x (queries width)."""
        members, batch, _, width = ops.shape(tokens)
        seen = each_token(self.norm, tokens)[:, :, :, None, :]
        query = ops.repeat(self.kernel[:, None, :, None, :], batch, axis=1)
        pooled = attention(query, seen, seen, here)
        return ops.reshape(pooled, (members, batch, self.queries * width))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "queries": self.queries}
