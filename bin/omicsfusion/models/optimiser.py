"""How weights start, move, are averaged and kept, each member by itself: AdamW, early stopping."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.family import FusionNetwork
from omicsfusion.models.weight_vector import Shapes
from omicsfusion.seeds import seed_for

ops = keras.ops

FIRST_DECAY, SECOND_DECAY, ADAM_FLOOR = 0.9, 0.999, 1e-8
GRADIENT_NORM = 5.0
AVERAGE_DECAY = 0.8
PATIENCE = 12
"""Epochs without a better stopping loss after which a member stops."""
EPOCHS_TO_BEGIN = 50
"""Epochs that a member gets whose best ones are its first: what it begins with is near zero, and on
few samples chance moves the stopping loss more than the first epochs do."""

State = dict[str, Any]
"""What moves: ``weights``, their moments, average and best (members x values each), and, members
each, ``step``, ``epoch`` and who is ``active``; beside them what does not move."""


def adamw(
    state: State,
    gradient: Tensor,
    live: Tensor,
    settings: Mapping[str, Tensor],
    decays: Tensor,
    frozen: Tensor | None = None,
) -> State:
    """Make one step of AdamW (Loshchilov and Hutter, ICLR 2019, algorithm 2) for the live members.

    Each member's gradient is clipped to the norm ``GRADIENT_NORM`` first.

    Parameters
    ----------
    state
        ``weights``, ``first_moment``, ``second_moment`` (members x values) and ``step``.
    live
        members: the others stay as they are.
    settings
        ``learning_rate`` and ``weight_decay``, members.
    decays
        values: 1 for those that decay, 0 for the others.
    frozen
        members x values: which stay as they are (``frozen_weights``). Their moments go on, so that
        the first step after that is no larger than any other.
    """
    norm = ops.sqrt(ops.sum(ops.square(gradient), axis=1))
    clip = ops.minimum(1.0, GRADIENT_NORM / ops.maximum(norm, ADAM_FLOOR))
    slope = gradient * clip[:, None]
    count = ops.cast(state["step"] + 1, "float32")[:, None]
    first = FIRST_DECAY * state["first_moment"] + (1.0 - FIRST_DECAY) * slope
    second = SECOND_DECAY * state["second_moment"] + (1.0 - SECOND_DECAY) * ops.square(slope)
    moved = first / (1.0 - ops.power(FIRST_DECAY, count))
    spread = ops.sqrt(second / (1.0 - ops.power(SECOND_DECAY, count))) + ADAM_FLOOR
    decay = settings["weight_decay"][:, None] * decays * state["weights"]
    weights = state["weights"] - settings["learning_rate"][:, None] * (moved / spread + decay)
    if frozen is not None:
        weights = ops.where(frozen, state["weights"], weights)
    new = {"weights": weights, "first_moment": first, "second_moment": second}
    kept = {name: ops.where(live[:, None], values, state[name]) for name, values in new.items()}
    return {**state, **kept, "step": state["step"] + ops.cast(live, "int32")}


def decaying(shapes: Shapes) -> np.ndarray:
    """Say of each value of a weight vector whether it decays: kernels do, biases and norms do not.

    Parameters
    ----------
    shapes
        Of the weights, members first.
    """
    return np.concatenate(
        [np.full(math.prod(shape[1:]), len(shape) > 2, np.float32) for shape in shapes]
    )


def frozen_weights(state: State) -> Tensor | None:
    """Say which weights stay in this epoch: those that came pretrained, in the first ``freeze``.

    Returns
    -------
    bool, members x values; None when no weight came pretrained.
    """
    if "held" not in state:
        return None
    early = ops.cast(state["epoch"], "float32") < state["settings"]["freeze"]
    return ops.logical_and(state["held"], early[:, None])


def average_weights(state: State) -> State:
    """Move each active member's average towards its weights, once per epoch.

    A running mean for the first epochs, exponential after that (Polyak and Juditsky, SIAM J.
    Control Optim. 30, 1992): less noise in the stopping loss, and in what is predicted.
    """
    epoch = ops.cast(ops.maximum(state["epoch"], 1), "float32")
    pace = ops.where(state["active"], ops.maximum(1.0 - AVERAGE_DECAY, 1.0 / epoch), 0.0)
    old = state["average"]
    return {**state, "average": old + pace[:, None] * (state["weights"] - old)}


def keep_best(state: State, stop_loss: Tensor) -> State:
    """Keep the weights of the least stopping loss; retire members that have waited too long.

    A member that was best within its first ``PATIENCE`` epochs has not begun to learn: it goes on
    until epoch ``EPOCHS_TO_BEGIN``.
    """
    better = ops.logical_or(stop_loss < state["best_loss"], ops.logical_not(state["stops"]))
    better = ops.logical_and(better, state["active"])
    best_epoch = ops.where(better, state["epoch"], state["best_epoch"])
    waiting = state["epoch"] - best_epoch
    begins = ops.logical_and(best_epoch <= PATIENCE, state["epoch"] < EPOCHS_TO_BEGIN)
    go_on = ops.logical_or(waiting < PATIENCE, begins)
    go_on = ops.logical_and(go_on, state["epoch"] < state["limit"])
    return {
        **state,
        "best": ops.where(better[:, None], state["average"], state["best"]),
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
    The weights; and where something was put in, bool, of the same shapes.
    """
    begun, held = [], []
    for place, weight in enumerate(weights):
        nothing = np.full(weight.shape[1:], np.nan, np.float32)
        if any(place in start for start in starts):
            given = np.stack([start.get(place, nothing) for start in starts])
            held.append(np.isfinite(given))
            begun.append(np.where(held[-1], given, weight))
        else:
            held.append(np.zeros(weight.shape, bool))
            begun.append(weight)
    return begun, held


def _initial_weight(variable: Any, seed: int) -> np.ndarray:
    if variable.name != "kernel":
        return np.asarray(variable)[0]
    rng = np.random.default_rng(seed_for(seed, "weights", variable.path))
    return rng.standard_normal(variable.shape[1:], dtype=np.float32)
