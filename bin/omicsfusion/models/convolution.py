"""Convolution along the genome: from an omics layer's ordered features to its token."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.columns import take_columns
from omicsfusion.models.encoder import Encoder
from omicsfusion.models.layers import MemberDense, MemberLayer, Shape, register
from omicsfusion.models.random_bits import Draw

ops = keras.ops

STRIDE = 4
"""Places between the starts of two windows. A window is two strides wide: each place is in two."""


@register
class StridedConvolution(MemberLayer):
    """A convolution along places (LeCun et al., Proceedings of the IEEE 86, 1998, section II.A).

    Window p sees the places from p * ``STRIDE`` to (p + 2) * ``STRIDE`` - 1; places beyond the end
    are zeros. All windows share one dense layer.

    Parameters
    ----------
    channels
        Outputs of a window.
    """

    def __init__(self, channels: int, members: int, **kwargs: Any) -> None:
        super().__init__(members, **kwargs)
        self.dense = MemberDense(channels, members, name="dense")

    def build(self, shape: Shape) -> None:
        self.dense.build((self.members, None, 2 * STRIDE * shape[-1]))
        self.built = True

    def call(self, x: Tensor) -> Tensor:
        """From members x batch x places x channels to fewer places and other channels."""
        members, batch, places, channels = ops.shape(x)
        windows = windows_of(places)
        beyond = (windows + 1) * STRIDE - places
        x = ops.pad(x, ((0, 0), (0, 0), (0, beyond), (0, 0)))
        parts = ops.reshape(x, (members, batch, windows + 1, STRIDE * channels))
        seen = ops.concatenate([parts[:, :, :-1], parts[:, :, 1:]], axis=-1)
        out = self.dense(ops.reshape(seen, (members, batch * windows, -1)))
        return ops.reshape(out, (members, batch, windows, self.dense.units))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "channels": self.dense.units}


def windows_of(places: int) -> int:
    """Count the windows over so many places."""
    return -(-places // STRIDE)


@register
class GenomeEncoder(MemberLayer):
    """From the features of one omics layer that have a position to its token.

    Convolutions follow each other over the features in the order of the genome. What they find in
    each window keeps its place: it goes into the token by a dense layer, not by a mean.

    Parameters
    ----------
    width
        Of the token.
    channels
        Outputs of each convolution.
    place
        See ``RandomLayer``.
    """

    def __init__(
        self, width: int, channels: Sequence[int], members: int, place: int, **kwargs: Any
    ) -> None:
        super().__init__(members, **kwargs)
        self.convolutions = [
            StridedConvolution(n, members, name=f"convolution_{i}") for i, n in enumerate(channels)
        ]
        self.encoder = Encoder(width, members, place=place, name="encoder")
        self.settings = {"width": width, "channels": list(channels), "place": place}

    def build(self, shape: Shape) -> None:
        # Which column lies at each place, from 1; places that a member does not use come last: 0.
        self.column = self.add_member_weight("column", shape[-1:], "zeros", trainable=False)
        places, channels = shape[-1], 1
        for convolution in self.convolutions:
            convolution.build((self.members, None, places, channels))
            places, channels = windows_of(places), convolution.dense.units
        self.encoder.build((self.members, None, places * channels))
        self.built = True

    def known(self, order: np.ndarray) -> list[tuple[Any, np.ndarray]]:
        """Pair the weights that are not learnt with their values.

        Parameters
        ----------
        order
            Columns (from 0) as they lie on the genome.
        """
        places, channels = len(order), 1
        for convolution in self.convolutions:
            places, channels = windows_of(places), convolution.dense.units
        unused = self.column.shape[1] - len(order)
        return [
            (self.column, np.pad(order + 1, (0, unused))),
            (self.encoder.dense.fan_in, np.array(max(1, places * channels))),
        ]

    def call(self, x: Tensor, draw: Draw | None = None) -> Tensor:
        hidden = ops.transpose(take_columns(x, self.column), (0, 2, 1))[..., None]
        used = self.column > 0
        for convolution in self.convolutions:
            # Windows beyond the last place in use are zeros, as if they were not there.
            used = used[:, ::STRIDE]
            hidden = ops.relu(convolution(hidden)) * ops.cast(used, "float32")[:, None, :, None]
        members, batch, places, channels = ops.shape(hidden)
        return self.encoder(ops.reshape(hidden, (members, batch, places * channels)), draw)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}
