"""Tuning inside training sets: trials are scored on the inner folds of the set they are for.

Every training set has a study of its own. All trials of a study are scored on the same inner folds;
the samples that stop a network early never score it. The first trial is the default, so that a
study never ends with less than that on its own folds. Trials are proposed in batches, each by a
sampler with a seed of its own: a study that goes on from an earlier one tries what it would have
tried in one go. The first batch keeps the default structure: every other one has to be compiled,
which takes longer than ten trials.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import TPESampler
from optuna.trial import Trial, TrialState

from omicsfusion.models.choice import DEFAULT_CHOICE, STRUCTURE, Choice
from omicsfusion.models.grid_edges import edge_words
from omicsfusion.models.request import OtherStudyError
from omicsfusion.models.tuning.space import choice_of, edges_of
from omicsfusion.scopes import Scope
from omicsfusion.seeds import seed_for

TRIALS_AT_ONCE = 10
"""Trials that a study proposes before it learns how they did."""

Scored = Callable[[Sequence[tuple[Scope, Choice]]], Sequence[float]]
"""Train on inner folds, each with a choice; return the score of each, NaN where there is none."""


@dataclass(frozen=True)
class Tried:
    """One trial.

    Attributes
    ----------
    number
        Of the trial in its study, from 0; 0 is the default.
    choice
        What was tried.
    scores
        Of the inner folds it was trained on, NaN where a fold cannot tell.
    dropped
        Whether it was dropped before it was trained on all inner folds.
    """

    number: int
    choice: Choice
    scores: Sequence[float]
    dropped: bool

    @property
    def score(self) -> float:
        """Mean over the inner folds that can tell."""
        return mean_of_known(self.scores)


@dataclass
class Study:
    """The trials of one training set.

    Attributes
    ----------
    scope
        The training set.
    inner
        Its inner folds.
    start
        The first trial: defaults, and what is not tuned.
    data
        Digest of what the trials are scored on.
    recalled
        How many trials an earlier run had scored.
    """

    scope: Scope
    inner: Sequence[Scope]
    study: optuna.Study
    space: Mapping[str, BaseDistribution]
    start: Choice = DEFAULT_CHOICE
    data: str = ""
    tried: list[Tried] = field(default_factory=list)
    recalled: int = 0

    @property
    def half(self) -> int:
        """How many of the inner folds, the first ones, every trial is trained on."""
        return (len(self.inner) + 1) // 2

    def best(self) -> Tried | None:
        """Return the first trial with the highest score; None when none could be scored."""
        whole = [one for one in self.tried if not one.dropped and np.isfinite(one.score)]
        return max(whole, key=lambda one: (one.score, -one.number), default=None)

    def rows(self) -> list[dict[str, object]]:
        """Return what was tried, in the order of the trials, for ``trials.tsv``."""
        best = self.best()
        return [
            {
                "trial": one.number,
                "state": "dropped" if one.dropped else "whole",
                "chosen": one is best,
                "score": one.score,
                "folds": len(one.scores),
                "fold_scores": ";".join(repr(float(score)) for score in one.scores),
                "data": self.data,
                **{name: one.choice.value(name) for name in self.space},
            }
            for one in sorted(self.tried, key=lambda one: one.number)
        ]

    def told(self) -> str:
        """Say in words what was chosen; for ``training.tsv``."""
        best = self.best()
        if best is None:
            return f"defaults: no inner fold could score any of {len(self.tried)} trials"
        default = next(one for one in self.tried if one.number == 0)
        drawn = ", ".join(f"{name} {best.choice.value(name)}" for name in self.space)
        earlier = f" ({self.recalled} of an earlier run)" if self.recalled else ""
        told = (
            f"best of {len(self.tried)} trials{earlier} on {len(self.inner)} inner folds: trial "
            f"{best.number} with {best.score:.3g} (defaults {default.score:.3g}): {drawn}"
        )
        return "; ".join([told, *edge_words(edges_of(best.choice, self.space))])


def search(
    scopes: Mapping[Scope, Sequence[Scope]],
    space: Mapping[str, BaseDistribution],
    trials: int,
    seed: int,
    scored: Scored,
    earlier: Mapping[Scope, Sequence[Mapping[str, str]]] = MappingProxyType({}),
    data: Mapping[Scope, str] = MappingProxyType({}),
    start: Choice = DEFAULT_CHOICE,
    go_on: Callable[[], bool] = lambda: True,
) -> list[Study]:
    """Tune the training sets side by side, a batch of trials after the other.

    Parameters
    ----------
    scopes
        Training set -> its inner folds.
    space
        What a trial chooses (``space_of``).
    trials
        Of each study, at most; the first is the default.
    seed
        Of the model.
    earlier
        Training set -> rows of ``trials.tsv`` (``Study.rows``) of an earlier run, as text. Whole
        batches among them are taken as they are.
    data
        Training set -> digest of what its trials are scored on.
    start
        The first trial: defaults, and what is not tuned.
    go_on
        Asked before each batch but the first; no batch begins once it says no.

    Returns
    -------
    The studies, in the order of ``scopes``.

    Raises
    ------
    OtherStudyError
        When an earlier trial was scored on other data, or is not what this study would try.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    studies = [
        _new_study(scope, inner, space, start, data.get(scope, ""))
        for scope, inner in scopes.items()
    ]
    for first, batch in _batches(trials):
        if first and not go_on():
            break
        asked, new = {}, []
        drawn = {name: space[name] for name in space if first or name != STRUCTURE}
        for one in studies:
            one.study.sampler = _sampler(seed, one.scope, first)
            asked[one.scope] = [one.study.ask(drawn) for _ in range(batch)]
            rows = {int(row["trial"]): row for row in earlier.get(one.scope, ())}
            if batch == TRIALS_AT_ONCE and all(trial.number in rows for trial in asked[one.scope]):
                _recall(one, asked[one.scope], rows)
            else:
                new.append(one)
        _halve(new, asked, scored)
    return studies


def _new_study(
    scope: Scope,
    inner: Sequence[Scope],
    space: Mapping[str, BaseDistribution],
    start: Choice,
    data: str,
) -> Study:
    study = optuna.create_study(direction="maximize")
    study.enqueue_trial({name: start.settings.get(name, start.structure) for name in space})
    return Study(scope, sorted(inner), study, space, start, data)


def _sampler(seed: int, scope: Scope, first: int) -> TPESampler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return TPESampler(
            seed=seed_for(seed, "trials", scope.key, first), multivariate=True, constant_liar=True
        )


def _batches(trials: int) -> Iterator[tuple[int, int]]:
    for first in range(0, trials, TRIALS_AT_ONCE):
        yield first, min(TRIALS_AT_ONCE, trials - first)


def _recall(one: Study, trials: Sequence[Trial], rows: Mapping[int, Mapping[str, str]]) -> None:
    """Take the scores of a batch from an earlier run."""
    for trial in trials:
        row, choice = rows[trial.number], choice_of(trial, one.start)
        where = f"Trial {trial.number} of {one.scope.key} in the earlier study"
        if row["data"] != one.data:
            raise OtherStudyError(
                f"{where} was scored on other data: samples, folds, values or the outcome differ."
            )
        other = [name for name in one.space if row.get(name) != choice.value(name)]
        if other:
            raise OtherStudyError(
                f"{where} has another {', '.join(other)} than this run would try: the seed, the "
                "model, or the version of the pipeline differs."
            )
        scores = [float(value) for value in row["fold_scores"].split(";")]
        _tell(one, trial, choice, scores, row["state"] == "dropped")
    one.recalled += len(trials)


def _halve(studies: Sequence[Study], asked: Mapping[Scope, list[Trial]], scored: Scored) -> None:
    """Train a batch on half of the inner folds, and the better half of it on the others.

    Successive halving (Jamieson and Talwalkar, AISTATS 2016) with folds as the budget. The default
    is never dropped: it is what the others are compared with.
    """
    running: dict[Scope, dict[int, list[float]]] = {
        one.scope: {trial.number: [] for trial in asked[one.scope]} for one in studies
    }
    choices = {
        one.scope: {trial.number: choice_of(trial, one.start) for trial in asked[one.scope]}
        for one in studies
    }
    for rung in range(2):
        tasks = [
            (one.scope, number, inner)
            for one in studies
            for number in running[one.scope]
            for inner in _folds_of(one, rung)
        ]
        scores = scored([(inner, choices[scope][number]) for scope, number, inner in tasks])
        for (scope, number, _), found in zip(tasks, scores, strict=True):
            running[scope][number].append(found)
        for one in studies:
            mine = running[one.scope]
            kept = set(mine) if rung else _better_half(mine)
            for trial in asked[one.scope]:
                if trial.number not in mine or (trial.number in kept and not rung):
                    continue
                _tell(one, trial, choices[one.scope][trial.number], mine[trial.number], not rung)
            running[one.scope] = {number: mine[number] for number in mine if number in kept}


def _folds_of(one: Study, rung: int) -> Sequence[Scope]:
    return one.inner[one.half :] if rung else one.inner[: one.half]


def _better_half(scores: Mapping[int, Sequence[float]]) -> set[int]:
    order = sorted(scores, key=lambda number: (-_or_worst(mean_of_known(scores[number])), number))
    return {*order[: (len(order) + 1) // 2], *({0} & set(order))}


def _tell(one: Study, trial: Trial, choice: Choice, scores: Sequence[float], dropped: bool) -> None:
    one.tried.append(Tried(trial.number, choice, tuple(scores), dropped))
    mean = mean_of_known(scores)
    if not np.isfinite(mean):
        one.study.tell(trial, state=TrialState.FAIL)
    elif dropped:
        trial.report(mean, step=len(scores))
        one.study.tell(trial, state=TrialState.PRUNED)
    else:
        one.study.tell(trial, mean)


def mean_of_known(scores: Sequence[float]) -> float:
    """Average what is not NaN; NaN when nothing is."""
    known = [score for score in scores if np.isfinite(score)]
    return float(np.mean(known)) if known else float("nan")


def _or_worst(score: float) -> float:
    return score if np.isfinite(score) else -np.inf
