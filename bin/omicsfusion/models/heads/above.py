"""A network with something above its outputs that is learnt with it: what such networks share."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from omicsfusion.models.backend import keras
from omicsfusion.models.family import FusionNetwork
from omicsfusion.models.layers import MemberDense


class NetworkAbove(FusionNetwork):
    """A network whose outputs are made of those of the network of a family.

    Parameters
    ----------
    network
        The one below, of any family.
    units
        Outputs of the whole.
    kwargs
        ``name`` among them.
    """

    def __init__(self, network: FusionNetwork, units: int, **kwargs: Any) -> None:
        super().__init__(network.widths, units, network.members, **kwargs)
        self.network = network

    @property
    def readers(self) -> Mapping[str, Sequence[MemberDense]]:
        """The dense layers that read each omics layer."""
        return self.network.readers

    @property
    def pretrainable(self) -> Mapping[str, Any]:
        """The encoders of the network below that may begin pretrained."""
        return self.network.pretrainable

    def constants(
        self, features: Mapping[str, Sequence[str]], settings: Mapping[str, float]
    ) -> list[np.ndarray]:
        """Return what one member does not learn: that of the network below."""
        return self.network.constants(features, settings)

    def get_config(self) -> dict[str, Any]:
        below = keras.saving.serialize_keras_object(self.network)
        config = super().get_config()
        config.pop("units")
        config.pop("members")
        return {**config, "network": below}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        config = dict(config)
        # Who asks for other widths (``widened``) asks the whole; the network below has them.
        below, widths = dict(config.pop("network")), config.pop("widths")
        below["config"] = {**below["config"], "widths": widths}
        return cls(keras.saving.deserialize_keras_object(below, custom_objects), **config)
