"""From scopes to fits: any network with a member axis, trained on all scopes of a group."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from omicsfusion.models.archive import save_archive
from omicsfusion.models.choice import DEFAULT, Choice, default_choice
from omicsfusion.models.cohort import GroupReader, ScopeData
from omicsfusion.models.ensemble import MemberEnsemble
from omicsfusion.models.fit import Fit, new_fit, record_of
from omicsfusion.models.heads.base import Build, Head
from omicsfusion.models.heads.choice import head_of
from omicsfusion.models.heads.distilled import DistilledHead
from omicsfusion.models.predicted import Outputs, Predicted, predicted_scopes
from omicsfusion.models.pretrained import fitting_structures
from omicsfusion.models.program import (
    Problem,
    Programs,
    Task,
)
from omicsfusion.models.request import TrainingRequest
from omicsfusion.models.shapes import shapes_of
from omicsfusion.models.targets import failed
from omicsfusion.models.trained import Trained, mean_curve
from omicsfusion.scopes import Scope
from omicsfusion.seeds import seed_for

if TYPE_CHECKING:
    from omicsfusion.models.tuning.search import Study

MEMBERS_PER_CHUNK = 24
"""Members whose samples are in memory together."""

ONE_STRUCTURE: Mapping[str, Mapping[str, Any]] = {DEFAULT: {}}

Found = dict[Scope, list[tuple[Problem, Trained, np.ndarray]]]
"""Scope -> its problem, what was trained, and outputs (networks x samples x units), by member."""


def train_networks(
    build: Build,
    request: TrainingRequest,
    reader: GroupReader,
    members_at_once: int = MEMBERS_PER_CHUNK,
    structures: Mapping[str, Mapping[str, Any]] = ONE_STRUCTURE,
) -> list[Fit]:
    """Train a network on every scope of a group, in chunks of a fixed number of members.

    With ``request.trials`` each training set that has inner folds is tuned on them first; its inner
    folds are then trained with what was chosen for it.

    Parameters
    ----------
    build
        ``build(widths, units, members, **structure)`` returns the network.
    members_at_once
        Members of a chunk, at most; fewer for a network that takes much memory.
    structures
        Among which tuning chooses, by name; ``default`` is one of them.

    Returns
    -------
    One fit per scope, in the order of the reader's scopes.
    """
    spec = request.spec
    head = head_of(request)
    shapes = shapes_of(reader, spec.layers, members_at_once, request.ensemble)
    if request.pretrained is not None:
        structures = fitting_structures(build, structures, spec.layers, request.pretrained)
    programs = Programs(
        build,
        structures,
        head,
        shapes,
        reader,
        spec.layers,
        request.threads,
        request.pretrained,
        request.mc_dropout,
    )
    studies = _tuned(programs, request)
    tasks = [
        Task(
            scope,
            _choice(studies, scope, request),
            _seed(request, scope, number),
            encoders=number,
        )
        for scope in reader.scopes
        for number in range(request.ensemble)
    ]
    found = _found(programs, tasks)
    if request.distil:
        programs, found = _distilled(programs, found, tasks, request)
    together = predicted_scopes(programs.head, _outputs(found))
    members = [
        predicted_scopes(programs.head, _outputs(found, number))
        for number in range(0 if request.distil else request.ensemble)
    ]
    fits = []
    for scope in reader.scopes:
        study = studies.get(scope.parent)
        if scope in programs.untrainable:
            data = reader.load(scope, ())
            fits.append(_failed(data, request, programs.untrainable[scope]))
        elif scope not in together:
            data = found[scope][0][0].data
            fits.append(_failed(data, request, "The loss was infinite or undefined."))
        else:
            choice = _choice(studies, scope, request)
            fit = _fit(programs, request, choice, study, found[scope], together[scope])
            fits.append(replace(fit, members=_members(fit, members)))
    return fits


def _found(programs: Programs, tasks: Sequence[Task]) -> Found:
    found: Found = {}
    for task, problem, trained, raw in programs.train(tasks):
        found.setdefault(task.scope, []).append((problem, trained, raw))
    return found


def _distilled(
    programs: Programs, found: Found, tasks: Sequence[Task], request: TrainingRequest
) -> tuple[Programs, Found]:
    """Train one network per scope on what the networks of that scope say on average.

    Scopes none of whose networks converged stay as they are.
    """
    good = {scope: [raw for _, raw in _converged(of_scope)] for scope, of_scope in found.items()}
    taught = {scope: np.mean(raws, axis=(0, 1)) for scope, raws in good.items() if raws}
    students = [
        replace(task, seed=_seed(request, task.scope, request.ensemble))
        for task in tasks[:: request.ensemble]
        if task.scope in taught
    ]
    school = programs.with_head(DistilledHead(programs.head, taught, request.ensemble))
    return school, found | _found(school, students)


def _converged(
    found: Sequence[tuple[Problem, Trained, np.ndarray]],
) -> list[tuple[Trained, np.ndarray]]:
    """Return the members that trained, and their outputs."""
    return [(one, raw) for _, one, raw in found if one.best_epoch > 0 and np.isfinite(raw).all()]


def _outputs(found: Found, number: int | None = None) -> dict[Scope, Outputs]:
    """Return what the networks of each scope say that trained, or the one at this place."""
    chosen = slice(None) if number is None else slice(number, number + 1)
    outputs: dict[Scope, Outputs] = {}
    for scope, of_scope in found.items():
        good = [raw for _, raw in _converged(of_scope[chosen])]
        if good:
            problem = of_scope[0][0]
            outputs[scope] = (np.concatenate(good), problem.data, problem.targets)
    return outputs


def _tuned(programs: Programs, request: TrainingRequest) -> "dict[Scope, Study]":
    if not request.trials:
        return {}
    # Optuna takes most of a second to import.
    from omicsfusion.models.tuning.scopes import tune_scopes

    return tune_scopes(programs, request)


def _importances(study: "Study") -> list[dict[str, object]]:
    from omicsfusion.models.tuning.importance import importance_rows

    return importance_rows(study)


def _choice(studies: Mapping[Scope, "Study"], scope: Scope, request: TrainingRequest) -> Choice:
    study = studies.get(scope.parent)
    best = study.best() if study else None
    return best.choice if best else default_choice(request.settings)


def _seed(request: TrainingRequest, scope: Scope, number: int) -> int:
    return seed_for(request.seed, "train", request.spec.name, scope.key, number)


def _fit(
    programs: Programs,
    request: TrainingRequest,
    choice: Choice,
    study: "Study | None",
    found: Sequence[tuple[Problem, Trained, np.ndarray]],
    together: Predicted,
) -> Fit:
    """Bind what the members of a scope that trained predict together to how they were trained."""
    head = programs.head
    problem = found[0][0]
    data = problem.data
    trained = [one for one, _ in _converged(found)]
    build = programs.build(choice.structure)
    tuned_here = None if data.scope.is_inner else study
    ensemble = partial(
        _ensemble,
        build,
        head,
        problem.features,
        trained,
        choice,
        together.offset,
        together.scale,
        request.mc_dropout,
    )
    return new_fit(
        data,
        together.columns,
        _record(problem, trained, head, study, request),
        mean_curve([one.curve for one in trained]),
        save=lambda stem: save_archive(ensemble(), stem),
        network=ensemble,
        trials=tuned_here.rows() if tuned_here else (),
        importances=_importances(tuned_here) if tuned_here else (),
    )


def _members(
    fit: Fit, members: Sequence[Mapping[Scope, Predicted]]
) -> dict[int, Mapping[str, np.ndarray]]:
    """Return what each network of a fit predicts by itself; NaN where it did not converge."""
    nothing = {name: np.full(len(values), np.nan) for name, values in fit.columns.items()}
    return {
        number: said[fit.scope].columns if fit.scope in said else nothing
        for number, said in enumerate(members, start=1)
    }


def _failed(data: ScopeData, request: TrainingRequest, reason: str) -> Fit:
    """Record a fit none of whose networks predicts anything."""
    fit = failed(data, request, reason)
    numbers = range(1, 1 if request.distil else request.ensemble + 1)
    return replace(fit, members=dict.fromkeys(numbers, fit.columns))


def _record(
    problem: Problem,
    trained: Sequence[Trained],
    head: Head,
    study: "Study | None",
    request: TrainingRequest,
) -> dict[str, object]:
    many = "one network" if len(trained) == 1 else f"mean of {len(trained)} networks"
    if request.mc_dropout:
        many += f", each the mean of {request.mc_dropout} thinned ones"
    notes = [many, head.setting, problem.targets.note]
    if request.pretrained is not None:
        notes.append(request.pretrained.note(problem.features))
    notes.append(", ".join(f"{name} {value:g}" for name, value in sorted(request.settings.items())))
    if study is not None:
        notes.append(study.told())
    asked = 1 if request.distil else request.ensemble
    if len(trained) < asked:
        notes.append(f"{asked - len(trained)} more did not converge")
    if not problem.targets.stops:
        notes.append("the stop samples cannot judge: a fixed number of epochs")
    return record_of(
        problem.data,
        setting="; ".join(filter(None, notes)),
        epochs=max(len(one.curve) for one in trained),
        best_epoch=round(float(np.mean([one.best_epoch for one in trained]))),
        stop_loss=float(np.mean([one.curve[one.best_epoch - 1][2] for one in trained])),
    )


def _ensemble(
    build: Build,
    head: Head,
    features: Mapping[str, tuple[str, ...]],
    trained: Sequence[Trained],
    choice: Choice,
    offset: np.ndarray,
    scale: np.ndarray,
    thinned: int,
) -> MemberEnsemble:
    """Put the members of one scope into a network of its own, without padding."""
    widths = {name: max(1, len(names)) for name, names in features.items()}
    network = build(widths, head.units, len(trained))
    network.build()
    for position, variable in enumerate(network.trainable_variables):
        used = tuple(slice(size) for size in variable.shape[1:])
        variable.assign(np.stack([one.weights[position][used] for one in trained]))
    constants = network.constants(features, choice.settings)
    for variable, value in zip(network.non_trainable_variables, constants, strict=True):
        variable.assign(np.stack([value] * len(trained)))
    model = MemberEnsemble(network, head.link, head.names, features, thinned)
    model.seeds.assign(np.array([one.seed for one in trained], np.uint32))
    model.offset.assign(offset)
    model.scale.assign(scale)
    return model
