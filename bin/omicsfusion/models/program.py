"""Networks with a member axis, compiled for chunks of one size, and scopes trained in chunks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from omicsfusion.models.choice import Choice
from omicsfusion.models.cohort import GroupReader, ScopeData
from omicsfusion.models.dealing import Member
from omicsfusion.models.disk_rows import DiskRows
from omicsfusion.models.family import FusionNetwork
from omicsfusion.models.feed import feed_for
from omicsfusion.models.heads.base import Build, Head, Targets, UntrainableError
from omicsfusion.models.pretrained import Pretrained
from omicsfusion.models.shapes import Shapes
from omicsfusion.models.streaming import DiskTable, StreamedTrainer
from omicsfusion.models.trained import Trained
from omicsfusion.models.training import Table, Trainer
from omicsfusion.scopes import Scope


@dataclass(frozen=True)
class Problem:
    """One scope, ready for training.

    Attributes
    ----------
    data
        The scope, without values of layers.
    features
        Layer -> names of its columns; none where the scope has no use for the layer.
    """

    data: ScopeData
    targets: Targets
    features: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Task:
    """One member: on which scope it is trained, how, and the seed of its random numbers.

    Attributes
    ----------
    number
        By which who asks knows it again.
    encoders
        Which of the pretrained networks it begins from, if there are any.
    """

    scope: Scope
    choice: Choice
    seed: int
    number: int = 0
    encoders: int = 0


Result = tuple[Task, Problem, Trained, np.ndarray]
"""Task, its problem, what was trained, and outputs: networks x samples of the scope x units."""


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
    threads
        Networks that are trained at the same time.
    pretrained
        Encoders from which members begin, or None.
    thinned
        Thinned networks by which each member predicts; 0: by itself.

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
        threads: int = 1,
        pretrained: Pretrained | None = None,
        thinned: int = 0,
    ) -> None:
        self.structures = structures
        self.head = head
        self.shapes = shapes
        self.reader = reader
        self.layers = layers
        self.threads = threads
        self.pretrained = pretrained
        self.thinned = thinned
        self.untrainable: dict[Scope, str] = {}
        self._build = build
        self._trainers: dict[str, Trainer] = {}

    def build(self, structure: str) -> Build:
        """Return how a network of a structure is built."""
        return self.head.completed(partial(self._build, **self.structures[structure]))

    def with_head(self, head: Head) -> "Programs":
        """Return programs that learn something else on the same scopes, one network for each."""
        shapes = replace(self.shapes, networks=1)
        return Programs(
            self._build,
            self.structures,
            head,
            shapes,
            self.reader,
            self.layers,
            self.threads,
            self.pretrained,
            self.thinned,
        )

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
            full = len(chunk) == self.shapes.queue or len(scopes) > self.shapes.scopes
            if chunk and (full or chunk[0].choice.structure != task.choice.structure):
                yield chunk
                chunk = []
            chunk.append(task)
        if chunk:
            yield chunk

    def _train_chunk(self, tasks: Sequence[Task]) -> Iterator[Result]:
        problems = self._problems(tasks)
        tasks = [task for task in tasks if task.scope in problems]
        if not tasks:
            return
        trainer = self._trainer(tasks[0].choice.structure)
        if isinstance(trainer, StreamedTrainer):
            yield from self._train_streamed(trainer, tasks, problems[tasks[0].scope])
            return
        first = {scope: place * self.shapes.rows for place, scope in enumerate(problems)}
        table = _table(self.reader, list(problems.values()), self.shapes)
        members = [
            self._member(trainer.network, problems[task.scope], task, first[task.scope])
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
        raw = _by_member(trainer.predict(table, members, trained, rows), len(tasks))
        for task, one, outputs, end in zip(tasks, trained, raw, last, strict=True):
            yield task, problems[task.scope], one, outputs[:, : end + 1]

    def _problems(self, tasks: Sequence[Task]) -> dict[Scope, Problem]:
        """Encode the outcomes of the tasks' scopes; say which cannot be trained on, and why."""
        problems: dict[Scope, Problem] = {}
        for scope in sorted({task.scope for task in tasks}):
            data = self.reader.load(scope, ())
            nothing = dict.fromkeys(sorted(self.layers), ())
            features = {**nothing, **self.reader.features(scope, self.layers)}
            try:
                problems[scope] = Problem(data, self.head.targets(data), features)
            except UntrainableError as reason:
                self.untrainable[scope] = str(reason)
        return problems

    def _train_streamed(
        self, trainer: StreamedTrainer, tasks: Sequence[Task], problem: Problem
    ) -> Iterator[Result]:
        """Train members of one scope without holding its values."""
        scope = problem.data.scope
        places = self.reader.layer_rows(scope, self.layers)
        table = DiskTable(
            scope=scope.key,
            rows=DiskRows(len(problem.data.samples), places, self.shapes.widths),
            target=problem.targets.values,
            weight=problem.targets.weight,
        )
        members = [self._member(trainer.network, problem, task, 0) for task in tasks]
        trained = trainer.train_from(table, members)
        raw = _by_member(trainer.predict_from(table, members, trained), len(tasks))
        for task, one, outputs in zip(tasks, trained, raw, strict=True):
            yield task, problem, one, outputs

    def _member(self, network: FusionNetwork, problem: Problem, task: Task, first: int) -> Member:
        data, targets = problem.data, problem.targets
        settings = task.choice.settings
        train = data.rows("train")
        start = self.pretrained and self.pretrained.start(network, problem.features, task.encoders)
        return Member(
            seed=task.seed,
            train=first + train,
            stop=first + data.rows("stop"),
            strata=targets.strata[train],
            kinds=None if targets.kinds is None else targets.kinds[train],
            stops=targets.stops,
            settings=settings,
            constants=network.constants(problem.features, settings),
            start=start or {},
        )

    def _trainer(self, structure: str) -> Trainer:
        if structure not in self._trainers:
            shapes, head = self.shapes, self.head
            network = self.build(structure)(shapes.widths, head.units, shapes.block)
            network.build()
            batch = min(head.batch_rows, shapes.train)
            if shapes.streamed:
                feed = feed_for(shapes.widths, shapes.train, batch)
                trainer: Trainer = StreamedTrainer(
                    network, head.loss, batch, feed, head.mixes, self.thinned
                )
            else:
                steps = -(-shapes.train // batch)
                trainer = Trainer(
                    network,
                    head.loss,
                    batch,
                    shapes.stop,
                    steps,
                    head.mixes,
                    self.threads,
                    self.thinned,
                )
            self._trainers[structure] = trainer
        return self._trainers[structure]


def _by_member(raw: np.ndarray, members: int) -> np.ndarray:
    """Put the networks of a member on an axis of their own, behind that of the members."""
    return raw.reshape(members, -1, *raw.shape[1:])


def _table(reader: GroupReader, problems: Sequence[Problem], shapes: Shapes) -> Table:
    """Read the scopes of a chunk; a layer at a time, so that few values are held twice."""
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
            block = reader.load(problem.data.scope, [name]).layers.get(name)
            if block is not None:
                table.x[name][here, : block.x.shape[1]] = block.x
                table.present[here, column] = block.present
        table.target[here] = problem.targets.values
        table.weight[here] = problem.targets.weight
    return table
