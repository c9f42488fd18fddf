"""How weights start, move, are averaged and kept, each member by itself: AdamW, early stopping."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.family import FusionNetwork
from omicsfusion.seeds import seed_for

ops = keras.ops

FIRST_DECAY, SECOND_DECAY, ADAM_FLOOR = 0.9, 0.999, 1e-8
GRADIENT_NORM = 5.0
AVERAGE_DECAY = 0.8
PATIENCE = 12
"""Epochs without a better stopping loss after which a member stops."""

State = dict[str, Any]
"""What moves: ``weights``, their moments, average and best, ``step``, ``epoch``, who is active."""


def adamw(
    state: State,
    gradient: Sequence[Tensor],
    live: Tensor,
    settings: Mapping[str, Tensor],
    frozen: Sequence[Tensor] | None = None,
) -> State:
    """Make one step of AdamW (Loshchilov and Hutter, ICLR 2019, algorithm 2) for the live members.

    Each member's gradient is clipped to the norm ``GRADIENT_NORM`` first. Kernels decay; vectors
    (biases, norms) do not.

    Parameters
    ----------
    state
        ``weights``, ``first_moment``, ``second_moment`` (lists, each weight members x …), ``step``.
    live
        members: the others stay as they are.
    settings
        ``learning_rate`` and ``weight_decay``, members.
    frozen
        For each weight where it stays as it is (``frozen_weights``). Its moments go on, so that the
        first step after that is no larger than any other.
    """
    norm = ops.sqrt(sum(ops.sum(ops.square(g), axis=tuple(range(1, g.ndim))) for g in gradient))
    clip = ops.minimum(1.0, GRADIENT_NORM / ops.maximum(norm, ADAM_FLOOR))
    count = ops.cast(state["step"] + 1, "float32")
    first_correction = 1.0 - ops.power(FIRST_DECAY, count)
    second_correction = 1.0 - ops.power(SECOND_DECAY, count)
    new: dict[str, list[Tensor]] = {"weights": [], "first_moment": [], "second_moment": []}
    stays = frozen or [None] * len(gradient)
    for weight, first, second, slope, still in zip(
        state["weights"],
        state["first_moment"],
        state["second_moment"],
        gradient,
        stays,
        strict=True,
    ):
        slope = slope * _along(clip, slope)
        first_new = FIRST_DECAY * first + (1.0 - FIRST_DECAY) * slope
        second_new = SECOND_DECAY * second + (1.0 - SECOND_DECAY) * ops.square(slope)
        moved = first_new / _along(first_correction, slope)
        spread = ops.sqrt(second_new / _along(second_correction, slope)) + ADAM_FLOOR
        decay = _along(settings["weight_decay"], slope) if weight.ndim > 2 else 0.0
        rate = _along(settings["learning_rate"], slope)
        weight_new = weight - rate * (moved / spread + decay * weight)
        keep = _along(live, weight)
        if still is not None:
            weight_new = ops.where(still, weight, weight_new)
        new["weights"].append(ops.where(keep, weight_new, weight))
        new["first_moment"].append(ops.where(keep, first_new, first))
        new["second_moment"].append(ops.where(keep, second_new, second))
    return {**state, **new, "step": state["step"] + ops.cast(live, "int32")}


def frozen_weights(state: State) -> list[Tensor] | None:
    """Say which weights stay in this epoch: those that came pretrained, in the first ``freeze``.

    Returns
    -------
    For each weight bool, of a shape that goes with it; None when no weight came pretrained.
    """
    if "held" not in state:
        return None
    early = ops.cast(state["epoch"], "float32") < state["settings"]["freeze"]
    return [ops.logical_and(held, _along(early, held)) for held in state["held"]]


def average_weights(state: State) -> State:
    """Move each active member's average towards its weights, once per epoch.

    A running mean for the first epochs, exponential after that (Polyak and Juditsky, SIAM J.
    Control Optim. 30, 1992): less noise in the stopping loss, and in what is predicted.
    """
    epoch = ops.cast(ops.maximum(state["epoch"], 1), "float32")
    pace = ops.where(state["active"], ops.maximum(1.0 - AVERAGE_DECAY, 1.0 / epoch), 0.0)
    average = [
        old + _along(pace, old) * (weight - old)
        for old, weight in zip(state["average"], state["weights"], strict=True)
    ]
    return {**state, "average": average}


def keep_best(state: State, stop_loss: Tensor) -> State:
    """Keep the weights of the least stopping loss; retire members that have waited too long."""
    better = ops.logical_or(stop_loss < state["best_loss"], ops.logical_not(state["stops"]))
    better = ops.logical_and(better, state["active"])
    best_epoch = ops.where(better, state["epoch"], state["best_epoch"])
    waiting = state["epoch"] - best_epoch
    go_on = ops.logical_and(waiting < PATIENCE, state["epoch"] < state["limit"])
    return {
        **state,
        "best": [
            ops.where(_along(better, old), weight, old)
            for old, weight in zip(state["best"], state["average"], strict=True)
        ],
        "best_loss": ops.where(better, stop_loss, state["best_loss"]),
        "best_epoch": best_epoch,
        "active": ops.logical_and(state["active"], go_on),
    }


def initial_weights(network: FusionNetwork, seeds: Sequence[int]) -> list[np.ndarray]:
    """Draw the weights named ``kernel`` from N(0, 1), each member's by its own seed."""
    return [
        np.stack([_initial_weight(variable, seed) for seed in seeds])
        for variable in network.trainable_variables
    ]


def begun_from(
    weights: Sequence[np.ndarray], starts: Sequence[Mapping[int, np.ndarray]]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Put what members begin with into their random weights.

    Parameters
    ----------
    weights
        ``initial_weights``.
    starts
        ``start`` of each member.

    Returns
    -------
    The weights; and where each was put in, bool, members x … (1 where nothing was, to save room).
    """
    begun, held = [], []
    for place, weight in enumerate(weights):
        nothing = np.full(weight.shape[1:], np.nan, np.float32)
        if any(place in start for start in starts):
            given = np.stack([start.get(place, nothing) for start in starts])
            held.append(np.isfinite(given))
            begun.append(np.where(held[-1], given, weight))
        else:
            held.append(np.zeros((len(weight), *[1] * (weight.ndim - 1)), bool))
            begun.append(weight)
    return begun, held


def _initial_weight(variable: Any, seed: int) -> np.ndarray:
    if variable.name != "kernel":
        return np.asarray(variable)[0]
    rng = np.random.default_rng(seed_for(seed, "weights", variable.path))
    return rng.standard_normal(variable.shape[1:], dtype=np.float32)


def _along(of_members: Tensor, weight: Tensor) -> Tensor:
    """Give a vector over members the dimensions of a weight."""
    return ops.reshape(of_members, (-1, *[1] * (weight.ndim - 1)))
