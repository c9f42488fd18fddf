"""What every family of networks is: many fits of one network, side by side on a member axis.

A family is one file with one class, a ``FusionNetwork``, whose ``call`` reads like its figure, and
a function ``train``. It says how the layers of a sample become outputs; heads say what the outputs
mean, ``training`` how they are learnt.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.layers import MemberDense

ops = keras.ops


class FusionNetwork(keras.layers.Layer):
    """Many fits of one network.

    ``call(x, present, draw)`` returns the outputs, members x batch x units. ``x``: omics layer ->
    members x batch x features; ``present``: members x batch x layers, 1 where the sample has the
    layer; ``draw``: see ``random_layers``, without it the network predicts. Whatever stands in
    ``x`` where a sample lacks the layer must change nothing (``masked``).

    A family that learns more than the outcome calls ``add_loss`` in training (when there is
    ``draw``) with members x batch: what each sample adds to the loss.

    Parameters
    ----------
    widths
        Features of each omics layer; layers are taken in sorted order.
    units
        Outputs of the head.
    members
        Fits.

    Attributes
    ----------
    family
        Its name, by which the random weights are drawn.
    """

    family = "network"

    def __init__(self, widths: Mapping[str, int], units: int, members: int, **kwargs: Any) -> None:
        super().__init__(name=kwargs.pop("name", self.family), **kwargs)
        self.widths = dict(sorted(widths.items()))
        self.units = units
        self.members = members

    @property
    def readers(self) -> Mapping[str, Sequence[MemberDense]]:
        """The dense layers that read each omics layer."""
        raise NotImplementedError

    @property
    def pretrainable(self) -> Mapping[str, Any]:
        """The encoder (``dense``, then ``norm``) of each omics layer that may begin pretrained.

        None: the family takes no pretrained encoders (``pretrained`` in ``registry.json``).
        """
        return {}

    def constants(
        self, features: Mapping[str, Sequence[str]], settings: Mapping[str, float]
    ) -> list[np.ndarray]:
        """Return what one member does not learn, in the order of ``non_trainable_variables``.

        Parameters
        ----------
        features
            Omics layer -> names of its columns in use, without padding.
        settings
            Value of each setting.
        """
        known = {id(variable): value for variable, value in self.known(features)}
        values = []
        for variable in self.non_trainable_variables:
            start = settings.get(variable.name, np.asarray(variable)[0])
            values.append(np.asarray(known.get(id(variable), start), variable.dtype))
        return values

    def known(self, features: Mapping[str, Sequence[str]]) -> list[tuple[Any, np.ndarray]]:
        """Pair weights that hang on a member's features with their values."""
        return [
            (layer.fan_in, np.array(max(1, len(features[name]))))
            for name, layers in self.readers.items()
            for layer in layers
        ]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "widths": self.widths,
            "units": self.units,
            "members": self.members,
        }


def masked(values: Tensor, here: Tensor) -> Tensor:
    """Return zeros where a sample lacks a layer, whatever stands there (NaN, too).

    Parameters
    ----------
    values
        members x batch x features.
    here
        members x batch x 1.
    """
    return ops.where(here > 0, values, 0.0)
