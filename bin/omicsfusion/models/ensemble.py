"""What is kept of a trained network: its members, their average, what goes in and comes out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.cohort import ScopeData
from omicsfusion.models.layers import register
from omicsfusion.models.links import average_members
from omicsfusion.models.thinning import thinned_outputs

ops = keras.ops


@register
class MemberEnsemble(keras.Model):
    """The average prediction of the members of one network, for samples of one scope.

    ``model({"x": {layer: samples x features}, "present": samples x layers})`` returns samples x
    outputs: class probabilities, the log hazard ratio (0 = mean of the training samples), or the
    mean in the target's unit.

    Parameters
    ----------
    network
        A layer ``network(x, present)`` with a leading member axis, and attribute ``widths``.
    link
        How their outputs become one prediction (``links``).
    outputs
        Names of the outputs.
    features
        Layer -> names of its features in the order of the columns; empty for a layer that could
        not be used.
    thinned
        Thinned networks by which each member predicts (``thinning``); 0: by itself.
    """

    def __init__(
        self,
        network: Any,
        link: str,
        outputs: Sequence[str],
        features: Mapping[str, Sequence[str]],
        thinned: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=kwargs.pop("name", "ensemble"), **kwargs)
        self.network = network
        self.link = link
        self.outputs_named = list(outputs)
        self.features = {name: list(features[name]) for name in sorted(features)}
        if not network.built:
            network.build()
        self.offset = self.add_weight(
            name="offset", shape=(len(outputs),), initializer="zeros", trainable=False
        )
        self.thinned = thinned
        self.seeds = self.add_weight(
            name="seeds",
            shape=(network.members,),
            dtype="uint32",
            initializer="zeros",
            trainable=False,
        )
        self.scale = self.add_weight(
            name="scale", shape=(network.units,), initializer="ones", trainable=False
        )
        self.built = True

    def call(self, inputs: Mapping[str, Any]) -> Tensor:
        members = self.network.members
        x = {name: _for_each(values, members) for name, values in inputs["x"].items()}
        present = _for_each(inputs["present"], members)
        raw = thinned_outputs(
            lambda draw: self.network(x, present, draw),
            ops.convert_to_tensor(self.seeds),
            self.thinned,
        )
        return average_members(raw, self.link, self.offset, self.scale)

    def current_weights(self) -> tuple[list[Tensor], list[Tensor]]:
        """Return the values of all weights, for ``with_weights``."""
        kinds = (self.trainable_variables, self.non_trainable_variables)
        trainable, fixed = ([ops.convert_to_tensor(v) for v in variables] for variables in kinds)
        return trainable, fixed

    def with_weights(
        self, weights: tuple[list[Tensor], list[Tensor]], inputs: Mapping[str, Any]
    ) -> Tensor:
        """Predict as an ensemble of the same shapes with other weights would."""
        return self.stateless_call(*weights, inputs)[0]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "network": keras.saving.serialize_keras_object(self.network),
            "link": self.link,
            "outputs": self.outputs_named,
            "features": self.features,
            "thinned": self.thinned,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "MemberEnsemble":
        network = keras.saving.deserialize_keras_object(config.pop("network"), custom_objects)
        return cls(network=network, **config)


def widened(model: MemberEnsemble, widths: Mapping[str, int]) -> MemberEnsemble:
    """Return the same ensemble with room for more columns, which it does not use.

    Ensembles of one width share what is compiled for one of them.

    Parameters
    ----------
    widths
        Columns of each layer, at least as many as the ensemble has.
    """
    config = model.network.get_config()
    network = type(model.network).from_config({**config, "widths": dict(widths)})
    wide = MemberEnsemble(network, model.link, model.outputs_named, model.features, model.thinned)
    for variable, old in zip(wide.variables, model.variables, strict=True):
        more = [(0, size - used) for size, used in zip(variable.shape, old.shape, strict=True)]
        variable.assign(np.pad(np.asarray(old), more))
    return wide


def ensemble_inputs(model: MemberEnsemble, data: ScopeData, rows: np.ndarray) -> dict[str, Any]:
    """Return the inputs of an ensemble for some samples of its scope.

    Columns that the network has beyond the features of a layer are zero.

    Raises
    ------
    ValueError
        When the features of the scope are not those that the ensemble was trained on.
    """
    x, present = {}, []
    for name, width in model.network.widths.items():
        block = data.layers.get(name)
        if list(block.features if block else ()) != model.features[name]:
            raise ValueError(f"Layer {name} in {data.scope.key} has not the model's features.")
        x[name] = np.zeros((len(rows), width), np.float32)
        if block:
            x[name][:, : len(block.features)] = block.x[rows]
        present.append(block.present[rows] if block else np.zeros(len(rows), bool))
    return {"x": x, "present": np.stack(present, axis=1).astype(np.float32)}


def _for_each(values: Tensor, members: int) -> Tensor:
    values = ops.convert_to_tensor(values)
    return ops.broadcast_to(values[None], (members, *ops.shape(values)))
