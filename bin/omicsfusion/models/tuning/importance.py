"""Which of the choices made a difference between trials: functional ANOVA of a random forest.

Hutter, Hoos & Leyton-Brown, ICML 2014, as Optuna has it. A trial that was dropped is scored on half
of the inner folds only, and the ones that were kept are the better half: to compare all trials on
the same folds, and not the best with each other, every trial counts with its first half of folds.
"""

from math import log

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.importance import FanovaImportanceEvaluator, get_param_importances

from omicsfusion.models.choice import STRUCTURE, Choice
from omicsfusion.models.tuning.search import Study, mean_of_known

LEAST_TRIALS = 10
"""Of fewer trials a forest learns nothing about six and more choices."""

FOREST_SEED = 20140623
"""Not the run's: the same trials have the same importance."""


def importance_rows(study: Study) -> list[dict[str, object]]:
    """Return the importance of each choice in a study, for ``trials_importance.tsv``.

    Returns
    -------
    ``parameter, importance`` (its share of the variance that choices explain one by one, without
    what two do together; shares add up to 1, also where the scores are noise), ``n_trials``; by
    the names of the choices. Empty when fewer than
    ``LEAST_TRIALS`` trials have a score on the first half of the inner folds, or all have the same.
    """
    scored = [(one.choice, mean_of_known(one.scores[: study.half])) for one in study.tried]
    scored = [(choice, score) for choice, score in scored if np.isfinite(score)]
    if len(scored) < LEAST_TRIALS or len({score for _, score in scored}) == 1:
        return []
    compared = optuna.create_study(direction="maximize")
    axes = {name: _axis(distribution) for name, distribution in study.space.items()}
    for choice, score in scored:
        drawn = {name: _place(choice, name, study.space[name]) for name in axes}
        compared.add_trial(optuna.trial.create_trial(params=drawn, distributions=axes, value=score))
    evaluator = FanovaImportanceEvaluator(seed=FOREST_SEED)
    found = get_param_importances(compared, evaluator=evaluator)
    return [
        {"parameter": name, "importance": float(found[name]), "n_trials": len(scored)}
        for name in sorted(axes)
    ]


def _axis(distribution: BaseDistribution) -> BaseDistribution:
    """Return the distribution on the scale on which it is drawn; the forest knows no other."""
    if isinstance(distribution, FloatDistribution) and distribution.log:
        return FloatDistribution(log(distribution.low), log(distribution.high))
    return distribution


def _place(choice: Choice, name: str, distribution: BaseDistribution) -> str | float:
    if name == STRUCTURE:
        return choice.structure
    value = choice.settings[name]
    axis = _axis(distribution)
    if axis is distribution or not isinstance(axis, FloatDistribution):
        return value
    return min(max(log(value), axis.low), axis.high)  # within the rounding of the logarithm
