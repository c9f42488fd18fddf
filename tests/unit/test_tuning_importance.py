"""Which choices made a difference: known answers, all trials on the same folds, no guess."""

import numpy as np
import pytest

from omicsfusion.models.tuning.importance import LEAST_TRIALS, importance_rows
from omicsfusion.models.tuning.search import search
from omicsfusion.models.tuning.space import space_of
from omicsfusion.scopes import Scope

ONE, OTHER = Scope(1, 1, "outer"), Scope(1, 2, "outer")
SCOPES = {
    scope: [Scope(scope.repeat, scope.fold, str(i)) for i in range(4)] for scope in (ONE, OTHER)
}
SPACE = space_of("survival", {"default": {}, "wide": {}})


def study_of(value, trials=30, scopes=SCOPES, scope=ONE):
    """A study in which ``value`` of a fold's name and a choice is the score."""
    found = search(
        scopes, SPACE, trials, 1, lambda asked: [value(inner.inner, c) for inner, c in asked]
    )
    return next(one for one in found if one.scope == scope)


def importance(study):
    return {row["parameter"]: row["importance"] for row in importance_rows(study)}


def by_dropout(fold, choice):
    return choice.settings["hidden_dropout"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hidden_dropout", by_dropout),
        ("learning_rate", lambda fold, choice: np.log(choice.settings["learning_rate"])),
        ("structure", lambda fold, choice: float(choice.structure == "wide")),
    ],
)
def test_the_choice_that_makes_the_score_has_almost_all_importance(name, value):
    found = importance(study_of(value))
    assert set(found) == set(SPACE)
    assert sum(found.values()) == pytest.approx(1)
    assert found[name] > 0.8


def test_trials_that_were_dropped_count_and_all_with_the_same_folds():
    # The second half of the folds, which only the better trials see, says something else.
    def two_faced(fold, choice):
        name = "hidden_dropout" if fold in ("0", "1") else "input_noise"
        return choice.settings[name]

    study = study_of(two_faced)
    rows = importance_rows(study)
    assert {row["n_trials"] for row in rows} == {30}
    assert any(one.dropped for one in study.tried)
    assert importance(study)["hidden_dropout"] > 0.8


@pytest.mark.parametrize(("trials", "rows"), [(LEAST_TRIALS - 1, 0), (LEAST_TRIALS, len(SPACE))])
def test_too_few_trials_have_no_importance(trials, rows):
    assert len(importance_rows(study_of(by_dropout, trials))) == rows


def test_trials_without_a_score_do_not_count():
    def sometimes(fold, choice):
        return by_dropout(fold, choice) if choice.settings["hidden_dropout"] > 0.25 else np.nan

    study = study_of(sometimes)
    known = [one for one in study.tried if one.choice.settings["hidden_dropout"] > 0.25]
    assert LEAST_TRIALS <= len(known) < 30
    assert {row["n_trials"] for row in importance_rows(study)} == {len(known)}


def test_scores_that_are_all_equal_are_the_merit_of_no_choice():
    assert importance_rows(study_of(lambda fold, choice: 0.5)) == []


def test_the_same_trials_have_the_same_importance_whatever_other_sets_there_are():
    first = importance_rows(study_of(by_dropout, scope=OTHER))
    alone = importance_rows(study_of(by_dropout, scopes={OTHER: SCOPES[OTHER]}, scope=OTHER))
    assert first == alone
