"""The training sets of the learning curve: nested shares of those of the run."""

import subprocess
import sys
from pathlib import Path

import pytest

from omicsfusion.learning_splits import make_learning_splits
from omicsfusion.scopes import OUTER
from omicsfusion.tables.tsv import read_tsv, write_tsv
from tests.unit.test_splits import classes, held_out, samples_table, split, survival

SCRIPT = Path(__file__).resolve().parents[2] / "bin" / "learning_splits.py"


def cut(samples, outcome, inner_folds=2, folds_per_task=0, **how):
    splits = split(samples, outcome, inner_folds=inner_folds, **how)
    made = make_learning_splits(samples, outcome, splits, inner_folds, folds_per_task, seed=1)
    return splits, made


def trained(splits, group):
    """Samples of each outer training set of a group."""
    here = (splits["group"] == group) & (splits["inner"] == OUTER) & (splits["role"] != "test")
    return splits[here].groupby("fold")["sample"].agg(set).to_dict()


def test_a_smaller_share_lies_in_a_larger_one_of_the_same_fold():
    samples = samples_table(60)
    whole, made = cut(samples, classes(samples, ["a", "b"] * 30), repeats=2)
    here = whole[whole["repeat"] == 1]
    quarter, half, three = (trained(made.splits, group) for group in ("n25", "n50", "n75"))
    full = trained(here, "all")
    for fold in (1, 2, 3):
        assert quarter[fold] < half[fold] < three[fold] < full[fold]
        assert [len(t[fold]) for t in (quarter, half, three, full)] == [10, 20, 30, 40]
    for group in ("n25", "n50", "n75"):
        assert held_out(made.splits[made.splits["group"] == group]) == held_out(here)
    assert made.shares["n_patients"].tolist() == [10, 20, 30, 40]
    assert set(made.splits["repeat"]) == {1}


def test_a_share_has_each_class_and_event_as_often_as_the_whole():
    samples = samples_table(60)
    whole, made = cut(samples, classes(samples, ["a", "b", "b"] * 20))
    full, rare = trained(whole, "all"), set(samples["sample"][::3])
    for group, share in (("n25", 0.25), ("n50", 0.5), ("n75", 0.75)):
        for fold, names in trained(made.splits, group).items():
            assert abs(len(names & rare) - share * len(full[fold] & rare)) <= 1
            assert abs(len(names - rare) - share * len(full[fold] - rare)) <= 1

    _, made = cut(samples, survival(samples, [1, 0, 0] * 20))
    assert made.shares["n_events"].round().tolist() == pytest.approx([3, 7, 10, 13], abs=1)


def test_shares_have_groups_of_their_own_with_folds_in_tasks_of_their_own():
    samples = samples_table(60)
    _, made = cut(samples, classes(samples, ["a", "b"] * 30), folds_per_task=2)
    quarter = made.groups[made.groups["share"] == 0.25]
    assert quarter[["group", "n_scopes", "n_outer"]].to_numpy().tolist() == [
        ["n25g001", 6, 2],
        ["n25g002", 3, 1],
    ]
    scopes = made.splits.groupby(["group", "repeat", "fold", "inner"]).size()
    assert len(scopes) == made.groups["n_scopes"].sum()


def test_a_share_that_lacks_a_class_is_left_out_with_its_numbers():
    samples = samples_table(60)
    truth = ["rare" if number % 10 == 0 else "common" for number in range(60)]
    _, made = cut(samples, classes(samples, truth))
    reason = made.shares.set_index("share")["reason"]
    assert "of 9 training sets, inner ones among them, " in reason[0.25]
    assert "would hold no sample of 'rare'" in reason[0.25]
    assert reason[1.0] == ""
    left = made.shares.loc[made.shares["reason"] == "", "share"]
    assert set(made.groups["share"]) == set(left) - {1.0}


def test_a_share_without_events_or_with_too_few_patients_is_left_out():
    samples = samples_table(40)
    _, made = cut(samples, survival(samples, [1] + [0, 0, 0, 0, 0, 0, 1, 1, 0, 0] * 3 + [0] * 9))
    assert "would hold no event" in made.shares["reason"].iloc[0]

    few = samples_table(12)
    _, made = cut(few, classes(few, ["a", "b"] * 6), inner_folds=3)
    assert made.shares["reason"].iloc[0] == (
        "a training set would hold 2 patients (or groups of patients), fewer than its 3 inner folds"
    )


def test_all_shares_left_out_leave_tables_with_headers(tmp_path):
    samples = samples_table(6)
    splits, made = cut(samples, classes(samples, ["a", "b"] * 3), inner_folds=2)
    assert len(made.groups) < 3
    assert list(made.groups) == ["share", "group", "n_scopes", "n_outer"]
    assert list(made.splits) == list(splits)


def test_the_script_writes_the_same_whatever_the_order_of_samples(tmp_path):
    samples = samples_table(40, layers="rna", cohort="main", batch=None)
    samples["time"], samples["event"] = range(1, 41), [1, 0] * 20
    outcome = survival(samples, samples["event"].tolist())
    write_tsv(split(samples, outcome), tmp_path / "splits.tsv")
    found = []
    for name, table in (("one", samples), ("two", samples.sample(frac=1, random_state=3))):
        folder = tmp_path / name
        folder.mkdir()
        write_tsv(table, folder / "samples.tsv")
        options = ("--task", "survival", "--inner_folds", "2", "--folds_per_task", "0")
        inputs = ("--samples", folder / "samples.tsv", "--splits", tmp_path / "splits.tsv")
        command = [sys.executable, SCRIPT, *inputs, *options, "--seed", "1"]
        subprocess.run(list(map(str, command)), cwd=folder, check=True)
        tables = ("learning_splits.tsv", "learning_groups.tsv", "learning_shares.tsv")
        found.append([(folder / table).read_bytes() for table in tables])
    assert found[0] == found[1]
    shares = read_tsv(tmp_path / "one" / "learning_shares.tsv", text_columns=("reason",))
    assert shares["share"].tolist() == [0.25, 0.5, 0.75, 1]
