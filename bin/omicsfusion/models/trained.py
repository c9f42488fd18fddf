"""What came of training a member: its best weights and its curve."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from omicsfusion.models.optimiser import State
from omicsfusion.models.weight_vector import Shapes, unpacked

Curve = Sequence[tuple[int, float, float]]
"""(epoch, training loss, stopping loss)."""


@dataclass
class Trained:
    """What came of one member.

    Attributes
    ----------
    weights
        Best weights, in the order of ``network.trainable_variables``, without the member axis.
    curve
        (epoch, training loss, stopping loss); epochs count from 1.
    best_epoch
        Where the stopping loss was least; 0 when it never was a number.
    seed
        Of its random numbers.
    """

    weights: list[np.ndarray]
    curve: list[tuple[int, float, float]] = field(default_factory=list)
    best_epoch: int = 0
    seed: int = 0


def results(
    state: State, curves: Sequence[tuple[np.ndarray, np.ndarray]], shapes: Shapes
) -> list[Trained]:
    """Take apart what all members became; ``curves``: losses of the members, epoch by epoch."""
    best = [np.asarray(weight) for weight in unpacked(state["best"], shapes)]
    epochs, best_epoch = np.asarray(state["epoch"]), np.asarray(state["best_epoch"])
    seeds = np.asarray(state["seed"])
    return [
        Trained(
            weights=[weight[m] for weight in best],
            curve=[
                (epoch + 1, float(curves[epoch][0][m]), float(curves[epoch][1][m]))
                for epoch in range(epochs[m])
            ],
            best_epoch=int(best_epoch[m]),
            seed=int(seeds[m]),
        )
        for m in range(len(epochs))
    ]


def mean_curve(curves: Sequence[Curve]) -> list[tuple[int, float, float]]:
    """Average the losses of those that were still training, epoch by epoch."""
    longest = max(len(curve) for curve in curves)
    rows = []
    for epoch in range(longest):
        losses = [curve[epoch][1:] for curve in curves if epoch < len(curve)]
        train_loss, stop_loss = np.mean(losses, axis=0)
        rows.append((epoch + 1, float(train_loss), float(stop_loss)))
    return rows
