"""What must hold of the shares of a learning curve, whatever the cohort."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omicsfusion.folds import units_of
from omicsfusion.learning_splits import make_learning_splits
from omicsfusion.scopes import OUTER
from tests.property.test_splits_property import SETTINGS, cohorts, linked_cohorts, split

families = pytest.mark.parametrize("task", ["classification", "survival", "regression"])
SCOPE = ["group", "repeat", "fold", "inner"]


def cut(cohort, splits, links=()):
    return make_learning_splits(*cohort, splits, 2, 0, SETTINGS["seed"], links)


@families
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_shares_are_nested_and_meet_the_test_samples_of_the_run_only_to_predict_them(task, data):
    samples, outcome = data.draw(cohorts(task))
    splits = split((samples, outcome))
    made = cut((samples, outcome), splits)
    whole = splits[(splits["repeat"] == 1) & (splits["inner"] == OUTER)]
    outer = made.splits[made.splits["inner"] == OUTER]
    for fold, rows in whole.groupby("fold"):
        tested = set(rows.loc[rows["role"] == "test", "sample"])
        larger = set(rows.loc[rows["role"].isin(["train", "stop"]), "sample"])
        for group in sorted(made.groups["group"], reverse=True):
            here = outer[(outer["group"] == group) & (outer["fold"] == fold)]
            assert set(here.loc[here["role"] == "test", "sample"]) == tested
            trained = set(here.loc[here["role"] != "test", "sample"])
            assert trained < larger
            larger = trained
    inner = made.splits[made.splits["inner"] != OUTER]
    of_fold = whole[whole["role"] == "test"].groupby("fold")["sample"].agg(set)
    for fold, rows in inner.groupby("fold"):
        assert not set(rows["sample"]) & of_fold[fold]
    assert set(made.splits["role"]) <= {"train", "stop", "test"}


@families
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_a_share_of_patients_with_one_sample_is_exact_to_one_patient(task, data):
    samples, outcome = data.draw(cohorts(task, most_samples=1))
    splits = split((samples, outcome))
    made = cut((samples, outcome), splits)
    outer = splits[(splits["repeat"] == 1) & (splits["inner"] == OUTER)]
    full = outer[outer["role"].isin(["train", "stop"])].groupby("fold").size()
    own = made.splits[(made.splits["inner"] == OUTER) & (made.splits["role"] != "test")]
    for group, rows in own.groupby("group"):
        wanted = full * int(group[1:]) / 100
        assert (rows.groupby("fold").size() - wanted).abs().max() <= 1


@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_no_share_parts_a_patient_or_a_pair_of_duplicates(data):
    cohort, links = data.draw(linked_cohorts())
    try:
        splits = split(cohort, links=links)
    except ValueError:
        return
    made = cut(cohort, splits, links)
    unit = made.splits["sample"].map(units_of(cohort[0], links))
    assert (made.splits.groupby([*SCOPE, unit])["role"].nunique() == 1).all()
    training = cohort[0][cohort[0]["role"] == "train"]
    size = training["sample"].map(units_of(training, links)).value_counts()
    outer = made.splits[made.splits["inner"] == OUTER]
    here = outer.groupby(["group", "fold", unit[outer.index]]).size()
    assert all(here == here.index.get_level_values(-1).map(size))


@families
@settings(max_examples=4, deadline=None)
@given(data=st.data())
def test_the_order_of_samples_does_not_matter(task, data):
    samples, outcome = data.draw(cohorts(task))
    splits = split((samples, outcome))
    order = np.random.default_rng(1).permutation(len(samples))
    one = cut((samples, outcome), splits)
    two = cut((samples.iloc[order], outcome), splits.iloc[::-1])
    assert one.splits.equals(two.splits)
    assert one.groups.equals(two.groups)
    assert one.shares.equals(two.shares)
