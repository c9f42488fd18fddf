"""The late network: a network for each omics layer, and a stack of what they decide.

::

    x_rna ──► fused network of rna ──► decision ──► x weight ──┐
    x_cnv ──► fused network of cnv ──► decision ──► x weight ──┼──► + intercept ──► outputs
    x_…   ──► fused network of …   ──► decision ──► x weight ──┘

Each network is trained on the samples that have its layer (``FusedNetwork`` of one layer). Its
decision is a centred log probability of each class, a log hazard ratio, or a mean less the mean of
the training samples; it is 0 for a sample that lacks the layer. The weights are not negative
(stacked regressions, Breiman, Machine Learning 24, 1996, 49-64; here of any outcome) and are learnt
from the training samples, each judged by the networks of the inner fold that left it out.

An inner fold has a stack of its own, learnt from the samples of the other folds. That neither it
nor the networks of the fold have seen the samples that the fold holds out is guaranteed. That the
weights do not hang on their outcomes is not: the networks that judged the other folds' samples were
trained on them. It is so in every cross-fitted stack (van der Laan, Polley and Hubbard, Statistical
Applications in Genetics and Molecular Biology 6, 2007, article 25), and comes through one number
per layer. Nothing has seen the test samples of an outer fold.

Ordered classes are stacked like classes without an order. Discrete hazards are stacked as risks,
and survival follows from them by one baseline hazard: the stack has proportional hazards.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from omicsfusion.models.archive import save_archive
from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.cohort import GroupReader, ScopeData
from omicsfusion.models.ensemble import MemberEnsemble
from omicsfusion.models.families.fused import STRUCTURES, FusedNetwork
from omicsfusion.models.family import FusionNetwork, masked
from omicsfusion.models.fit import Fit, failed_fit, new_fit, record_of
from omicsfusion.models.heads.base import Head, UntrainableError
from omicsfusion.models.heads.choice import head_for
from omicsfusion.models.layer_stacks import (
    LayerFits,
    ScopeStack,
    decisions_of,
    stack_of,
    stacked_columns,
)
from omicsfusion.models.layers import MemberDense, register
from omicsfusion.models.members import alone, members_of
from omicsfusion.models.network import train_networks
from omicsfusion.models.random_bits import Draw
from omicsfusion.models.request import TrainingRequest
from omicsfusion.models.stacking import SMALLEST_PROBABILITY
from omicsfusion.models.trained import mean_curve
from omicsfusion.scopes import Scope

ops = keras.ops


def train(request: TrainingRequest, reader: GroupReader) -> list[Fit]:
    """Train a network for each layer, and stack them, on every scope of a group."""
    layers = train_layers(request, reader)
    stacked = stack_fits(layers, request, reader)
    by_member = {
        number: stack_fits(layers_alone(layers, number), request, reader)
        for number in members_of([fit for of_layer in layers.values() for fit in of_layer.values()])
    }
    return [
        replace(fit, members={number: fits[place].columns for number, fits in by_member.items()})
        for place, fit in enumerate(stacked)
    ]


def layers_alone(fits: LayerFits, number: int) -> LayerFits:
    """Return the layers' fits as their members of this number make them: a stack of their own."""
    return {
        layer: {scope: alone(fit, number) for scope, fit in of_layer.items()}
        for layer, of_layer in fits.items()
    }


def train_layers(request: TrainingRequest, reader: GroupReader) -> dict[str, dict[Scope, Fit]]:
    """Train a network for each layer on every scope in which samples to fit on have it."""
    found: dict[str, dict[Scope, Fit]] = {}
    for layer in sorted(request.spec.layers):
        having = reader.narrowed(layer)
        spec = replace(request.spec, name=f"{request.spec.name}/{layer}", layers=(layer,))
        alone = replace(request, spec=spec)
        fits = (
            train_networks(FusedNetwork, alone, having, structures=STRUCTURES)
            if having.scopes
            else []
        )
        found[layer] = {fit.scope: fit for fit in fits}
    return found


def stack_fits(fits: LayerFits, request: TrainingRequest, reader: GroupReader) -> list[Fit]:
    """Stack the layers' fits on every scope of a group."""
    outcome, horizons = request.outcome, request.horizons
    head = head_for(outcome, horizons, request.head, request.class_order)
    decisions = decisions_of(fits, head, reader)
    stacked = []
    for scope in reader.scopes:
        data = reader.load(scope, ())
        try:
            found = stack_of(data, fits, decisions, head, outcome)
        except UntrainableError as reason:
            stacked.append(failed_fit(data, outcome, horizons, str(reason)))
            continue
        columns = stacked_columns(data, found, head, outcome, horizons)
        used = {layer: fits[layer][scope] for layer in found.layers}
        ensemble = partial(_ensemble, scope, found, used, head, reader, request.mc_dropout)
        stacked.append(
            new_fit(
                data,
                columns,
                _record(data, found, used, head, _begun_with(scope, request, reader)),
                mean_curve([fit.curve for fit in used.values()]),
                save=partial(_save, ensemble),
                network=ensemble,
                trials=_trials(used, request.spec.name),
            )
        )
    return stacked


def _trials(used: Mapping[str, Fit], model: str) -> list[dict[str, object]]:
    """Return what was tried for the network of each layer, named after it."""
    return [
        {"model": f"{model}/{layer}", **trial}
        for layer, fit in used.items()
        for trial in fit.trials
    ]


def _save(ensemble: Callable[[], MemberEnsemble], stem: Path) -> None:
    save_archive(ensemble(), stem)


def _record(
    data: ScopeData, found: ScopeStack, used: Mapping[str, Fit], head: Head, begun_with: str
) -> dict[str, object]:
    weights = zip(found.layers, found.stack.weights, found.shares, strict=True)
    notes = [
        "weights of the layers' decisions (share of what they add): "
        + ", ".join(f"{layer} {weight:.3g} ({share:.0%})" for layer, weight, share in weights),
        *(f"without {layer}: {reason}" for layer, reason in found.left_out.items()),
        head.setting,
        found.targets.note,
        begun_with,
    ]
    records = pd.DataFrame([fit.record for fit in used.values()])
    return record_of(
        data,
        setting="; ".join(filter(None, notes)),
        epochs=int(records["epochs"].max()),
        best_epoch=round(float(records["best_epoch"].mean())),
        stop_loss=float(records["stop_loss"].mean()),
    )


def _begun_with(scope: Scope, request: TrainingRequest, reader: GroupReader) -> str:
    """Say what the networks began with; empty when they began at random."""
    if request.pretrained is None:
        return ""
    return request.pretrained.note(reader.features(scope, request.spec.layers))


def _ensemble(
    scope: Scope,
    found: ScopeStack,
    used: Mapping[str, Fit],
    head: Head,
    reader: GroupReader,
    thinned: int,
) -> MemberEnsemble:
    """Put the layers' networks and their stack into one network.

    A layer that takes no part has a network that says nothing, with a weight of 0: all scopes'
    networks have the same parts, so that those of the same shapes are the same function of their
    weights and can share what is compiled.
    """
    layers = sorted([*found.layers, *found.left_out])
    parts = [
        _part(used[layer])
        if layer in used
        else _silent(head, layer, reader.features(scope, [layer]).get(layer, ()), thinned)
        for layer in layers
    ]
    for part in parts:
        part.offset.assign(part.offset - found.targets.offset)
    network = LateNetwork(parts)
    network.build()
    weight = dict(zip(found.layers, found.stack.weights, strict=True))
    network.layer_weights.assign([[weight.get(layer, 0.0) for layer in layers]])
    network.intercept.assign(found.stack.intercept[None])
    features = {layer: part.features[layer] for layer, part in zip(layers, parts, strict=True)}
    link = head.link if head.link == "softmax" else "identity"
    return MemberEnsemble(network, link, head.names, features)


def _part(fit: Fit) -> MemberEnsemble:
    if fit.network is None:
        raise ValueError(f"No network was kept of {fit.scope.key}.")
    part: MemberEnsemble = fit.network()
    return part


def _silent(head: Head, layer: str, features: tuple[str, ...], thinned: int) -> MemberEnsemble:
    """Return a network of one layer as it begins: with outputs of zero."""
    network = head.completed(FusedNetwork)({layer: max(1, len(features))}, head.units, 1)
    return MemberEnsemble(network, head.link, head.names, {layer: features}, thinned)


@register
class LateNetwork(FusionNetwork):
    """The figure above, with one member. It is put together, not trained.

    Parameters
    ----------
    parts
        The network of each layer. Its output is the decision, or class probabilities.
    """

    family = "late"

    def __init__(self, parts: Sequence[MemberEnsemble], **kwargs: Any) -> None:
        widths = {name: width for part in parts for name, width in part.network.widths.items()}
        super().__init__(widths, len(parts[0].outputs_named), 1, **kwargs)
        self.parts = sorted(parts, key=lambda part: list(part.network.widths))

    def build(self, *shapes: Any) -> None:
        self.layer_weights = self.add_weight(
            name="layer_weights", shape=(self.members, len(self.parts)), initializer="zeros"
        )
        self.intercept = self.add_weight(
            name="intercept", shape=(self.members, self.units), initializer="zeros"
        )
        self.built = True

    @property
    def readers(self) -> dict[str, Sequence[MemberDense]]:
        """The dense layers that read each omics layer."""
        return {name: layers for p in self.parts for name, layers in p.network.readers.items()}

    def call(self, x: Mapping[str, Tensor], present: Tensor, draw: Draw | None = None) -> Tensor:
        """Compute the outputs, members x batch x units (see ``FusionNetwork``)."""
        outputs = self.intercept[:, None, :]
        for i, (name, part) in enumerate(zip(self.widths, self.parts, strict=True)):
            here = present[..., i : i + 1]
            said = part({"x": {name: x[name][0]}, "present": here[0]})
            if part.link == "softmax":
                said = ops.log(ops.maximum(said, SMALLEST_PROBABILITY))
                said = said - ops.mean(said, axis=-1, keepdims=True)
            outputs = outputs + self.layer_weights[:, i, None, None] * masked(said[None], here)
        return outputs

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("units")
        config.pop("members")
        return {**config, "parts": [keras.saving.serialize_keras_object(p) for p in self.parts]}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "LateNetwork":
        config = dict(config)
        # Who asks for other widths (``widened``) asks the whole; the parts have them.
        parts = zip(sorted(config.pop("widths").items()), config.pop("parts"), strict=True)
        return cls([_with_width(part, *of_layer) for of_layer, part in parts], **config)


def _with_width(serialized: Mapping[str, Any], layer: str, width: int) -> MemberEnsemble:
    """Read a part, with room for so many columns of its layer."""
    config = dict(serialized["config"])
    network = dict(config["network"])
    network["config"] = {**network["config"], "widths": {layer: width}}
    part = {**serialized, "config": {**config, "network": network}}
    read: MemberEnsemble = keras.saving.deserialize_keras_object(part)
    return read
