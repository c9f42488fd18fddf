"""Tuning inside training sets: trials are scored on the inner folds of the set they are for.

Every training set has a study of its own. All trials of a study are scored on the same inner folds;
the samples that stop a network early never score it. The first trial is the default, so that a
study never ends with less than that on its own folds.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import TPESampler
from optuna.trial import Trial, TrialState

from omicsfusion.models.choice import Choice
from omicsfusion.models.tuning.space import choice_of, default_parameters
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
    """

    scope: Scope
    inner: Sequence[Scope]
    study: optuna.Study
    space: Mapping[str, BaseDistribution]
    tried: list[Tried] = field(default_factory=list)

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
        return (
            f"best of {len(self.tried)} trials on {len(self.inner)} inner folds: trial "
            f"{best.number} with {best.score:.3g} (defaults {default.score:.3g}): {drawn}"
        )


def search(
    scopes: Mapping[Scope, Sequence[Scope]],
    space: Mapping[str, BaseDistribution],
    trials: int,
    seed: int,
    scored: Scored,
) -> list[Study]:
    """Tune the training sets side by side, a batch of trials after the other.

    Parameters
    ----------
    scopes
        Training set -> its inner folds.
    space
        What a trial chooses (``space_of``).
    trials
        Of each study; the first is the default.
    seed
        Of the model.

    Returns
    -------
    The studies, in the order of ``scopes``.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    studies = [_new_study(scope, inner, space, seed) for scope, inner in scopes.items()]
    for batch in _batches(trials):
        asked = {one.scope: [one.study.ask(dict(space)) for _ in range(batch)] for one in studies}
        _halve(studies, asked, scored)
    return studies


def _new_study(
    scope: Scope, inner: Sequence[Scope], space: Mapping[str, BaseDistribution], seed: int
) -> Study:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        sampler = TPESampler(
            seed=seed_for(seed, "trials", scope.key), multivariate=True, constant_liar=True
        )
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.enqueue_trial(default_parameters(space))
    return Study(scope, sorted(inner), study, space)


def _batches(trials: int) -> Iterator[int]:
    for first in range(0, trials, TRIALS_AT_ONCE):
        yield min(TRIALS_AT_ONCE, trials - first)


def _halve(studies: Sequence[Study], asked: Mapping[Scope, list[Trial]], scored: Scored) -> None:
    """Train a batch on half of the inner folds, and the better half of it on the others.

    Successive halving (Jamieson and Talwalkar, AISTATS 2016) with folds as the budget. The default
    is never dropped: it is what the others are compared with.
    """
    running: dict[Scope, dict[int, list[float]]] = {
        one.scope: {trial.number: [] for trial in asked[one.scope]} for one in studies
    }
    choices = {
        scope: {trial.number: choice_of(trial) for trial in trials}
        for scope, trials in asked.items()
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
