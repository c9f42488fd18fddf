"""Tuning every training set of a group that has inner folds."""

import hashlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from omicsfusion.models.choice import Choice, default_choice
from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.fit import predicted_rows
from omicsfusion.models.heads.base import Head
from omicsfusion.models.predicted import predicted
from omicsfusion.models.pretrained import Pretrained
from omicsfusion.models.program import Problem, Programs, Task
from omicsfusion.models.request import OtherStudyError, TrainingRequest
from omicsfusion.models.trained import Trained
from omicsfusion.models.tuning.score import score, score_target
from omicsfusion.models.tuning.search import Study, mean_of_known, search
from omicsfusion.models.tuning.space import space_of
from omicsfusion.scopes import Scope
from omicsfusion.seeds import seed_for
from omicsfusion.tables.outcome import Outcome

EARLIER_COLUMNS = ("model", "repeat", "fold", "inner", "trial", "state", "fold_scores", "data")
DIGEST_LETTERS = 12


def tune_scopes(programs: Programs, request: TrainingRequest) -> dict[Scope, Study]:
    """Return the study of each training set that has inner folds.

    Raises
    ------
    OtherStudyError
        When ``request.studies`` is of other data, or of another model.
    """
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
            scores[task.number] = _score(problem, trained, raw, programs.head, request)
        return list(scores)

    outcomes = tuple(request.targets.values()) or (request.outcome,)
    started = time.monotonic()
    limit = 60 * request.tuning_minutes
    studies = search(
        inner,
        space_of(request.outcome.task, programs.structures, request.settings),
        request.trials,
        seed_for(request.seed, "study", name),
        scored,
        earlier_trials(request.studies, name, list(inner), request.target),
        {
            scope: data_digest(programs.reader, programs.layers, outcomes, of, programs.pretrained)
            for scope, of in inner.items()
        },
        default_choice(request.settings),
        lambda: not limit or time.monotonic() - started < limit,
    )
    return {one.scope: one for one in studies}


def earlier_trials(
    tables: Sequence[Path], model: str, scopes: Sequence[Scope], target: str = ""
) -> dict[Scope, list[Mapping[str, str]]]:
    """Read what an earlier run tried for some training sets, as text.

    Parameters
    ----------
    target
        As in ``TrainingRequest``.

    Raises
    ------
    OtherStudyError
        When a table lacks a column.
    """
    found: dict[Scope, list[Mapping[str, str]]] = {scope: [] for scope in scopes}
    for path in tables:
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
        needed = (*EARLIER_COLUMNS, "target") if target else EARLIER_COLUMNS
        lacking = [name for name in needed if name not in table]
        if lacking:
            raise OtherStudyError(f"{path.name} lacks {', '.join(lacking)}: it is no trials.tsv.")
        here = table["model"] == model
        if target:
            here &= table["target"] == target
        for row in table[here].to_dict("records"):
            scope = Scope(int(row["repeat"]), int(row["fold"]), row["inner"])
            if scope in found:
                found[scope].append({str(name): str(value) for name, value in row.items()})
    return found


def data_digest(
    reader: GroupReader,
    layers: Sequence[str],
    outcomes: Sequence[Outcome],
    inner: Sequence[Scope],
    pretrained: Pretrained | None = None,
) -> str:
    """Return a digest of the samples, roles, outcomes and values of some inner folds.

    And of the encoders from which networks begin, if there are any.
    """
    digest = hashlib.sha256(pretrained.digest.encode() if pretrained else b"")
    for scope in sorted(inner):
        data = reader.load(scope, ())
        digest.update(repr((scope.key, data.samples, list(data.roles))).encode())
        for outcome in outcomes:
            known = outcome.table.loc[list(data.samples)]
            digest.update(known.to_csv(sep="\t").encode())
        for layer in sorted(layers):
            digest.update(reader.digest(scope, layer))
    return digest.hexdigest()[:DIGEST_LETTERS]


def _score(
    problem: Problem, trained: Trained, raw: np.ndarray, head: Head, request: TrainingRequest
) -> float:
    """Score one member on the samples that its inner fold holds out.

    Of several targets: the mean of those that can be scored, each on the samples that have it.
    """
    if trained.best_epoch == 0 or not np.isfinite(raw).all():
        return float("nan")
    data = problem.data
    rows = predicted_rows(data)
    test = data.roles[rows] == "test"
    samples = [data.samples[row] for row in rows[test]]
    said = predicted(head, raw, data, problem.targets).columns
    columns = {name: np.asarray(values)[test] for name, values in said.items()}
    if not request.targets:
        return score(columns, samples, request.outcome)
    return mean_of_known(
        [score_target(columns, samples, target, request) for target in request.targets]
    )
