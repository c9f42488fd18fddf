"""What must hold of every mistake, whatever the cohort."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omicsfusion.look_ahead import look_ahead
from omicsfusion.scopes import OUTER
from omicsfusion.tables.mistakes import MISTAKES, SELECTION, TUNING
from tests.property.test_splits_property import cohorts, families, split

SCOPE = ["repeat", "fold", "inner"]
ROLES = [*SCOPE, "sample", "patient", "role"]


def honest(splits):
    first = splits[(splits["repeat"] == 1) & (splits["role"] != "external")]
    return first[ROLES].reset_index(drop=True)


@families
@settings(max_examples=4, deadline=None)
@given(data=st.data(), folds_per_task=st.integers(0, 2))
def test_models_meet_the_honest_splits_and_the_splits_themselves_are_left_alone(
    task, data, folds_per_task
):
    splits = split(data.draw(cohorts(task)), folds_per_task=folds_per_task)
    before = splits.copy(deep=True)
    made = {mistake: look_ahead(splits, mistake) for mistake in MISTAKES}
    assert splits.equals(before)
    for mistake in set(MISTAKES) - {TUNING}:
        assert made[mistake].train[ROLES].equals(honest(splits))
        assert made[mistake].networks.equals(made[mistake].train)


@families
@settings(max_examples=4, deadline=None)
@given(data=st.data())
def test_nobody_is_tested_where_chains_look_ahead_and_every_scope_has_one(task, data):
    splits = split(data.draw(cohorts(task)))
    made = look_ahead(splits, SELECTION)
    assert set(made.prepare["role"]) == {"train"}
    trained = splits.loc[splits["role"] == "train", "sample"].nunique()
    assert (made.prepare.groupby(SCOPE)["sample"].nunique() == trained).all()
    scopes = [table[SCOPE].drop_duplicates() for table in (made.prepare, made.train)]
    assert scopes[0].reset_index(drop=True).equals(scopes[1].reset_index(drop=True))


@families
@settings(max_examples=4, deadline=None)
@given(data=st.data())
def test_every_sample_is_tested_once_by_each_mistake_and_trained_on_by_none_that_tests_it(
    task, data
):
    splits = split(data.draw(cohorts(task)))
    first = honest(splits)
    tested = first[(first["inner"] == OUTER) & (first["role"] == "test")]
    wanted = tested[["fold", "sample"]].reset_index(drop=True)
    for mistake in MISTAKES:
        made = look_ahead(splits, mistake)
        for table in (made.train, made.networks):
            outer = table[table["inner"] == OUTER]
            found = outer.loc[outer["role"] == "test", ["fold", "sample"]]
            assert found.reset_index(drop=True).equals(wanted)
            fitted = outer[outer["role"] == "train"].merge(found, on=["fold", "sample"])
            assert fitted.empty


@pytest.mark.parametrize("mistake", MISTAKES)
@settings(max_examples=3, deadline=None)
@given(data=st.data(), order=st.integers(0, 1000))
def test_the_order_of_samples_does_not_matter(mistake, data, order):
    samples, outcome = data.draw(cohorts("regression"))
    made = look_ahead(split((samples, outcome)), mistake)
    mixed = samples.sample(frac=1, random_state=order)
    again = look_ahead(split((mixed, outcome)), mistake)
    for name in ("prepare", "train", "networks", "groups"):
        assert getattr(made, name).equals(getattr(again, name))
