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


def result_of(state: State, place: int, curve: Curve, shapes: Shapes) -> Trained:
    """Take out what the member at a place of the network became."""
    of_one = [(1, *shape[1:]) for shape in shapes]
    best = np.asarray(state["best"][place])[None]
    return Trained(
        weights=[np.asarray(weight)[0] for weight in unpacked(best, of_one)],
        curve=list(curve),
        best_epoch=int(state["best_epoch"][place]),
        seed=int(state["seed"][place]),
    )


def mean_curve(curves: Sequence[Curve]) -> list[tuple[int, float, float]]:
    """Average the losses of those that were still training, epoch by epoch."""
    longest = max(len(curve) for curve in curves)
    rows = []
    for epoch in range(longest):
        losses = [curve[epoch][1:] for curve in curves if epoch < len(curve)]
        train_loss, stop_loss = np.mean(losses, axis=0)
        rows.append((epoch + 1, float(train_loss), float(stop_loss)))
    return rows
