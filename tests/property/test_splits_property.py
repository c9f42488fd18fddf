"""What must hold of every split, whatever the cohort."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omicsfusion.folds import units_of
from omicsfusion.scopes import FINAL, OUTER
from omicsfusion.splits import SplitError, list_groups, make_splits
from omicsfusion.tables.outcome import Outcome
from omicsfusion.tables.tsv import write_tsv

SETTINGS = {"folds": 3, "repeats": 2, "inner_folds": 3, "folds_per_task": 0, "seed": 7}


@st.composite
def cohorts(draw, task, most_samples=3):
    """Samples and outcome of 24 to 40 training patients and a few external ones."""
    n_patients = draw(st.integers(24, 40))
    sizes = draw(st.lists(st.integers(1, most_samples), min_size=n_patients, max_size=n_patients))
    patient = np.repeat([f"P{number}" for number in range(n_patients)], sizes)
    n = len(patient)
    n_external = draw(st.integers(0, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    patient = [*patient, *(f"X{number}" for number in range(n_external))]
    samples = pd.DataFrame(
        {
            "sample": [f"S{number}" for number in rng.permutation(n + n_external)],
            "patient": patient,
            "group": patient,
            "role": ["train"] * n + ["external"] * n_external,
            "split": None,
            "layers": rng.choice(["methylation;rna", "rna"], n + n_external),
        }
    ).sort_values("sample", ignore_index=True)
    return samples, outcome_of(task, samples, rng)


def outcome_of(task, samples, rng):
    """Outcomes of patients: half in class a (or with an event), the rest in b and c."""
    number = samples["patient"].str[1:].astype(int)
    if task == "classification":
        table = pd.DataFrame({"truth": np.array(["a", "b", "a", "c"])[number % 4]})
        return Outcome(task, table.set_index(samples["sample"]), ("a", "b", "c"))
    if task == "survival":
        table = pd.DataFrame({"time": rng.exponential(size=len(samples)), "event": number % 2})
        return Outcome(task, table.set_index(samples["sample"]))
    table = pd.DataFrame({"truth": rng.normal(size=len(samples))})
    return Outcome(task, table.set_index(samples["sample"]))


def split(cohort, **changes):
    return make_splits(*cohort, **{"how": "kfold", **SETTINGS, **changes})


families = pytest.mark.parametrize("task", ["classification", "survival", "regression"])


@families
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_a_patient_has_one_role_in_a_scope(task, data):
    splits = split(data.draw(cohorts(task)))
    roles = splits.groupby(["repeat", "fold", "inner", "patient"])["role"].nunique()
    assert (roles == 1).all()


@families
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_each_training_sample_is_tested_once_a_repeat_and_external_ones_never(task, data):
    samples, outcome = data.draw(cohorts(task))
    splits = split((samples, outcome))
    training = samples.loc[samples["role"] == "train", "sample"]
    tested = splits[(splits["inner"] == OUTER) & (splits["role"] == "test")]
    for _, repeat in tested.groupby("repeat"):
        assert sorted(repeat["sample"]) == sorted(training)
    external = splits[~splits["sample"].isin(training)]
    assert (external["role"] == "external").all()
    assert set(external["inner"]) <= {OUTER, FINAL}
    n_parents = 1 + SETTINGS["folds"] * SETTINGS["repeats"]
    assert len(external) == n_parents * (samples["role"] == "external").sum()


@st.composite
def linked_cohorts(draw):
    """A cohort with some pairs of near-duplicates, and dates: (samples, outcome), links."""
    samples, outcome = draw(cohorts("classification", most_samples=2))
    training = sorted(samples.loc[samples["role"] == "train", "sample"])
    n_links = draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    links = [tuple(rng.choice(training, 2, replace=False)) for _ in range(n_links)]
    years = rng.integers(2000, 2000 + draw(st.integers(2, 40)), len(samples)).astype(str)
    return (samples.assign(split=years), outcome), links


@settings(max_examples=8, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("how", ["kfold", "temporal:year"])
def test_no_scope_parts_a_patient_or_a_pair_of_duplicates(how, data):
    cohort, links = data.draw(linked_cohorts())
    samples = cohort[0]
    units = units_of(samples, links)
    splits = _or_refused(cohort, how=how, links=links)
    if splits is not None:
        in_scope = splits[splits["role"] != "external"]
        by_scope = [in_scope[name] for name in ("repeat", "fold", "inner")]
        of_unit = in_scope.groupby([*by_scope, in_scope["sample"].map(units)])["role"].nunique()
        assert (of_unit == 1).all()


def _or_refused(cohort, **changes):
    """The splits; None when so many samples are linked that too few units are left."""
    try:
        return split(cohort, **changes)
    except SplitError:
        return None


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_in_a_temporal_split_all_training_samples_are_older_than_the_cut(data):
    cohort, links = data.draw(linked_cohorts())
    samples = cohort[0]
    splits = _or_refused(cohort, how="temporal:year", links=links)
    if splits is None:
        return
    outer = splits.query("inner == 'outer' and role != 'external'").set_index("sample")
    year = samples.set_index("sample")["split"].astype(int)[outer.index]
    unit = units_of(samples, links)[outer.index]
    newest = year.groupby(unit).max()
    tested = outer["role"] == "test"
    cut = newest[unit[tested]].min()
    assert (year[~tested] < cut).all()
    shares = [(newest >= date).mean() for date in sorted(set(newest))[1:]]
    assert abs((newest >= cut).mean() - 1 / 3) <= min(abs(share - 1 / 3) for share in shares) + 1e-9
    assert set(unit[tested]) == set(newest.index[newest >= cut])


@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_inner_test_sets_partition_the_outer_training_set(data):
    splits = split(data.draw(cohorts("classification")))
    for (_, fold), scopes in splits.groupby(["repeat", "fold"]):
        parent = scopes[scopes["inner"] == (OUTER if fold else FINAL)]
        training = parent.loc[parent["role"].isin(["train", "stop"]), "sample"]
        inner = scopes[~scopes["inner"].isin([OUTER, FINAL])]
        assert sorted(inner.loc[inner["role"] == "test", "sample"]) == sorted(training)
        for _, scope in inner.groupby("inner"):
            assert sorted(scope["sample"]) == sorted(training)


@settings(max_examples=5, deadline=None)
@given(data=st.data(), order_seed=st.integers(0, 1000))
def test_the_order_of_rows_changes_no_byte(data, order_seed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("orders")
    samples, outcome = data.draw(cohorts("survival"))
    shuffled = samples.sample(frac=1, random_state=order_seed)
    write_tsv(split((samples, outcome)), folder / "a.tsv")
    write_tsv(split((shuffled, outcome)), folder / "b.tsv")
    assert (folder / "a.tsv").read_bytes() == (folder / "b.tsv").read_bytes()


@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_another_seed_and_another_repeat_deal_other_folds(data):
    cohort = data.draw(cohorts("classification"))
    outer = [
        scopes.loc[scopes["role"] == "test", ["fold", "sample"]].to_numpy().tolist()
        for seed in (1, 2)
        for _, scopes in split(cohort, seed=seed).query("inner == 'outer'").groupby("repeat")
    ]
    assert all(outer[a] != outer[b] for a in range(4) for b in range(a))


@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_with_a_sample_per_patient_classes_and_sizes_differ_by_one_and_layers_by_two(data):
    samples, outcome = data.draw(cohorts("classification", most_samples=1))
    layers = samples.set_index("sample")["layers"]
    splits = split((samples, outcome))
    tested = splits[splits["role"] == "test"].assign(
        truth=lambda table: table["sample"].map(outcome.table["truth"]),
        parent=lambda table: table["fold"].where(~table["inner"].isin([OUTER, FINAL]), 0),
    )
    for _, scopes in tested.groupby(["repeat", "parent"]):
        counts = pd.crosstab([scopes["fold"], scopes["inner"]], scopes["truth"])
        assert (counts.max() - counts.min() <= 1).all()
        assert np.ptp(counts.sum(axis=1)) <= 1
        cells = [scopes["truth"], scopes["sample"].map(layers)]
        in_cells = pd.crosstab([scopes["fold"], scopes["inner"]], cells)
        assert (in_cells.max() - in_cells.min() <= 2).all()


@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_with_a_sample_per_patient_events_differ_by_two_at_most_between_folds(data):
    samples, outcome = data.draw(cohorts("survival", most_samples=1))
    outer = split((samples, outcome)).query("inner == 'outer' and role == 'test'")
    events = outer["sample"].map(outcome.table["event"])
    for _, per_fold in events.groupby([outer["repeat"], outer["fold"]]).sum().groupby("repeat"):
        assert np.ptp(per_fold) <= 2


@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_patients_with_several_samples_leave_folds_even_within_a_patient(data):
    splits = split(data.draw(cohorts("classification", most_samples=3)))
    outer = splits.query("inner == 'outer' and role == 'test'")
    for _, sizes in outer.groupby(["repeat", "fold"]).size().groupby("repeat"):
        assert np.ptp(sizes) <= 2 * 3


@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_stop_samples_are_a_sixth_and_of_every_class_that_can_spare_one(data):
    samples, outcome = data.draw(cohorts("classification", most_samples=1))
    splits = split((samples, outcome))
    fitted = splits[splits["role"].isin(["train", "stop"])]
    truth = fitted["sample"].map(outcome.table["truth"])
    for _, scope in fitted.groupby(["repeat", "fold", "inner"]):
        counts = pd.crosstab(truth[scope.index], scope["role"], dropna=False)
        total = counts.sum(axis=1)
        assert (counts["train"] >= 1).all()
        assert (counts.loc[total >= 3, "stop"] >= 1).all()
        assert (counts.loc[total < 3, "stop"] == 0).all()
        assert abs(counts["stop"].sum() - total.sum() / 6) <= len(counts)


@pytest.mark.parametrize(("folds_per_task", "n_groups"), [(0, 1), (1, 7), (4, 3), (100, 2)])
@settings(max_examples=2, deadline=None)
@given(data=st.data())
def test_groups_hold_every_scope_once_and_a_parent_with_its_inner_folds(
    folds_per_task, n_groups, data
):
    splits = split(data.draw(cohorts("regression")), folds_per_task=folds_per_task)
    assert (splits.groupby(["repeat", "fold"])["group"].nunique() == 1).all()
    groups = list_groups(splits)
    assert len(groups) == n_groups
    n_scopes = len(splits[["repeat", "fold", "inner"]].drop_duplicates())
    assert groups["n_scopes"].sum() == n_scopes == 7 * 4
    assert groups["n_outer"].sum() == 6
    assert folds_per_task == 0 or groups["n_outer"].max() <= folds_per_task
    assert folds_per_task == 0 or groups.iloc[-1].tolist() == ["final", 4, 0]
