"""The search: who is tried, on which folds, who is dropped, who is chosen."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from omicsfusion.models.choice import DEFAULT_CHOICE, Choice
from omicsfusion.models.request import OtherStudyError
from omicsfusion.models.settings import DEFAULTS
from omicsfusion.models.tuning.score import score
from omicsfusion.models.tuning.search import TRIALS_AT_ONCE, Study, Tried, search
from omicsfusion.models.tuning.space import OF_CLASSES, RANGES, edges_of, space_of
from omicsfusion.scopes import Scope
from omicsfusion.tables.outcome import Outcome

ONE, OTHER = Scope(1, 1, "outer"), Scope(1, 2, "outer")
SCOPES = {
    scope: [Scope(scope.repeat, scope.fold, str(i)) for i in range(4)] for scope in (ONE, OTHER)
}
SPACE = space_of("survival", {"default": {}, "wide": {}})


def outcome_of(task: str, classes: tuple[str, ...] = (), **columns: list) -> Outcome:
    """Return the outcome of samples s0, s1, …"""
    n = len(next(iter(columns.values())))
    table = pd.DataFrame(columns, index=[f"s{i}" for i in range(n)])
    if task != "classification":
        return Outcome(task, table)
    return Outcome(task, table, classes or tuple(sorted(set(columns["truth"]))))


class Judge:
    """Scores a choice by its learning rate, and remembers what it was asked."""

    def __init__(self, best_rate: float) -> None:
        self.best_rate = best_rate
        self.asked: list[tuple[Scope, Choice]] = []

    def __call__(self, asked: Sequence[tuple[Scope, Choice]]) -> list[float]:
        self.asked += asked
        return [
            -abs(np.log(choice.settings["learning_rate"] / self.best_rate)) for _, choice in asked
        ]


def searched(trials: int = 12, seed: int = 1, best_rate: float = 3e-3) -> tuple[list[Study], Judge]:
    judge = Judge(best_rate)
    return search(SCOPES, SPACE, trials, seed, judge), judge


def test_the_first_trial_is_the_default():
    for study in searched()[0]:
        assert study.tried[0].choice == DEFAULT_CHOICE or study.tried[0].number != 0
        assert next(one for one in study.tried if one.number == 0).choice == DEFAULT_CHOICE


def test_every_trial_of_a_study_is_told_once_and_studies_differ():
    one, other = searched()[0]
    assert sorted(tried.number for tried in one.tried) == list(range(12))
    rates = [
        [tried.choice.settings["learning_rate"] for tried in study.tried if tried.number]
        for study in (one, other)
    ]
    assert not set(rates[0]) & set(rates[1])


def test_the_worse_half_is_dropped_after_half_of_the_folds_but_never_the_default():
    studies, judge = searched(trials=TRIALS_AT_ONCE)
    for study in studies:
        dropped = [one for one in study.tried if one.dropped]
        assert len(dropped) in (TRIALS_AT_ONCE // 2, TRIALS_AT_ONCE // 2 - 1)
        assert {len(one.scores) for one in dropped} == {2}
        assert {len(one.scores) for one in study.tried if not one.dropped} == {4}
        assert 0 not in {one.number for one in dropped}
        least = min(one.score for one in study.tried if not one.dropped and one.number)
        assert all(one.score <= least for one in dropped)
    assert {scope.parent for scope, _ in judge.asked} == {ONE, OTHER}


def test_the_best_is_chosen_and_told():
    for study in searched(trials=30)[0]:
        best = study.best()
        assert best is not None
        assert best.score == max(one.score for one in study.tried)
        assert abs(np.log(best.choice.settings["learning_rate"] / 3e-3)) < 0.2
        told = study.told()
        assert "best of 30 trials on 4 inner folds" in told
        assert f"trial {best.number}" in told
        rows = study.rows()
        assert [row["trial"] for row in rows] == list(range(30))
        assert [row["trial"] for row in rows if row["chosen"]] == [best.number]


def test_what_was_chosen_at_the_end_of_its_range_is_told():
    low, high = RANGES["learning_rate"].low, RANGES["learning_rate"].high
    at = {**DEFAULTS, "learning_rate": 1.01 * low, "input_dropout": 0.599, "input_noise": 0.0}
    assert edges_of(Choice(at), SPACE) == ["learning_rate", "input_dropout"]
    assert edges_of(Choice({**at, "learning_rate": 0.99 * high}), SPACE)[0] == "learning_rate"
    assert edges_of(DEFAULT_CHOICE, SPACE) == []
    study = searched(best_rate=0.99 * high)[0][0]
    assert "at the edge" not in study.told()
    last = study.tried[-1]
    study.tried.append(Tried(99, Choice(at, last.choice.structure), [1.0] * 4, dropped=False))
    assert study.told().endswith("; at the edge of the grid: learning_rate, input_dropout")


def test_the_default_stays_where_nothing_is_better():
    for study in searched(best_rate=DEFAULTS["learning_rate"])[0]:
        assert study.best().number == 0


def test_where_no_fold_can_score_the_defaults_are_kept_and_it_is_said():
    studies = search(SCOPES, SPACE, 3, 1, lambda asked: [float("nan")] * len(asked))
    for study in studies:
        assert study.best() is None
        assert study.told() == "defaults: no inner fold could score any of 3 trials"


def test_the_same_seed_tries_the_same_whatever_other_sets_there_are():
    first = searched()[0]
    again = searched()[0]
    assert [one.rows() for one in first] == [one.rows() for one in again]
    alone = search({OTHER: SCOPES[OTHER]}, SPACE, 12, 1, Judge(3e-3))
    assert alone[0].rows() == first[1].rows()
    assert searched(seed=2)[0][0].rows() != first[0].rows()


def as_text(studies: list[Study]) -> dict[Scope, list[dict[str, str]]]:
    return {
        one.scope: [{name: str(value) for name, value in row.items()} for row in one.rows()]
        for one in studies
    }


@pytest.mark.parametrize("before", [TRIALS_AT_ONCE, TRIALS_AT_ONCE + 5])
def test_a_study_that_goes_on_tries_what_it_would_have_tried_in_one_go(before):
    straight, _ = searched(trials=30)
    earlier = as_text(searched(trials=before)[0])
    judge = Judge(3e-3)
    went_on = search(SCOPES, SPACE, 30, 1, judge, earlier)
    assert [one.rows() for one in went_on] == [one.rows() for one in straight]
    assert DEFAULT_CHOICE not in [choice for _, choice in judge.asked]
    for one in went_on:
        assert "best of 30 trials (10 of an earlier run) on 4 inner folds" in one.told()


def test_a_study_of_fewer_trials_than_the_earlier_one_takes_its_part():
    earlier = as_text(searched(trials=20)[0])
    judge = Judge(3e-3)
    again = search(SCOPES, SPACE, TRIALS_AT_ONCE, 1, judge, earlier)
    assert not judge.asked
    assert [one.rows() for one in again] == [one.rows() for one in searched(trials=10)[0]]


def test_trials_of_other_data_or_of_another_search_are_refused():
    earlier = as_text(searched(trials=TRIALS_AT_ONCE)[0])
    data = dict.fromkeys(SCOPES, "another")
    with pytest.raises(OtherStudyError, match=r"Trial 0 of r1f1-outer .* scored on other data"):
        search(SCOPES, SPACE, 10, 1, Judge(3e-3), earlier, data)
    with pytest.raises(OtherStudyError, match=r"another learning_rate, .* than this run would try"):
        search(SCOPES, SPACE, 10, 2, Judge(3e-3), earlier)
    wider = {**SPACE, **OF_CLASSES}
    with pytest.raises(OtherStudyError, match=r"Trial 0 .* another label_smoothing than"):
        search(SCOPES, wider, 10, 1, Judge(3e-3), earlier)


def test_no_batch_begins_once_time_is_up_but_the_first_always_does():
    asked = iter([True, False])
    studies = search(SCOPES, SPACE, 50, 1, Judge(3e-3), go_on=lambda: next(asked))
    assert [len(one.tried) for one in studies] == [2 * TRIALS_AT_ONCE] * 2
    studies = search(SCOPES, SPACE, 50, 1, Judge(3e-3), go_on=lambda: False)
    assert [len(one.tried) for one in studies] == [TRIALS_AT_ONCE] * 2


def test_other_structures_are_tried_from_the_second_batch_on():
    for study in searched(trials=30)[0]:
        structures = [row["structure"] for row in study.rows()]
        assert set(structures[:TRIALS_AT_ONCE]) == {"default"}
        assert set(structures[TRIALS_AT_ONCE:]) == {"default", "wide"}


def test_one_trial_is_the_default():
    for study in searched(trials=1)[0]:
        assert study.best().choice == DEFAULT_CHOICE


def test_the_defaults_lie_in_the_space_and_classes_have_one_more():
    for name, values in {**RANGES, **OF_CLASSES}.items():
        assert values.low <= DEFAULTS[name] <= values.high
    assert set(space_of("classification", {"default": {}})) == {*RANGES, *OF_CLASSES}


def test_scores_are_those_of_a_hand():
    classes = outcome_of("classification", truth=["a", "a", "a", "b"])
    p = {"p_a": np.array([0.9, 0.6, 0.4, 0.3]), "p_b": np.array([0.1, 0.4, 0.6, 0.7])}
    assert score(p, classes.table.index, classes) == pytest.approx((2 / 3 + 1) / 2)
    numbers = outcome_of("regression", truth=[1.0, 2.0, 3.0])
    assert score({"mean": np.array([1.0, 2.0, 2.0])}, numbers.table.index, numbers) == 0.5
    lives = outcome_of("survival", time=[1.0, 2.0, 3.0], event=[1, 1, 0])
    assert score({"risk": np.array([3.0, 1.0, 2.0])}, lives.table.index, lives) == pytest.approx(
        2 / 3
    )


def test_samples_that_cannot_tell_give_no_score():
    one_class = outcome_of("classification", truth=["a", "a"], classes=("a", "b"))
    p = {"p_a": np.array([0.9, 0.6]), "p_b": np.array([0.1, 0.4])}
    assert np.isnan(score(p, one_class.table.index, one_class))
    constant = outcome_of("regression", truth=[1.0, 1.0])
    assert np.isnan(score({"mean": np.array([1.0, 2.0])}, constant.table.index, constant))
    censored = outcome_of("survival", time=[1.0, 2.0], event=[0, 0])
    assert np.isnan(score({"risk": np.array([1.0, 2.0])}, censored.table.index, censored))
