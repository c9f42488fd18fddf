"""Training on tables that do not fit into memory: blocks of samples come from disk, via tf.data.

The steps, the losses and what is kept are those of training in memory. What differs:

- batches are dealt within a buffer of the training samples, and so is the share of each stratum
  that a batch gets (``feed``); when one buffer holds them all, the batches are the same;
- the stopping loss is the mean over blocks of ``PREDICT_ROWS`` samples, weighted by their weights:
  for a loss that is a weighted mean over samples the same number. Cox's loss, which compares
  samples, compares those of a block: less exact, and as fair to every epoch. So is that of several
  targets, whose blocks are weighted by who has any.

Memory hangs on the width of the table and not on its length, but for a few numbers per sample
(outcome, roles, outputs).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from omicsfusion.models.backend import Tensor, compiled, keras, prefetched
from omicsfusion.models.batches import asked_by, dealt_epoch
from omicsfusion.models.dealing import Member
from omicsfusion.models.disk_rows import DiskRows
from omicsfusion.models.epochs import Loss, end_epoch
from omicsfusion.models.family import FusionNetwork
from omicsfusion.models.feed import Feed, shuffled_buffers
from omicsfusion.models.lane import Lane
from omicsfusion.models.mixup import patterns_of
from omicsfusion.models.optimiser import State, keep_best
from omicsfusion.models.trained import Trained, result_of
from omicsfusion.models.training import PREDICT_ROWS, Trainer, as_tensors

ops = keras.ops


@dataclass(frozen=True)
class DiskTable:
    """All samples of one scope, their values on disk.

    Attributes
    ----------
    scope
        Its name, by which windows are shuffled.
    rows
        The values.
    target, weight
        float32, samples x values and samples.
    """

    scope: str
    rows: DiskRows
    target: np.ndarray
    weight: np.ndarray


class StreamedTrainer(Trainer):
    """Trains members of one scope side by side: they share what is read from disk.

    Each member deals its own batches from the buffer that all of them see: a table is read once per
    epoch, whatever the number of members.

    Parameters
    ----------
    network, loss, batch_rows, mixes, thinned
        As for ``Trainer``.
    feed
        Samples read at a time.
    """

    def __init__(
        self,
        network: FusionNetwork,
        loss: Loss,
        batch_rows: int,
        feed: Feed,
        mixes: bool = False,
        thinned: int = 0,
    ) -> None:
        steps = -(-feed.buffer // batch_rows)
        super().__init__(network, loss, batch_rows, PREDICT_ROWS, steps, mixes, thinned=thinned)
        self.feed = feed
        self._batches = compiled(self.epochs.train_batches)
        self._weighed_loss = compiled(self._weigh_loss)
        self._all_rows = ops.convert_to_tensor(
            np.tile(np.arange(PREDICT_ROWS, dtype=np.int32), (network.members, 1))
        )

    def train_from(self, table: DiskTable, members: Sequence[Member]) -> list[Trained]:
        """Train members of one scope; they have the same ``train`` and ``stop`` samples."""
        fixed = self._stacked([member.constants for member in members])
        state = self._start(members, any(member.start for member in members))
        patterns = patterns_of(table.rows.present)
        lane = Lane(members, self.network.members)
        while bool(ops.any(state["active"])):
            state, train_loss = self._pass(state, fixed, table, members, patterns, max(lane.epochs))
            state = end_epoch(state)
            stop_loss = self._stop_loss(state, fixed, table, members[0].stop)
            state = keep_best(state, ops.convert_to_tensor(stop_loss))
            lane.go_on(train_loss[None], stop_loss[None], np.asarray(state["epoch"]))
        return [
            result_of(state, place, lane.curve(place), self.epochs.shapes)
            for place in range(len(members))
        ]

    def predict_from(
        self, table: DiskTable, members: Sequence[Member], trained: Sequence[Trained]
    ) -> np.ndarray:
        """Compute members x samples of the scope x units; of thinned networks as ``predict``."""
        fixed = self._stacked([member.constants for member in members])
        weights, seeds = self._packed(trained), self._seeds(trained)
        parts = _parts(np.arange(table.rows.samples))
        outputs = [
            np.asarray(self._outputs(weights, fixed, data, self._all_rows, seeds))[
                :, : len(samples)
            ]
            for samples, data in zip(parts, _read(table, parts, PREDICT_ROWS), strict=True)
        ]
        return np.concatenate(outputs, axis=1)[: len(members) * max(1, self.thinned)]

    def _pass(
        self,
        state: State,
        fixed: Sequence[Tensor],
        table: DiskTable,
        members: Sequence[Member],
        patterns: np.ndarray,
        epoch: int,
    ) -> tuple[State, np.ndarray]:
        """Train on every training sample once; return the mean of each member's losses, too."""
        # What moves once an epoch stays outside: it would be copied with every buffer.
        aside = {name: state[name] for name in ("average", "best")}
        state = {name: values for name, values in state.items() if name not in aside}
        train = members[0].train
        shape = (self.network.members, self.max_steps, self.batch_rows)
        asked = asked_by(members, self.mixes)
        buffers = shuffled_buffers(len(train), self.feed, table.scope, epoch)
        parts = [train[buffer] for buffer in buffers]
        summed = np.zeros(self.network.members, np.float32)
        steps = np.zeros(self.network.members, np.float32)
        blocks = _read(table, parts, self.feed.buffer)
        for number, (buffer, data) in enumerate(zip(buffers, blocks, strict=True)):
            here = [_within(member, buffer) for member in members]
            # Deals count on through buffers and epochs: with one buffer, they are epochs.
            deal = epoch * len(buffers) + number
            deals = [deal] * len(here)
            dealt = dealt_epoch(here, shape, patterns[parts[number]], deals, self.mixes, asked)
            state, loss = self._batches(state, fixed, data, as_tensors(dealt))
            summed, steps = summed + np.asarray(loss), steps + dealt["steps"]
        return {**state, **aside}, summed / np.maximum(steps, 1)

    def _stop_loss(
        self, state: State, fixed: Sequence[Tensor], table: DiskTable, stop: np.ndarray
    ) -> np.ndarray:
        """Return the loss of each member's average weights on the stop samples."""
        summed, weight = np.zeros(self.network.members), 0.0
        for data in _read(table, _parts(stop), PREDICT_ROWS):
            loss = self._weighed_loss(state["average"], fixed, data, state["settings"])
            here = float(np.sum(np.asarray(data["weight"]), dtype=np.float64))
            summed, weight = summed + here * np.asarray(loss, np.float64), weight + here
        return (summed / (weight or 1.0)).astype(np.float32)

    def _weigh_loss(
        self,
        weights: Tensor,
        fixed: Sequence[Tensor],
        data: dict[str, Any],
        settings: Mapping[str, Tensor],
    ) -> Tensor:
        batch = {"rows": self._all_rows, "used": ops.ones(ops.shape(self._all_rows))}
        return self.epochs.loss(weights, fixed, data, settings, batch)


def _within(member: Member, buffer: np.ndarray) -> Member:
    """Return a member whose training samples are those of a buffer, numbered as they lie in it."""
    kinds = None if member.kinds is None else member.kinds[buffer]
    return replace(member, train=np.arange(len(buffer)), strata=member.strata[buffer], kinds=kinds)


def _parts(samples: np.ndarray) -> list[np.ndarray]:
    """Cut samples into the blocks in which the network only looks at them."""
    return [samples[i : i + PREDICT_ROWS] for i in range(0, len(samples), PREDICT_ROWS)]


def _read(
    table: DiskTable, parts: Sequence[np.ndarray], room: int
) -> Iterator[dict[str, dict[str, Tensor] | Tensor]]:
    """Yield each part of the samples as ``Trainer`` sees a table, padded with samples of weight 0.

    Parameters
    ----------
    parts
        Positions in the scope, increasing; at most ``room``.
    """
    rows = table.rows
    shapes = {name: (room, width) for name, width in rows.widths.items()}
    blocks = prefetched(lambda: rows.blocks(parts, room), shapes)
    for samples, x in zip(parts, blocks, strict=True):
        few = {"present": rows.present, "target": table.target, "weight": table.weight}
        yield {"x": x, **as_tensors({k: _padded(v[samples], room) for k, v in few.items()})}


def _padded(values: np.ndarray, rows: int) -> np.ndarray:
    return np.pad(values, ((0, rows - len(values)), *[(0, 0)] * (values.ndim - 1)))
