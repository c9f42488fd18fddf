"""What must hold of every negative control, whatever the cohort."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omicsfusion.folds import SplitError
from omicsfusion.negative_control import control_splits, draw_donors, permute_outcomes
from omicsfusion.tables.outcome import Outcome
from tests.property.test_splits_property import cohorts, families

SCOPE = ["repeat", "fold", "inner"]


def table_of(cohort, rng):
    """The clean samples.tsv of a cohort in two batches, one outcome a patient."""
    samples, outcome = cohort
    patient = samples.groupby("patient")["sample"].transform("min")
    known = outcome.table.loc[patient].set_axis(samples.index)
    batch = {name: f"batch {rng.integers(2)}" for name in sorted(set(samples["patient"]))}
    return samples.assign(cohort="main", batch=samples["patient"].map(batch), **known)


def permuted(table, task, number):
    return permute_outcomes(table, task, draw_donors(table, task, "kfold", 1, number))


def outcomes_of_patients(table, task):
    columns = ["batch", *(["time", "event"] if task == "survival" else ["truth"])]
    by_patient = table[table["role"] == "train"].groupby("patient")[columns]
    assert (by_patient.nunique() == 1).all(axis=None)
    return by_patient.first()


@families
@settings(max_examples=8, deadline=None)
@given(data=st.data(), number=st.integers(1, 999))
def test_the_outcomes_of_a_batch_stay_and_the_samples_of_a_patient_share_one(task, data, number):
    rng = np.random.default_rng(number)
    table = table_of(data.draw(cohorts(task)), rng)
    before = outcomes_of_patients(table, task)
    after = outcomes_of_patients(permuted(table, task, number), task)
    order = list(before.columns)
    assert after["batch"].equals(before["batch"])
    assert np.array_equal(before.sort_values(order), after.sort_values(order))
    assert not after.equals(before)


@families
@settings(max_examples=6, deadline=None)
@given(data=st.data(), order_seed=st.integers(0, 1000))
def test_the_order_of_rows_does_not_matter_and_numbers_do(task, data, order_seed):
    table = table_of(data.draw(cohorts(task)), np.random.default_rng(order_seed))
    shuffled = table.sample(frac=1, random_state=order_seed)
    one = permuted(table, task, 1)
    assert one.equals(permuted(shuffled, task, 1))
    assert not one.equals(permuted(table, task, 2))


@families
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_no_tested_patient_of_a_control_is_trained_on(task, data):
    table = permuted(table_of(data.draw(cohorts(task)), np.random.default_rng(1)), task, 1)
    columns = ["time", "event"] if task == "survival" else ["truth"]
    outcome = Outcome(
        task, table.set_index("sample")[columns], tuple("abc") * (task == "classification")
    )
    try:
        splits, groups = control_splits(table, outcome, "kfold", 3, 2, 1, 7, 5)
    except SplitError:  # by chance all events of a fold
        pytest.skip("this draw cannot be split")
    tested = splits["role"] == "test"
    for _, scope in splits.groupby(SCOPE):
        held_out = set(scope.loc[tested, "patient"])
        assert held_out
        assert not held_out & set(scope.loc[~tested, "patient"])
    outer = splits[tested & (splits["inner"] == "outer")].groupby("fold")["patient"].agg(set)
    inner = splits[splits["inner"] != "outer"].groupby("fold")["patient"].agg(set)
    assert not any(outer[fold] & inner[fold] for fold in (1, 2, 3))
    assert set(splits["group"]) == set(groups["group"]) == {f"p005g00{n}" for n in (1, 2, 3)}
