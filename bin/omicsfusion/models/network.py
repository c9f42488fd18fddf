"""From scopes to fits: any network with a member axis, trained on all scopes of a group."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from omicsfusion.models.archive import save_archive
from omicsfusion.models.cohort import GroupReader, ScopeData
from omicsfusion.models.dealing import Member
from omicsfusion.models.ensemble import MemberEnsemble
from omicsfusion.models.family import FusionNetwork
from omicsfusion.models.fit import Fit, failed_fit, new_fit, record_of
from omicsfusion.models.heads.base import Build, Head, Targets, UntrainableError
from omicsfusion.models.heads.choice import head_for
from omicsfusion.models.links import average_members
from omicsfusion.models.request import TrainingRequest
from omicsfusion.models.settings import DEFAULTS
from omicsfusion.models.training import Table, Trained, Trainer
from omicsfusion.scopes import Scope
from omicsfusion.seeds import seed_for
from omicsfusion.tables.outcome import Outcome

MEMBERS_PER_CHUNK = 16
"""Members trained as one network. Smaller chunks leave cores idle, larger ones only need memory."""

SEEDS_PER_SCOPE = 2
"""Networks averaged per fit (Lakshminarayanan et al., NeurIPS 2017)."""


Curve = Sequence[tuple[int, float, float]]
"""(epoch, training loss, stopping loss)."""


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


@dataclass(frozen=True)
class Problem:
    """One scope, ready for training."""

    data: ScopeData
    targets: Targets


def train_networks(
    build: Build,
    request: TrainingRequest,
    reader: GroupReader,
    members_at_once: int = MEMBERS_PER_CHUNK,
) -> list[Fit]:
    """Train a network on every scope of a group, in chunks of a fixed number of members.

    Parameters
    ----------
    build
        ``build(widths, units, members)`` returns the network.
    members_at_once
        Members of a chunk, at most; fewer for a network that takes much memory.

    Returns
    -------
    One fit per scope, in the order of the reader's scopes.
    """
    spec, outcome = request.spec, request.outcome
    head = head_for(outcome, request.horizons, request.head, request.class_order)
    build = head.completed(build)
    shapes = shapes_of(reader, spec.layers, members_at_once)
    network = build(shapes.widths, head.units, shapes.scopes * SEEDS_PER_SCOPE)
    network.build()
    batch = min(head.batch_rows, shapes.train)
    steps = -(-shapes.train // batch)
    trainer = Trainer(network, head.loss, batch, shapes.stop, steps, head.mixes)
    finish = partial(_fit, sorted(spec.layers), head, build, outcome, request.horizons)
    fits: dict[Scope, Fit] = {}
    for scopes in _chunks(reader, shapes.scopes):
        problems = []
        for scope in scopes:
            data = reader.load(scope, spec.layers)
            try:
                problems.append(Problem(data, head.targets(data)))
            except UntrainableError as reason:
                fits[scope] = failed_fit(data, outcome, request.horizons, str(reason))
        for problem, trained, raw in _train_chunk(trainer, problems, shapes, request):
            fits[problem.data.scope] = finish(problem, trained, raw)
    return [fits[scope] for scope in reader.scopes]


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


def _chunks(reader: GroupReader, size: int) -> Iterator[list[Scope]]:
    """Scopes of like size together: a chunk takes as long as its largest."""
    n_train = {scope: reader.role_counts(scope).get("train", 0) for scope in reader.scopes}
    order = sorted(reader.scopes, key=lambda scope: (-n_train[scope], scope))
    for first in range(0, len(order), size):
        yield order[first : first + size]


def _train_chunk(
    trainer: Trainer, problems: Sequence[Problem], shapes: Shapes, request: TrainingRequest
) -> Iterator[tuple[Problem, list[Trained], np.ndarray]]:
    """Yield for each problem its trained members and their outputs, members x rows x units."""
    if not problems:
        return
    table = _table(problems, shapes)
    members, rows = [], []
    for position, problem in enumerate(problems):
        first = position * shapes.rows
        for number in range(SEEDS_PER_SCOPE):
            key = problem.data.scope.key
            own = seed_for(request.seed, "train", request.spec.name, key, number)
            members.append(_member(trainer.network, problem, first, own))
            rows.append(first + np.minimum(np.arange(shapes.rows), len(problem.data.samples) - 1))
    trained = trainer.train(table, members)
    raw = trainer.predict(table, members, trained, np.stack(rows))
    for position, problem in enumerate(problems):
        mine = slice(position * SEEDS_PER_SCOPE, (position + 1) * SEEDS_PER_SCOPE)
        yield problem, trained[mine], raw[mine, : len(problem.data.samples)]


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


def _member(network: FusionNetwork, problem: Problem, first: int, seed: int) -> Member:
    data, targets = problem.data, problem.targets
    train = data.rows("train")
    return Member(
        seed=seed,
        train=first + train,
        stop=first + data.rows("stop"),
        strata=targets.strata[train],
        stops=targets.stops,
        settings=DEFAULTS,
        constants=network.constants(_features(data, network.widths), DEFAULTS),
    )


def _features(data: ScopeData, layers: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the features of each layer in a scope; none where it has no use for the layer."""
    return {name: data.layers[name].features if name in data.layers else () for name in layers}


def _width(data: ScopeData, name: str) -> int:
    return max(1, len(data.layers[name].features)) if name in data.layers else 1


def _fit(
    layers: Sequence[str],
    head: Head,
    build: Build,
    outcome: Outcome,
    horizons: Sequence[float],
    problem: Problem,
    trained: Sequence[Trained],
    raw: np.ndarray,
) -> Fit:
    """Average the members that trained, and turn their outputs into predictions."""
    data = problem.data
    good = [m for m, one in enumerate(trained) if one.best_epoch > 0 and np.isfinite(raw[m]).all()]
    if not good:
        return failed_fit(data, outcome, horizons, "The loss was infinite or undefined.")
    trained, raw = [trained[m] for m in good], raw[good]
    offset, scale = head.unit(raw, data, problem.targets)
    prediction = np.asarray(average_members(raw, head.link, offset, scale), np.float64)
    ensemble = partial(_ensemble, build, head, data, layers, trained, offset, scale)
    return new_fit(
        data,
        head.columns(raw, prediction, data, problem.targets),
        _record(problem, trained, head),
        mean_curve([one.curve for one in trained]),
        save=lambda stem: save_archive(ensemble(), stem),
        network=ensemble,
    )


def _record(problem: Problem, trained: Sequence[Trained], head: Head) -> dict[str, object]:
    notes = [f"mean of {len(trained)} networks", head.setting, problem.targets.note]
    if len(trained) < SEEDS_PER_SCOPE:
        notes.append(f"{SEEDS_PER_SCOPE - len(trained)} more did not converge")
    if not problem.targets.stops:
        notes.append("the stop samples cannot judge: a fixed number of epochs")
    return record_of(
        problem.data,
        setting="; ".join(filter(None, notes)),
        epochs=max(len(one.curve) for one in trained),
        best_epoch=round(float(np.mean([one.best_epoch for one in trained]))),
        stop_loss=float(np.mean([one.curve[one.best_epoch - 1][2] for one in trained])),
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


def _ensemble(
    build: Build,
    head: Head,
    data: ScopeData,
    layers: Sequence[str],
    trained: Sequence[Trained],
    offset: np.ndarray,
    scale: np.ndarray,
) -> MemberEnsemble:
    """Put the members of one scope into a network of its own, without padding."""
    network = build({name: _width(data, name) for name in layers}, head.units, len(trained))
    network.build()
    for position, variable in enumerate(network.trainable_variables):
        used = tuple(slice(size) for size in variable.shape[1:])
        variable.assign(np.stack([one.weights[position][used] for one in trained]))
    features = _features(data, layers)
    fixed = zip(network.non_trainable_variables, network.constants(features, DEFAULTS), strict=True)
    for variable, value in fixed:
        variable.assign(np.stack([value] * len(trained)))
    model = MemberEnsemble(network, head.link, head.names, features)
    model.offset.assign(offset)
    model.scale.assign(scale)
    return model
