"""Tuning every training set of a group that has inner folds."""

from collections.abc import Sequence

import numpy as np

from omicsfusion.models.choice import Choice
from omicsfusion.models.fit import predicted_rows
from omicsfusion.models.heads.base import Head
from omicsfusion.models.links import average_members
from omicsfusion.models.program import Problem, Programs, Task
from omicsfusion.models.request import TrainingRequest
from omicsfusion.models.trained import Trained
from omicsfusion.models.tuning.score import score
from omicsfusion.models.tuning.search import Study, search
from omicsfusion.models.tuning.space import space_of
from omicsfusion.scopes import Scope
from omicsfusion.seeds import seed_for
from omicsfusion.tables.outcome import Outcome


def tune_scopes(programs: Programs, request: TrainingRequest) -> dict[Scope, Study]:
    """Return the study of each training set that has inner folds."""
    inner: dict[Scope, list[Scope]] = {}
    for scope in programs.reader.scopes:
        if scope.is_inner:
            inner.setdefault(scope.parent, []).append(scope)
    name = request.spec.name

    def scored(asked: Sequence[tuple[Scope, Choice]]) -> list[float]:
        # All trials of a fold begin from the same weights and see the same batches.
        tasks = [
            Task(scope, choice, seed_for(request.seed, "tune", name, scope.key), number)
            for number, (scope, choice) in enumerate(asked)
        ]
        scores = np.full(len(tasks), np.nan)
        for task, problem, trained, raw in programs.train(tasks):
            scores[task.number] = _score(problem, trained, raw, programs.head, request.outcome)
        return list(scores)

    space = space_of(request.outcome.task, programs.structures)
    seed = seed_for(request.seed, "study", name)
    return {one.scope: one for one in search(inner, space, request.trials, seed, scored)}


def _score(
    problem: Problem, trained: Trained, raw: np.ndarray, head: Head, outcome: Outcome
) -> float:
    """Score one member on the samples that its inner fold holds out."""
    if trained.best_epoch == 0 or not np.isfinite(raw).all():
        return float("nan")
    data, of_one = problem.data, raw[None]
    offset, scale = head.unit(of_one, data, problem.targets)
    prediction = np.asarray(average_members(of_one, head.link, offset, scale), np.float64)
    columns = head.columns(of_one, prediction, data, problem.targets)
    rows = predicted_rows(data)
    test = data.roles[rows] == "test"
    samples = [data.samples[row] for row in rows[test]]
    return score({name: np.asarray(c)[test] for name, c in columns.items()}, samples, outcome)
