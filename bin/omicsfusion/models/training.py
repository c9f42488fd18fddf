"""Training many members of one network at once: AdamW, early stopping, best weights kept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from omicsfusion.models.backend import Tensor, compiled, gradients, keras
from omicsfusion.models.family import FusionNetwork
from omicsfusion.models.heads import weighted_mean
from omicsfusion.models.settings import DEFAULTS
from omicsfusion.seeds import seed_for

ops = keras.ops

FIRST_DECAY, SECOND_DECAY, ADAM_FLOOR = 0.9, 0.999, 1e-8
GRADIENT_NORM = 5.0
MAX_EPOCHS = 200
PATIENCE = 12
EPOCHS_WITHOUT_STOP = 30
"""Epochs of a member whose stop samples cannot judge it (no event, one class, none)."""
AVERAGE_DECAY = 0.8
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


@dataclass(frozen=True)
class Member:
    """One fit: who trains it and what its random numbers are named.

    Attributes
    ----------
    seed
        Of all its random numbers.
    train, stop
        Rows of the table.
    strata
        A label per train row; every batch gets its share of each.
    stops
        Whether the stop rows can judge it.
    settings
        Value of each setting (``settings.DEFAULTS``).
    constants
        Values of the weights that are not learnt (``FusionNetwork.constants``).
    """

    seed: int
    train: np.ndarray
    stop: np.ndarray
    strata: np.ndarray
    stops: bool
    settings: Mapping[str, float]
    constants: Sequence[np.ndarray]


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
    """

    weights: list[np.ndarray]
    curve: list[tuple[int, float, float]] = field(default_factory=list)
    best_epoch: int = 0


Loss = Callable[[Tensor, Tensor, Tensor, Mapping[str, Tensor]], Tensor]
State = dict[str, Any]


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
    """

    def __init__(
        self, network: FusionNetwork, loss: Loss, batch_rows: int, stop_rows: int, max_steps: int
    ) -> None:
        self.network = network
        self.loss = loss
        self.batch_rows = batch_rows
        self.stop_rows = stop_rows
        self.max_steps = max_steps
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
        data = _as_tensors(table)
        fixed = self._fixed_weights(members)
        state = self._start(members)
        stop = _as_tensors(self._stop_rows(members))
        curves: list[tuple[np.ndarray, np.ndarray]] = []
        while bool(ops.any(state["active"])):
            batches = _as_tensors(self._batches(members, epoch=len(curves)))
            state, train_loss, stop_loss = self._epoch(state, fixed, data, batches, stop)
            curves.append((np.asarray(train_loss), np.asarray(stop_loss)))
        best = [np.asarray(weight) for weight in state["best"]]
        epochs, best_epoch = np.asarray(state["epoch"]), np.asarray(state["best_epoch"])
        return [
            Trained(
                weights=[weight[m] for weight in best],
                curve=[
                    (epoch + 1, float(curves[epoch][0][m]), float(curves[epoch][1][m]))
                    for epoch in range(epochs[m])
                ],
                best_epoch=int(best_epoch[m]),
            )
            for m in range(len(members))
        ]

    def predict(
        self, table: Table, members: Sequence[Member], trained: Sequence[Trained], rows: np.ndarray
    ) -> np.ndarray:
        """Compute members x rows x units, each member's for its own ``rows`` (members x rows)."""
        data = _as_tensors(table)
        fixed = self._fixed_weights(members)
        weights = [
            ops.convert_to_tensor(np.stack(parts))
            for parts in zip(*(self._padded([one.weights for one in trained])), strict=True)
        ]
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
        zeros = [np.zeros_like(weight) for weight in weights]
        limit = [MAX_EPOCHS if member.stops else EPOCHS_WITHOUT_STOP for member in members]
        return _as_tensors(
            {
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

    def _fixed_weights(self, members: Sequence[Member]) -> list[Tensor]:
        return [
            ops.convert_to_tensor(np.stack(of_members))
            for of_members in zip(*(m.constants for m in self._padded(members)), strict=True)
        ]

    def _stop_rows(self, members: Sequence[Member]) -> dict[str, np.ndarray]:
        rows = np.zeros((self.network.members, self.stop_rows), np.int32)
        used = np.zeros((self.network.members, self.stop_rows), np.float32)
        for m, member in enumerate(members):
            rows[m, : len(member.stop)] = member.stop
            used[m, : len(member.stop)] = 1.0
        return {"rows": rows, "used": used}

    def _batches(self, members: Sequence[Member], epoch: int) -> dict[str, np.ndarray]:
        """Deal each member's training rows into batches: members x batches x rows."""
        shape = (self.network.members, self.max_steps, self.batch_rows)
        rows, used = np.zeros(shape, np.int32), np.zeros(shape, np.float32)
        steps = np.zeros(self.network.members, np.int32)
        for m, member in enumerate(members):
            rng = np.random.default_rng(seed_for(member.seed, "batches", epoch))
            mixed = rng.permutation(len(member.train))
            mixed = mixed[np.argsort(member.strata[mixed], kind="stable")]
            steps[m] = -(-len(mixed) // self.batch_rows)
            for step in range(steps[m]):
                batch = member.train[mixed[step :: steps[m]]]
                rows[m, step, : len(batch)] = batch
                used[m, step, : len(batch)] = 1.0
        return {"rows": rows, "used": used, "steps": steps}

    def _forward(
        self,
        weights: Sequence[Tensor],
        fixed: Sequence[Tensor],
        data: dict[str, Any],
        rows: Tensor,
    ) -> Tensor:
        return self._call(weights, fixed, data, rows, None)[0]

    def _call(
        self,
        weights: Sequence[Tensor],
        fixed: Sequence[Tensor],
        data: dict[str, Any],
        rows: Tensor,
        draw: Tensor | None,
    ) -> tuple[Tensor, list[Tensor]]:
        """Return the outputs, and what the network adds to the loss in training."""
        x = {name: ops.take(values, rows, axis=0) for name, values in data["x"].items()}
        present = ops.take(data["present"], rows, axis=0)
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
        rows: Tensor,
        used: Tensor,
        draw: Tensor | None = None,
    ) -> Tensor:
        """Return the loss of each member; in training with what is added to it."""
        outputs, added = self._call(weights, fixed, data, rows, draw)
        target = ops.take(data["target"], rows, axis=0)
        weight = ops.take(data["weight"], rows, axis=0) * used
        loss = self.loss(outputs, target, weight, settings)
        if draw is None:
            return loss
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
        moving = ("weights", "first_moment", "second_moment", "step")

        def one_batch(number: Tensor, now: State, summed: Tensor) -> tuple[Tensor, State, Tensor]:
            live = ops.logical_and(state["active"], number < batches["steps"])
            rows, used = (ops.take(batches[name], number, axis=1) for name in ("rows", "used"))
            draw = ops.stack([state["seed"], ops.cast(now["step"], "uint32")], axis=1)
            loss, gradient = gradients(
                lambda weights: self._loss(
                    weights, fixed, data, state["settings"], rows, used, draw
                ),
                now["weights"],
            )
            return (
                number + 1,
                adamw(now, gradient, live, state["settings"]),
                summed + ops.where(live, loss, 0.0),
            )

        start = (ops.convert_to_tensor(0), {name: state[name] for name in moving})
        most = ops.max(ops.where(state["active"], batches["steps"], 0))
        _, now, summed = ops.while_loop(
            lambda number, *_: number < most,
            one_batch,
            (*start, ops.zeros_like(state["best_loss"])),
        )
        state = {**state, **now, "epoch": state["epoch"] + ops.cast(state["active"], "int32")}
        state = average_weights(state)
        stop_loss = self._loss(
            state["average"], fixed, data, state["settings"], stop["rows"], stop["used"]
        )
        steps = ops.cast(ops.maximum(batches["steps"], 1), summed.dtype)
        return keep_best(state, stop_loss), summed / steps, stop_loss


def adamw(
    state: State, gradient: Sequence[Tensor], live: Tensor, settings: Mapping[str, Tensor]
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
    """
    norm = ops.sqrt(sum(ops.sum(ops.square(g), axis=tuple(range(1, g.ndim))) for g in gradient))
    clip = ops.minimum(1.0, GRADIENT_NORM / ops.maximum(norm, ADAM_FLOOR))
    count = ops.cast(state["step"] + 1, "float32")
    first_correction = 1.0 - ops.power(FIRST_DECAY, count)
    second_correction = 1.0 - ops.power(SECOND_DECAY, count)
    new: dict[str, list[Tensor]] = {"weights": [], "first_moment": [], "second_moment": []}
    for weight, first, second, slope in zip(
        state["weights"], state["first_moment"], state["second_moment"], gradient, strict=True
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
        new["weights"].append(ops.where(keep, weight_new, weight))
        new["first_moment"].append(ops.where(keep, first_new, first))
        new["second_moment"].append(ops.where(keep, second_new, second))
    return {**state, **new, "step": state["step"] + ops.cast(live, "int32")}


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


def _initial_weight(variable: Any, seed: int) -> np.ndarray:
    if variable.name != "kernel":
        return np.asarray(variable)[0]
    rng = np.random.default_rng(seed_for(seed, "weights", variable.path))
    return rng.standard_normal(variable.shape[1:], dtype=np.float32)


def _along(of_members: Tensor, weight: Tensor) -> Tensor:
    """Give a vector over members the dimensions of a weight."""
    return ops.reshape(of_members, (-1, *[1] * (weight.ndim - 1)))


def _as_tensors(tree: Any) -> Any:
    if isinstance(tree, Table):
        tree = {name: getattr(tree, name) for name in ("x", "present", "target", "weight")}
    return keras.tree.map_structure(ops.convert_to_tensor, tree)
