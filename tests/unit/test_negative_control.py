"""The negative control: who takes over whose outcome, and how the control is split."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omicsfusion.negative_control import (
    control_splits,
    draw_donors,
    move_rows,
    permute_outcomes,
)
from omicsfusion.scopes import OUTER, permutation_in
from omicsfusion.tables.layer import LayerHeader, new_layer, read_header, read_rows
from omicsfusion.tables.tsv import read_tsv, write_tsv
from tests.unit.test_splits import classes, samples_table

SCRIPT = Path(__file__).resolve().parents[2] / "bin" / "permute.py"


def cohort(n=40, **columns):
    """A clean samples.tsv, one sample a patient, in classes a and b by turns."""
    table = samples_table(n).assign(cohort="main", batch="", truth=["a", "b"] * (n // 2))
    return table.assign(**columns)


def permuted(samples, task="classification", split="kfold", number=1, links=()):
    """Permute and return by sample."""
    donors = draw_donors(samples, task, split, 1, number, links)
    return permute_outcomes(samples, task, donors).set_index("sample")


def test_time_and_event_of_all_targets_go_to_another_patient_together():
    numbers = np.arange(30.0)
    samples = samples_table(30).assign(cohort="main", batch="", time=numbers, event=numbers % 2)
    samples = samples.assign(**{"time:later": numbers + 100, "event:later": np.nan})
    found = permuted(samples, "survival")
    assert sorted(found["time"]) == numbers.tolist()
    assert (found["time"].to_numpy() != numbers).sum() > 20
    assert (found["event"] == found["time"] % 2).all()
    assert (found["time:later"] == found["time"] + 100).all()
    assert found.columns.tolist() == samples.columns.tolist()[1:]


def test_the_samples_of_a_patient_take_over_one_outcome_however_many_they_are():
    patient = [f"p{min(number, 60 - number)}" for number in range(60)]  # one or two samples each
    samples = cohort(60, patient=patient, group=patient, truth=[f"of {name}" for name in patient])
    found = permuted(samples)
    assert (found.groupby("patient")["truth"].nunique() == 1).all()
    assert sorted(found.groupby("patient")["truth"].first()) == sorted(set(samples["truth"]))
    assert (found["truth"] != "of " + found["patient"]).mean() > 0.8


def test_where_samples_of_a_patient_differ_their_outcomes_change_places_within_the_patient():
    patient = np.repeat([f"p{number:02d}" for number in range(20)], 2)
    pairs = cohort(40, patient=patient, group=patient, truth=["tumour", "normal"] * 20)
    found = permuted(pairs)
    assert (found.groupby("patient")["truth"].nunique() == 2).all()
    turned = (found["truth"].to_numpy() != pairs["truth"]).groupby(patient).any()
    assert 4 <= turned.sum() <= 16  # 20 fair coins: outside once in 80


def test_where_patients_of_a_group_differ_their_outcomes_change_places_within_the_group():
    site = np.repeat(["north", "south"], 20)
    truth = ["a"] * 15 + ["b"] * 5 + ["a"] * 5 + ["b"] * 15
    found = permuted(cohort(40, group=site, truth=truth))
    assert pd.crosstab(found["group"], found["truth"])["a"].to_dict() == {"north": 15, "south": 5}
    assert (found["truth"].to_numpy() != truth).any()


def test_outcomes_change_places_within_cohorts_batches_and_sites_that_are_left_out():
    site = np.repeat(["north", "south"], 20)
    truth = ["a"] * 15 + ["b"] * 5 + ["a"] * 5 + ["b"] * 15
    in_cohorts = permuted(cohort(40, cohort=site, truth=truth))
    in_batches = permuted(cohort(40, batch=site, truth=truth))
    left_out = permuted(cohort(40, split=site, truth=truth), split="leave_out:site")
    folds = permuted(cohort(40, split=site, truth=truth), split="column:part")
    for found in (in_cohorts, in_batches, left_out):
        assert pd.crosstab(site, found["truth"])["a"].tolist() == [15, 5]
        assert (found["truth"].to_numpy() != truth).any()
    assert pd.crosstab(site, folds["truth"])["a"].tolist() != [15, 5]


def test_duplicates_take_over_one_outcome():
    samples = cohort(40, truth=[f"class {number // 2}" for number in range(40)])
    links = [(f"s{2 * number:03d}", f"s{2 * number + 1:03d}") for number in range(20)]
    found = permuted(samples, links=links)
    assert (found["truth"].to_numpy().reshape(20, 2)[:, 0] == found["truth"][1::2]).all()


def test_the_samples_of_a_patient_take_over_from_those_of_one_other_patient_each_its_own():
    patient = [
        f"p{min(number, 60 - number):02d}" for number in range(60)
    ]  # one or two samples each
    samples = cohort(60, patient=patient, group=patient, truth=[f"of {name}" for name in patient])
    donors = draw_donors(samples, "classification", "kfold", 1, 1)
    owner = samples.set_index("sample")["patient"]
    found = pd.DataFrame({"patient": owner[donors.index], "donor": donors})
    found["of"] = owner[found["donor"]].to_numpy()
    n_samples = owner.value_counts()
    by_patient = found.groupby("patient")
    assert (by_patient["of"].nunique() == 1).all()
    used = by_patient["donor"].nunique()
    assert (
        used == np.minimum(n_samples[used.index], n_samples[by_patient["of"].first()].to_numpy())
    ).all()


@pytest.mark.parametrize("truth", ["of patients", "of samples", "of groups"])
def test_a_sample_takes_over_from_one_of_its_own_cohort(truth):
    patient = np.repeat([f"p{number:02d}" for number in range(20)], 4)
    outcomes = {
        "of patients": np.repeat(list("abcde"), 16),
        "of samples": ["a", "b", "c", "d"] * 20,
        "of groups": np.repeat(["a", "b"] * 10, 4),
    }
    groups = {"of groups": np.repeat(["north", "south"], 40)}
    # Half of the patients have samples in both cohorts, in turns of who comes first.
    both = [*["main", "more", "main", "more"] * 5, *["more", "more", "main", "main"] * 5]
    samples = cohort(
        80,
        patient=patient,
        group=groups.get(truth, patient),
        cohort=[*both, *["main"] * 20, *["more"] * 20],
        truth=outcomes[truth],
    )
    donors = draw_donors(samples, "classification", "kfold", 1, 1)
    of = samples.set_index("sample")["cohort"]
    assert (of[donors].to_numpy() == of[donors.index]).all()
    assert (donors != donors.index).mean() > 0.4


def test_the_covariates_of_a_control_go_with_the_outcome(tmp_path):
    """What of the layers is moved is the clinical one: outcome and covariates stay together."""
    samples = cohort(40, role=["train"] * 36 + ["external"] * 4)
    number = pd.Series(np.arange(40.0), index=samples["sample"])
    held = tuple(samples["sample"][2:])  # two samples lack the layer
    header = LayerHeader("clinical", "clinical", "main", held, ("age",), ("numeric",))
    with new_layer(tmp_path / "before.h5ad", header) as x:
        x[...] = number[list(held)].to_numpy()[:, None]
    donors = draw_donors(samples, "classification", "kfold", 1, 1)
    move_rows(tmp_path / "before.h5ad", tmp_path / "after.h5ad", donors)
    after = read_header(tmp_path / "after.h5ad")
    lacking = set(donors.index[donors.isin(samples["sample"][:2])])
    assert set(after.samples) == set(samples["sample"]) - lacking
    assert after.samples == tuple(sorted(after.samples))
    values = read_rows(tmp_path / "after.h5ad", range(len(after.samples)))[:, 0]
    expected = number[[donors.get(sample, sample) for sample in after.samples]]
    assert values.tolist() == expected.tolist()


def test_external_samples_keep_their_outcome_and_are_not_in_the_splits_of_a_control():
    samples = cohort(40, role=["train"] * 36 + ["external"] * 4)
    donors = draw_donors(samples, "classification", "kfold", 1, 7)
    assert list(donors.index) == samples["sample"][:36].tolist()
    table = permute_outcomes(samples, "classification", donors)
    assert table["truth"][36:].tolist() == samples["truth"][36:].tolist()
    outcome = classes(table, list(table["truth"]))
    splits, groups = control_splits(table, outcome, "kfold", 3, 2, 0, 1, 7)
    assert set(splits["role"]) == {"train", "stop", "test"}
    assert permutation_in(splits) == 7
    assert groups.to_numpy().tolist() == [["p007", 9, 3]]
    tested = splits[(splits["inner"] == OUTER) & (splits["role"] == "test")]
    assert sorted(tested["sample"]) == samples["sample"][:36].tolist()
    assert (splits["repeat"] == 1).all()
    apart, groups = control_splits(table, outcome, "kfold", 3, 2, 2, 1, 7)
    assert groups["group"].tolist() == ["p007g001", "p007g002"]
    pd.testing.assert_frame_equal(apart.drop(columns="group"), splits.drop(columns="group"))


def run_script(folder, samples, *more):
    write_tsv(samples, folder / "samples.tsv")
    settings = ["--task", "classification", "--folds", "3", "--inner_folds", "2", "--seed", "1"]
    command = [sys.executable, SCRIPT, "--samples", "samples.tsv", "--number", "2", *settings]
    command += ["--folds_per_task", "0", *more]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_script_writes_the_permuted_samples_their_splits_and_an_account(tmp_path):
    done = run_script(tmp_path, cohort(), "--split", "kfold")
    assert done.returncode == 0, done.stderr
    samples = read_tsv(tmp_path / "p002.samples.tsv")
    account = read_tsv(tmp_path / "p002.permutation.tsv").iloc[0]
    kept = int((samples["truth"] == cohort()["truth"]).sum())
    assert account[["permutation", "n_samples", "n_kept"]].tolist() == [2, 40, kept]
    assert 8 <= kept <= 32
    splits = read_tsv(tmp_path / "p002.splits.tsv")
    assert splits["permutation"].unique().tolist() == [2]
    assert read_tsv(tmp_path / "p002.groups.tsv")["group"].tolist() == ["p002"]


def test_a_control_that_cannot_be_split_is_left_out_with_the_reason(tmp_path):
    site = ["north"] * 36 + ["south"] * 4
    rare = cohort(truth=["a"] * 34 + ["b"] * 2 + ["a", "a", "b", "b"], split=site)
    done = run_script(tmp_path, rare, "--split", "column:part")
    assert done.returncode == 0, done.stderr
    account = read_tsv(tmp_path / "p002.permutation.tsv").iloc[0]
    assert "Too few samples of 'b' (4 in all)" in account["reason"]
    assert not len(read_tsv(tmp_path / "p002.splits.tsv"))
    assert not len(read_tsv(tmp_path / "p002.groups.tsv"))
