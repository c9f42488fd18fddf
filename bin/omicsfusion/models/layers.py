"""Keras layers with a leading member axis: many fits trained as one network.

Every weight has shape members x …, every input members x batch x features. Members share a
computation and nothing else: each has its own weights, samples and random numbers.
"""

from collections.abc import Sequence
from typing import Any

from omicsfusion.models.backend import Tensor, keras

ops = keras.ops
register = keras.saving.register_keras_serializable(package="omicsfusion")

Shape = Sequence[Any]
"""Sizes of a tensor; None for the batch."""

NORM_FLOOR = 1e-5


class MemberLayer(keras.layers.Layer):
    """A layer whose weights have a leading member axis.

    Parameters
    ----------
    members
        How many fits the network holds.
    """

    def __init__(self, members: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.members = members

    def add_member_weight(self, name: str, shape: Sequence[int], start: Any, **kwargs: Any) -> Any:
        """Add a weight of shape members x ``shape``."""
        return self.add_weight(name=name, shape=(self.members, *shape), initializer=start, **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "members": self.members}


@register
class MemberDense(MemberLayer):
    """A dense layer per member: y = x W / sqrt(fan_in) + b.

    W starts (and, under Adam, moves) at a scale of one whatever the number of features; the factor
    outside keeps a step of the same size for 20 features and for 20,000 (the parametrisation of
    Jacot et al., NeurIPS 2018, section 2; for Adam, Yang and Hu, ICML 2021).

    Parameters
    ----------
    units
        Outputs.
    start
        ``normal`` or ``zeros``: how the kernel begins (``initial_weights`` in ``optimiser``).
    """

    def __init__(self, units: int, members: int, start: str = "normal", **kwargs: Any) -> None:
        super().__init__(members, **kwargs)
        self.units = units
        self.start = start

    def build(self, input_shape: Shape) -> None:
        width = input_shape[-1]
        # What is named "kernel" gets random values from training, by the members' seeds.
        name = "kernel" if self.start == "normal" else "slope"
        self.kernel = self.add_member_weight(name, (width, self.units), "zeros")
        self.bias = self.add_member_weight("bias", (self.units,), "zeros")
        # A member may use fewer columns than there are: the others are zero padding.
        self.fan_in = self.add_member_weight(
            "fan_in", (), keras.initializers.Constant(float(width)), trainable=False
        )

    def call(self, x: Tensor) -> Tensor:
        scale = ops.rsqrt(self.fan_in)[:, None, None]
        return ops.einsum("mbi,mio->mbo", x, self.kernel) * scale + self.bias[:, None, :]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "start": self.start}


@register
class MemberNorm(MemberLayer):
    """Layer normalisation per member (Ba et al., arXiv:1607.06450): rows do not see each other."""

    def build(self, input_shape: Shape) -> None:
        width = input_shape[-1]
        self.gamma = self.add_member_weight("gamma", (width,), "ones")
        self.beta = self.add_member_weight("beta", (width,), "zeros")

    def call(self, x: Tensor) -> Tensor:
        centred = x - ops.mean(x, axis=-1, keepdims=True)
        variance = ops.mean(ops.square(centred), axis=-1, keepdims=True)
        unit = centred * ops.rsqrt(variance + NORM_FLOOR)
        return unit * self.gamma[:, None, :] + self.beta[:, None, :]


@register
class MaskedGate(MemberLayer):
    """Weigh the tokens of the layers that a sample has: a softmax over their gates.

    Gated fusion as in Arevalo et al., arXiv:1702.01992, with one gate per layer (not per unit), so
    that layers that are not there can be left out of the softmax. Without any layer: zeros.
    """

    def build(self, tokens_shape: Shape, present_shape: Shape | None = None) -> None:
        width, layers = tokens_shape[-1], tokens_shape[-2]
        self.kernel = self.add_member_weight("slope", (layers, width), "zeros")
        self.bias = self.add_member_weight("bias", (layers,), "zeros")

    def call(self, tokens: Tensor, present: Tensor) -> Tensor:
        """Fuse ``tokens``, members x batch x layers x width; ``present`` has no width."""
        width = ops.shape(tokens)[-1]
        score = ops.einsum("mblh,mlh->mbl", tokens, self.kernel) * (width**-0.5)
        score = score + self.bias[:, None, :]
        here = present > 0
        score = ops.where(here, score, -1e9)
        gate = ops.where(here, ops.softmax(score, axis=-1), 0.0)
        return ops.einsum("mbl,mblh->mbh", gate, tokens)
