"""Networks with a member axis, compiled for chunks of one size, and scopes trained in chunks."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from omicsfusion.models.choice import Choice
from omicsfusion.models.cohort import GroupReader, ScopeData
from omicsfusion.models.dealing import Member
from omicsfusion.models.family import FusionNetwork
from omicsfusion.models.heads.base import Build, Head, Targets, UntrainableError
from omicsfusion.models.training import Table, Trained, Trainer
from omicsfusion.scopes import Scope

SEEDS_PER_SCOPE = 2
"""Networks averaged per fit (Lakshminarayanan et al., NeurIPS 2017)."""


@dataclass(frozen=True)
class Shapes:
    """Sizes that all chunks of a task share, so that one compiled program serves them.

    Attributes
    ----------
    widths
        Features of each layer, at most.
    scopes
        Scopes in a chunk.
    rows, train, stop
        Samples of a scope, of any role, ``train`` and ``stop``, at most.
    """

    widths: dict[str, int]
    scopes: int
    rows: int
    train: int
    stop: int

    @property
    def members(self) -> int:
        """Members of a chunk."""
        return self.scopes * SEEDS_PER_SCOPE


@dataclass(frozen=True)
class Problem:
    """One scope, ready for training."""

    data: ScopeData
    targets: Targets


@dataclass(frozen=True)
class Task:
    """One member: on which scope it is trained, how, and the seed of its random numbers."""

    scope: Scope
    choice: Choice
    seed: int
    number: int = 0


Result = tuple[Task, Problem, Trained, np.ndarray]
"""Task, its problem, what was trained, and outputs: samples of the scope x units."""


class Programs:
    """Trains members of any structure of a family on the scopes of a group.

    Each structure is compiled once, for chunks of one size.

    Parameters
    ----------
    build
        ``build(widths, units, members, **structure)`` returns the network.
    structures
        Arguments of the network by name of the structure.
    layers
        What it sees.

    Attributes
    ----------
    untrainable
        Scopes that were asked for and cannot be trained on, and why.
    """

    def __init__(
        self,
        build: Callable[..., FusionNetwork],
        structures: Mapping[str, Mapping[str, Any]],
        head: Head,
        shapes: Shapes,
        reader: GroupReader,
        layers: Sequence[str],
    ) -> None:
        self.structures = structures
        self.head = head
        self.shapes = shapes
        self.reader = reader
        self.layers = layers
        self.untrainable: dict[Scope, str] = {}
        self._build = build
        self._trainers: dict[str, Trainer] = {}

    def build(self, structure: str) -> Build:
        """Return how a network of a structure is built."""
        return self.head.completed(partial(self._build, **self.structures[structure]))

    def train(self, tasks: Sequence[Task]) -> Iterator[Result]:
        """Train members side by side, those of one structure and of scopes of like size together.

        Yields
        ------
        Results; none for a task on a scope that cannot be trained on.
        """
        counts = {task.scope: self.reader.role_counts(task.scope) for task in tasks}
        # A chunk takes as long as its largest scope.
        order = sorted(
            range(len(tasks)),
            key=lambda i: (
                tasks[i].choice.structure,
                -counts[tasks[i].scope].get("train", 0),
                tasks[i].scope,
                i,
            ),
        )
        for chunk in self._chunks([tasks[i] for i in order]):
            yield from self._train_chunk(chunk)

    def _chunks(self, tasks: Sequence[Task]) -> Iterator[list[Task]]:
        chunk: list[Task] = []
        for task in tasks:
            scopes = {one.scope for one in chunk} | {task.scope}
            full = len(chunk) == self.shapes.members or len(scopes) > self.shapes.scopes
            if chunk and (full or chunk[0].choice.structure != task.choice.structure):
                yield chunk
                chunk = []
            chunk.append(task)
        if chunk:
            yield chunk

    def _train_chunk(self, tasks: Sequence[Task]) -> Iterator[Result]:
        problems: dict[Scope, Problem] = {}
        for scope in sorted({task.scope for task in tasks}):
            data = self.reader.load(scope, self.layers)
            try:
                problems[scope] = Problem(data, self.head.targets(data))
            except UntrainableError as reason:
                self.untrainable[scope] = str(reason)
        tasks = [task for task in tasks if task.scope in problems]
        if not tasks:
            return
        trainer = self._trainer(tasks[0].choice.structure)
        first = {scope: place * self.shapes.rows for place, scope in enumerate(problems)}
        table = _table(list(problems.values()), self.shapes)
        members = [
            _member(trainer.network, problems[task.scope], task, first[task.scope])
            for task in tasks
        ]
        last = [len(problems[task.scope].data.samples) - 1 for task in tasks]
        rows = np.stack(
            [
                first[task.scope] + np.minimum(np.arange(self.shapes.rows), end)
                for task, end in zip(tasks, last, strict=True)
            ]
        )
        trained = trainer.train(table, members)
        raw = trainer.predict(table, members, trained, rows)
        for task, one, outputs, end in zip(tasks, trained, raw, last, strict=True):
            yield task, problems[task.scope], one, outputs[: end + 1]

    def _trainer(self, structure: str) -> Trainer:
        if structure not in self._trainers:
            shapes, head = self.shapes, self.head
            network = self.build(structure)(shapes.widths, head.units, shapes.members)
            network.build()
            batch = min(head.batch_rows, shapes.train)
            steps = -(-shapes.train // batch)
            self._trainers[structure] = Trainer(
                network, head.loss, batch, shapes.stop, steps, head.mixes
            )
        return self._trainers[structure]


def shapes_of(reader: GroupReader, layers: Sequence[str], members_at_once: int) -> Shapes:
    """Find the sizes into which every scope of a group fits; rows of training, of the run."""
    scopes = reader.scopes
    counts = [reader.role_counts(scope) for scope in scopes]
    width = {name: max(reader.width(scope, name) for scope in scopes) for name in sorted(layers)}
    return Shapes(
        widths={name: max(1, most) for name, most in width.items()},
        scopes=_even_share(len(scopes), max(1, members_at_once // SEEDS_PER_SCOPE)),
        rows=max(sum(count.values()) for count in counts),
        train=reader.largest("train"),
        stop=reader.largest("stop"),
    )


def _even_share(n: int, most: int) -> int:
    """Return the size of as few chunks as ``most`` allows, none of them nearly empty."""
    return -(-n // -(-n // most))


def _table(problems: Sequence[Problem], shapes: Shapes) -> Table:
    n = shapes.scopes * shapes.rows
    values = problems[0].targets.values.shape[1]
    table = Table(
        x={name: np.zeros((n, width), np.float32) for name, width in shapes.widths.items()},
        present=np.zeros((n, len(shapes.widths)), np.float32),
        target=np.zeros((n, values), np.float32),
        weight=np.zeros(n, np.float32),
    )
    for position, problem in enumerate(problems):
        here = slice(position * shapes.rows, position * shapes.rows + len(problem.data.samples))
        for column, name in enumerate(shapes.widths):
            if name in problem.data.layers:
                block = problem.data.layers[name]
                table.x[name][here, : block.x.shape[1]] = block.x
                table.present[here, column] = block.present
        table.target[here] = problem.targets.values
        table.weight[here] = problem.targets.weight
    return table


def _member(network: FusionNetwork, problem: Problem, task: Task, first: int) -> Member:
    data, targets = problem.data, problem.targets
    settings = task.choice.settings
    train = data.rows("train")
    return Member(
        seed=task.seed,
        train=first + train,
        stop=first + data.rows("stop"),
        strata=targets.strata[train],
        stops=targets.stops,
        settings=settings,
        constants=network.constants(features_of(data, network.widths), settings),
    )


def features_of(data: ScopeData, layers: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the features of each layer in a scope; none where it has no use for the layer."""
    return {name: data.layers[name].features if name in data.layers else () for name in layers}
