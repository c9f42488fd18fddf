"""Training many members of one network at once: AdamW, early stopping, best weights kept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from omicsfusion.models.backend import Tensor, compiled, gradients, keras
from omicsfusion.models.dealing import Member, dealt_rows, stop_rows
from omicsfusion.models.family import FusionNetwork
from omicsfusion.models.heads.base import weighted_mean
from omicsfusion.models.mixup import mixed, pairs, patterns_of
from omicsfusion.models.optimiser import (
    State,
    adamw,
    average_weights,
    begun_from,
    frozen_weights,
    initial_weights,
    keep_best,
)
from omicsfusion.models.settings import DEFAULTS
from omicsfusion.models.trained import Trained, results

ops = keras.ops

MAX_EPOCHS = 200
EPOCHS_WITHOUT_STOP = 30
"""Epochs of a member whose stop samples cannot judge it (no event, one class, none)."""
PREDICT_ROWS = 256


@dataclass(frozen=True)
class Table:
    """The samples of several scopes, one below the other, as every member sees them.

    Attributes
    ----------
    x
        Layer -> rows x features (padded with zero columns), float32.
    present
        rows x layers, float32.
    target
        rows x values, float32.
    weight
        rows, float32.
    """

    x: dict[str, np.ndarray]
    present: np.ndarray
    target: np.ndarray
    weight: np.ndarray


Loss = Callable[[Tensor, Tensor, Tensor, Mapping[str, Tensor]], Tensor]


class Trainer:
    """Trains chunks of members of one network; compiles once, for chunks of one shape.

    Parameters
    ----------
    network
        Built; its own weights are not touched.
    loss
        ``loss(outputs, target, weight, settings) -> members``; ``settings``: name -> members.
    batch_rows, stop_rows
        Samples in a batch, and the most stop samples of any member.
    max_steps
        The most batches that any member makes of its training rows.
    mixes
        Whether the loss is a sum over samples; without it the setting ``mixup`` does nothing.
    """

    def __init__(
        self,
        network: FusionNetwork,
        loss: Loss,
        batch_rows: int,
        stop_rows: int,
        max_steps: int,
        mixes: bool = False,
    ) -> None:
        self.network = network
        self.loss = loss
        self.batch_rows = batch_rows
        self.stop_rows = stop_rows
        self.max_steps = max_steps
        self.mixes = mixes
        self._epoch = compiled(self._train_epoch)
        self._outputs = compiled(self._forward)
        readers = {id(layer.kernel) for layers in network.readers.values() for layer in layers}
        self._kernels_of_readers = [
            place
            for place, variable in enumerate(network.trainable_variables)
            if id(variable) in readers
        ]

    def train(self, table: Table, members: Sequence[Member]) -> list[Trained]:
        """Train the members of a chunk on the rows of ``table``."""
        data = as_tensors(table)
        fixed = self._stacked([member.constants for member in members])
        state = self._start(members)
        stop = as_tensors(stop_rows(members, self.network.members, self.stop_rows))
        patterns = patterns_of(table.present)
        curves: list[tuple[np.ndarray, np.ndarray]] = []
        while bool(ops.any(state["active"])):
            shape = (self.network.members, self.max_steps, self.batch_rows)
            dealt = dealt_rows(members, shape, epoch=len(curves))
            batches = as_tensors(dealt | self._pairs(dealt, members, patterns, len(curves)))
            state, train_loss, stop_loss = self._epoch(state, fixed, data, batches, stop)
            curves.append((np.asarray(train_loss), np.asarray(stop_loss)))
        return results(state, curves)[: len(members)]

    def predict(
        self, table: Table, members: Sequence[Member], trained: Sequence[Trained], rows: np.ndarray
    ) -> np.ndarray:
        """Compute members x rows x units, each member's for its own ``rows`` (members x rows)."""
        data = as_tensors(table)
        fixed = self._stacked([member.constants for member in members])
        weights = self._stacked([one.weights for one in trained])
        padding = -rows.shape[1] % PREDICT_ROWS
        padded = np.pad(self._padded(rows), ((0, 0), (0, padding))).astype(np.int32)
        parts = [
            np.asarray(self._outputs(weights, fixed, data, ops.convert_to_tensor(block)))
            for block in np.split(padded, padded.shape[1] // PREDICT_ROWS, axis=1)
        ]
        return np.concatenate(parts, axis=1)[: len(members), : rows.shape[1]]

    def _padded(self, of_members: Any) -> Any:
        """Repeat the first member until the chunk has its full number."""
        first = [of_members[0]] * (self.network.members - len(of_members))
        return [*of_members, *first]

    def _start(self, members: Sequence[Member]) -> State:
        n, real = self.network.members, len(members)
        weights = initial_weights(self.network, [member.seed for member in self._padded(members)])
        starts = [member.start for member in self._padded(members)]
        weights, held = begun_from(weights, starts)
        zeros = [np.zeros_like(weight) for weight in weights]
        limit = [MAX_EPOCHS if member.stops else EPOCHS_WITHOUT_STOP for member in members]
        return as_tensors(
            # Without pretrained encoders nothing is compiled that they alone need.
            ({"held": held} if any(starts) else {})
            | {
                "weights": weights,
                "first_moment": zeros,
                "second_moment": zeros,
                "average": zeros,
                "best": zeros,
                "best_loss": np.full(n, np.inf, np.float32),
                "best_epoch": np.zeros(n, np.int32),
                "epoch": np.zeros(n, np.int32),
                "step": np.zeros(n, np.int32),
                "active": np.arange(n) < real,
                "limit": np.array([*limit, *[0] * (n - real)], np.int32),
                "stops": np.array([*(member.stops for member in members), *[True] * (n - real)]),
                "seed": np.array([member.seed for member in self._padded(members)], np.uint32),
                "settings": {
                    name: np.array([m.settings[name] for m in self._padded(members)], np.float32)
                    for name in DEFAULTS
                },
            }
        )

    def _stacked(self, of_members: Sequence[Sequence[np.ndarray]]) -> list[Tensor]:
        """Put the same weight of all members on the member axis."""
        return [
            ops.convert_to_tensor(np.stack(parts))
            for parts in zip(*self._padded(of_members), strict=True)
        ]

    def _pairs(
        self,
        dealt: Mapping[str, np.ndarray],
        members: Sequence[Member],
        patterns: np.ndarray,
        epoch: int,
    ) -> dict[str, np.ndarray]:
        """Draw the pairs that are mixed; nothing (and nothing to compute) when no member mixes."""
        strengths = [member.settings["mixup"] * self.mixes for member in members]
        if not any(strengths):
            return {}
        return pairs(dealt, [member.seed for member in members], strengths, patterns, epoch)

    def _forward(
        self,
        weights: Sequence[Tensor],
        fixed: Sequence[Tensor],
        data: dict[str, Any],
        rows: Tensor,
    ) -> Tensor:
        return self._call(weights, fixed, data, {"rows": rows}, None)[0]

    def _call(
        self,
        weights: Sequence[Tensor],
        fixed: Sequence[Tensor],
        data: dict[str, Any],
        batch: Mapping[str, Tensor],
        draw: Tensor | None,
    ) -> tuple[Tensor, list[Tensor]]:
        """Return the outputs, and what the network adds to the loss in training."""
        x = _rows_of(data["x"], batch["rows"])
        present = ops.take(data["present"], batch["rows"], axis=0)
        if "partner" in batch:
            others = _rows_of(data["x"], batch["partner"])
            x = {name: mixed(x[name], others[name], batch["share"]) for name in x}
        outputs, _, losses = self.network.stateless_call(
            weights, fixed, x, present, draw, return_losses=True
        )
        return outputs, losses

    def _loss(
        self,
        weights: Sequence[Tensor],
        fixed: Sequence[Tensor],
        data: dict[str, Any],
        settings: Mapping[str, Tensor],
        batch: Mapping[str, Tensor],
        draw: Tensor | None = None,
    ) -> Tensor:
        """Return the loss of each member; in training with what is added to it."""
        outputs, added = self._call(weights, fixed, data, batch, draw)
        used = batch["used"]

        def loss_for(rows: Tensor) -> Tensor:
            target = ops.take(data["target"], rows, axis=0)
            weight = ops.take(data["weight"], rows, axis=0) * used
            return self.loss(outputs, target, weight, settings)

        loss = loss_for(batch["rows"])
        if draw is None:
            return loss
        if "partner" in batch:
            loss = mixed(loss, loss_for(batch["partner"]), batch["share"])
        kernels = [weights[place] for place in self._kernels_of_readers]
        absolute = sum(ops.sum(ops.abs(kernel), axis=(1, 2)) for kernel in kernels)
        return loss + sum(weighted_mean(one, used) for one in added) + settings["l1"] * absolute

    def _train_epoch(
        self,
        state: State,
        fixed: Sequence[Tensor],
        data: dict[str, Any],
        batches: dict[str, Tensor],
        stop: dict[str, Tensor],
    ) -> tuple[State, Tensor, Tensor]:
        state, summed = self._train_batches(state, fixed, data, batches)
        state = end_epoch(state)
        stop_loss = self._loss(state["average"], fixed, data, state["settings"], stop)
        steps = ops.cast(ops.maximum(batches["steps"], 1), summed.dtype)
        return keep_best(state, stop_loss), summed / steps, stop_loss

    def _train_batches(
        self,
        state: State,
        fixed: Sequence[Tensor],
        data: dict[str, Any],
        batches: dict[str, Tensor],
    ) -> tuple[State, Tensor]:
        """Make a step for each batch; return the sum of each member's losses, too."""
        moving = ("weights", "first_moment", "second_moment", "step")
        frozen = frozen_weights(state)

        def one_batch(number: Tensor, now: State, summed: Tensor) -> tuple[Tensor, State, Tensor]:
            live = ops.logical_and(state["active"], number < batches["steps"])
            batch = {
                name: ops.take(values, number, axis=1)
                for name, values in batches.items()
                if name != "steps"
            }
            draw = ops.stack([state["seed"], ops.cast(now["step"], "uint32")], axis=1)
            loss, gradient = gradients(
                lambda weights: self._loss(weights, fixed, data, state["settings"], batch, draw),
                now["weights"],
            )
            return (
                number + 1,
                adamw(now, gradient, live, state["settings"], frozen),
                summed + ops.where(live, loss, 0.0),
            )

        start = (ops.convert_to_tensor(0), {name: state[name] for name in moving})
        most = ops.max(ops.where(state["active"], batches["steps"], 0))
        _, now, summed = ops.while_loop(
            lambda number, *_: number < most,
            one_batch,
            (*start, ops.zeros_like(state["best_loss"])),
        )
        return {**state, **now}, summed


def end_epoch(state: State) -> State:
    """Count the epoch of the active members, and move their averages."""
    return average_weights({**state, "epoch": state["epoch"] + ops.cast(state["active"], "int32")})


def _rows_of(x: Mapping[str, Tensor], rows: Tensor) -> dict[str, Tensor]:
    return {name: ops.take(values, rows, axis=0) for name, values in x.items()}


def as_tensors(tree: Any) -> Any:
    """Turn the arrays of a tree (or of a ``Table``) into tensors."""
    if isinstance(tree, Table):
        tree = {name: getattr(tree, name) for name in ("x", "present", "target", "weight")}
    return keras.tree.map_structure(ops.convert_to_tensor, tree)
