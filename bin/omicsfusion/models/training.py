"""Training many members of one network at once: AdamW, early stopping, best weights kept."""

from collections.abc import Callable, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from omicsfusion.models.backend import Tensor, compiled, keras
from omicsfusion.models.batches import asked_by, dealt_epoch
from omicsfusion.models.dealing import Member, stop_rows
from omicsfusion.models.epochs import Epochs, Loss
from omicsfusion.models.family import FusionNetwork
from omicsfusion.models.lane import Lane
from omicsfusion.models.mixup import patterns_of
from omicsfusion.models.optimiser import State, begun_from, decaying, initial_weights
from omicsfusion.models.settings import DEFAULTS
from omicsfusion.models.trained import Trained, result_of
from omicsfusion.models.weight_vector import packed

ops = keras.ops

MAX_EPOCHS = 200
EPOCHS_WITHOUT_STOP = 30
"""Epochs of a member whose stop samples cannot judge it (no event, one class, none)."""
EPOCHS_AT_ONCE = 10
"""Epochs between two looks at who is still training: a call takes as long as a small epoch."""
PREDICT_ROWS = 256
LANES = 2
"""Networks that share the members. Not the number of cores: who trains beside whom, and so the
last bits of what comes out, must not hang on the machine."""


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


class Trainer:
    """Trains members of one network, as many together as it holds; compiles once for all of them.

    Members are dealt to ``LANES`` networks. Each has places; where a member has finished, the next
    one takes its place, so that no place waits for the slowest. A compiled network leaves cores
    idle: with ``threads`` the lanes run side by side.

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
        Whether the loss is a sum over samples; without it the settings ``mixup`` and ``balance`` do
        nothing.
    threads
        Networks that are trained at the same time. Nothing else hangs on it.
    thinned
        Thinned networks by which each member predicts (Monte Carlo dropout); 0: by itself.
    """

    def __init__(
        self,
        network: FusionNetwork,
        loss: Loss,
        batch_rows: int,
        stop_rows: int,
        max_steps: int,
        mixes: bool = False,
        threads: int = 1,
        thinned: int = 0,
    ) -> None:
        self.network = network
        self.batch_rows = batch_rows
        self.stop_rows = stop_rows
        self.max_steps = max_steps
        self.mixes = mixes
        self.threads = threads
        self.thinned = thinned
        self.epochs = Epochs(network, loss, thinned)
        self._train_epochs = compiled(self.epochs.train_epochs)
        self._outputs = compiled(self.epochs.outputs)

    def train(self, table: Table, members: Sequence[Member]) -> list[Trained]:
        """Train members on the rows of ``table``."""
        data = as_tensors(table)
        patterns = patterns_of(table.present)
        asked = asked_by(members, self.mixes)
        lanes = min(LANES, -(-len(members) // self.network.members))
        parts = self._side_by_side(
            lambda lane: self._train_lane(data, patterns, members[lane::lanes], asked),
            range(lanes),
        )
        return [parts[number % lanes][number // lanes] for number in range(len(members))]

    def predict(
        self, table: Table, members: Sequence[Member], trained: Sequence[Trained], rows: np.ndarray
    ) -> np.ndarray:
        """Compute members x rows x units, each member's for its own ``rows`` (members x rows).

        With thinned networks there are as many in place of each member, side by side.
        """
        data, places = as_tensors(table), self.network.members

        def predict_block(first: int) -> np.ndarray:
            here = slice(first, first + places)
            return self._predict_block(data, members[here], trained[here], rows[here])

        return np.concatenate(self._side_by_side(predict_block, range(0, len(members), places)))

    def _side_by_side(self, work: Callable[[int], Any], parts: range) -> list[Any]:
        """Do the work for each part, as many at the same time as there are threads."""
        with ThreadPoolExecutor(min(self.threads, len(parts))) as pool:
            return list(pool.map(work, parts))

    def _train_lane(
        self,
        data: dict[str, Any],
        patterns: np.ndarray,
        members: Sequence[Member],
        asked: Set[str],
    ) -> list[Trained]:
        """Train members in the places of one network."""
        shape = (self.network.members, self.max_steps, self.batch_rows)
        lane = Lane(members, self.network.members)
        pretrained = any(member.start for member in members)
        state, fixed, stop = self._seat(lane.seated, pretrained)
        while not lane.is_empty:
            ahead = [
                dealt_epoch(
                    lane.seated, shape, patterns, [n + i for n in lane.epochs], self.mixes, asked
                )
                for i in range(EPOCHS_AT_ONCE)
            ]
            batches = {name: np.stack([one[name] for one in ahead]) for name in ahead[0]}
            state, train_loss, stop_loss = self._train_epochs(
                state, fixed, data, as_tensors(batches), stop
            )
            lane.go_on(np.asarray(train_loss), np.asarray(stop_loss), np.asarray(state["epoch"]))
            finished = lane.finished(np.asarray(state["active"]))
            for place in finished:
                found = result_of(state, place, lane.curve(place), self.epochs.shapes)
                lane.finish(place, found)
            taken = lane.fill(finished)
            if taken:
                begun, fixed, stop = self._seat(lane.seated, pretrained)
                state = _put(state, begun, taken)
        return lane.trained

    def _seat(
        self, seated: Sequence[Member], pretrained: bool
    ) -> tuple[State, list[Tensor], dict[str, Tensor]]:
        """Return how members begin, their constant weights, and the rows that stop them."""
        fixed = self._stacked([member.constants for member in seated])
        stop = as_tensors(stop_rows(seated, self.network.members, self.stop_rows))
        return self._start(seated, pretrained), fixed, stop

    def _predict_block(
        self,
        data: dict[str, Any],
        members: Sequence[Member],
        trained: Sequence[Trained],
        rows: np.ndarray,
    ) -> np.ndarray:
        fixed = self._stacked([member.constants for member in members])
        weights, seeds = self._packed(trained), self._seeds(trained)
        padding = -rows.shape[1] % PREDICT_ROWS
        padded = np.pad(self._padded(rows), ((0, 0), (0, padding))).astype(np.int32)
        parts = [
            np.asarray(self._outputs(weights, fixed, data, ops.convert_to_tensor(block), seeds))
            for block in np.split(padded, padded.shape[1] // PREDICT_ROWS, axis=1)
        ]
        networks = len(members) * max(1, self.thinned)
        return np.concatenate(parts, axis=1)[:networks, : rows.shape[1]]

    def _padded(self, of_members: Any) -> Any:
        """Repeat the first member until the network has its full number."""
        first = [of_members[0]] * (self.network.members - len(of_members))
        return [*of_members, *first]

    def _start(self, members: Sequence[Member], pretrained: bool) -> State:
        """Return the state with which members begin, some of them ``pretrained`` or none."""
        n, real = self.network.members, len(members)
        seeds = [member.seed for member in self._padded(members)]
        starts = [member.start for member in self._padded(members)]
        begun, more = initial_weights(self.network, seeds), {}
        # Without pretrained encoders nothing is compiled that they alone need.
        if pretrained:
            begun, held = begun_from(begun, starts)
            more = {"held": packed(held)}
        weights = packed(begun)
        zeros = ops.zeros_like(weights)
        limit = [MAX_EPOCHS if member.stops else EPOCHS_WITHOUT_STOP for member in members]
        return as_tensors(
            more
            | {
                "weights": weights,
                "first_moment": zeros,
                "second_moment": zeros,
                "decays": decaying(self.epochs.shapes),
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

    def _packed(self, trained: Sequence[Trained]) -> Tensor:
        return packed(self._stacked([one.weights for one in trained]))

    def _seeds(self, trained: Sequence[Trained]) -> Tensor:
        seeds = [one.seed for one in self._padded(trained)]
        return ops.convert_to_tensor(np.array(seeds, np.uint32))


def _put(state: State, begun: State, places: Sequence[int]) -> State:
    """Take from ``begun`` what stands in some places, and the rest from ``state``."""
    new = np.isin(np.arange(len(state["epoch"])), places)

    def chosen(old: Tensor, other: Tensor) -> Tensor:
        return ops.where(new.reshape(-1, *[1] * (old.ndim - 1)), other, old)

    # Which weights decay is the same for all members.
    of_members = [name for name in state if name != "decays"]
    moved = {
        name: keras.tree.map_structure(chosen, state[name], begun[name]) for name in of_members
    }
    return {**state, **moved}


def as_tensors(tree: Any) -> Any:
    """Turn the arrays of a tree (or of a ``Table``) into tensors."""
    if isinstance(tree, Table):
        tree = {name: getattr(tree, name) for name in ("x", "present", "target", "weight")}
    return keras.tree.map_structure(ops.convert_to_tensor, tree)
