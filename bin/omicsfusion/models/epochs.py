"""What is compiled of training and prediction: outputs, losses and epochs of many members."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from omicsfusion.models.backend import Tensor, gradients, keras
from omicsfusion.models.family import FusionNetwork
from omicsfusion.models.heads.base import weighted_mean
from omicsfusion.models.mixup import mixed
from omicsfusion.models.optimiser import State, adamw, average_weights, frozen_weights, keep_best
from omicsfusion.models.random_bits import KINDS, SEED, Draw
from omicsfusion.models.thinning import thinned_outputs
from omicsfusion.models.weight_vector import packed, shapes_of_weights, unpacked

ops = keras.ops

Loss = Callable[[Tensor, Tensor, Tensor, Mapping[str, Tensor]], Tensor]


class Epochs:
    """Functions of tensors, all of a network's members at once.

    A table is a mapping with ``x`` (layer -> rows x features), ``present``, ``target`` and
    ``weight``; a batch one with ``rows`` of the table and whether they are ``used``, members x
    rows; ``weights`` are one vector per member (``weight_vector``), ``fixed`` what is not learnt.

    Parameters
    ----------
    network
        Built; its own weights are not touched.
    loss
        ``loss(outputs, target, weight, settings) -> members``; ``settings``: name -> members.
    thinned
        Thinned networks by which each member predicts; 0: by itself.

    Attributes
    ----------
    shapes
        Of the weights in the vector, members first.
    """

    def __init__(self, network: FusionNetwork, loss: Loss, thinned: int = 0) -> None:
        self.network = network
        self.thinned = thinned
        self._loss_of_outputs = loss
        self.shapes = shapes_of_weights(network.trainable_variables)
        readers = {id(layer.kernel) for layers in network.readers.values() for layer in layers}
        self._kernels_of_readers = [
            place
            for place, variable in enumerate(network.trainable_variables)
            if id(variable) in readers
        ]

    def outputs(
        self,
        weights: Tensor,
        fixed: Sequence[Tensor],
        data: dict[str, Any],
        rows: Tensor,
        seeds: Tensor,
    ) -> Tensor:
        """Predict: members x rows x units, or those of thinned networks (``thinned_outputs``)."""
        parts = unpacked(weights, self.shapes)
        return thinned_outputs(
            lambda draw: self._call(parts, fixed, data, {"rows": rows}, draw)[0],
            seeds,
            self.thinned,
        )

    def _call(
        self,
        weights: Sequence[Tensor],
        fixed: Sequence[Tensor],
        data: dict[str, Any],
        batch: Mapping[str, Tensor],
        draw: Draw | None,
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

    def loss(
        self,
        weights: Tensor,
        fixed: Sequence[Tensor],
        data: dict[str, Any],
        settings: Mapping[str, Tensor],
        batch: Mapping[str, Tensor],
        draw: Draw | None = None,
    ) -> Tensor:
        """Return the loss of each member; with ``draw`` as in training."""
        return self._loss(unpacked(weights, self.shapes), fixed, data, settings, batch, draw)

    def _loss(
        self,
        weights: Sequence[Tensor],
        fixed: Sequence[Tensor],
        data: dict[str, Any],
        settings: Mapping[str, Tensor],
        batch: Mapping[str, Tensor],
        draw: Draw | None,
    ) -> Tensor:
        """Return the loss of each member; in training with what is added to it."""
        outputs, added = self._call(weights, fixed, data, batch, draw)
        used = batch["used"]

        def loss_for(rows: Tensor) -> Tensor:
            target = ops.take(data["target"], rows, axis=0)
            weight = ops.take(data["weight"], rows, axis=0) * used
            return self._loss_of_outputs(outputs, target, weight, settings)

        loss = loss_for(batch["rows"])
        if draw is None:
            return loss
        if "partner" in batch:
            loss = mixed(loss, loss_for(batch["partner"]), batch["share"])
        kernels = [weights[place] for place in self._kernels_of_readers]
        absolute = sum(ops.sum(ops.abs(kernel), axis=(1, 2)) for kernel in kernels)
        return loss + sum(weighted_mean(one, used) for one in added) + settings["l1"] * absolute

    def train_epochs(
        self,
        state: State,
        fixed: Sequence[Tensor],
        data: dict[str, Any],
        batches: dict[str, Tensor],
        stop: dict[str, Tensor],
    ) -> tuple[State, Tensor, Tensor]:
        """Train for some epochs, or until no member is active: ``batches`` of epochs x members.

        The losses, for training and for stopping, are epochs x members.
        """
        epochs = batches["steps"].shape[0]

        def goes_on(number: Tensor, now: State, *losses: Tensor) -> Tensor:
            return ops.logical_and(number < epochs, ops.any(now["active"]))

        def one_epoch(number: Tensor, now: State, *losses: Tensor) -> tuple[Any, ...]:
            of_epoch = {name: ops.take(values, number, axis=0) for name, values in batches.items()}
            now, *new = self._train_epoch(now, fixed, data, of_epoch, stop)
            here = ops.arange(epochs)[:, None] == number
            found = [
                ops.where(here, one[None], all_of) for one, all_of in zip(new, losses, strict=True)
            ]
            return (number + 1, now, *found)

        nothing = ops.zeros((epochs, self.network.members))
        start = (ops.convert_to_tensor(0), state, nothing, nothing)
        return tuple(ops.while_loop(goes_on, one_epoch, start)[1:])

    def _train_epoch(
        self,
        state: State,
        fixed: Sequence[Tensor],
        data: dict[str, Any],
        batches: dict[str, Tensor],
        stop: dict[str, Tensor],
    ) -> tuple[State, Tensor, Tensor]:
        state, summed = self.train_batches(state, fixed, data, batches)
        state = end_epoch(state)
        stop_loss = self.loss(state["average"], fixed, data, state["settings"], stop)
        steps = ops.cast(ops.maximum(batches["steps"], 1), summed.dtype)
        return keep_best(state, stop_loss), summed / steps, stop_loss

    def train_batches(
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
            draw = {SEED: ops.stack([state["seed"], ops.cast(now["step"], "uint32")], axis=1)}
            draw |= {KINDS: batch[KINDS]} if KINDS in batch else {}
            loss, gradient = gradients(
                lambda weights: self._loss(weights, fixed, data, state["settings"], batch, draw),
                unpacked(now["weights"], self.shapes),
            )
            return (
                number + 1,
                adamw(now, packed(gradient), live, state["settings"], state["decays"], frozen),
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
