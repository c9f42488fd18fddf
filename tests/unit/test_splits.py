import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omicsfusion.folds import assign_folds, choose_stop, units_of
from omicsfusion.scopes import FINAL, OUTER
from omicsfusion.splits import SplitError, choose_horizons, make_splits
from omicsfusion.tables.outcome import Outcome
from omicsfusion.tables.tsv import read_tsv, write_tsv

SCRIPT = Path(__file__).resolve().parents[2] / "bin" / "split.py"


def samples_table(n=30, **columns):
    ids = [f"s{number:03d}" for number in range(n)]
    table = {"sample": ids, "patient": ids, "group": ids, "role": "train", "split": None}
    return pd.DataFrame({**table, **columns})


def classes(samples, names):
    table = pd.DataFrame({"truth": names}, index=pd.Index(samples["sample"]))
    return Outcome("classification", table, tuple(sorted(set(names))))


def survival(samples, event):
    time = np.arange(1.0, len(samples) + 1)
    table = pd.DataFrame({"time": time, "event": event}, index=pd.Index(samples["sample"]))
    return Outcome("survival", table)


def split(samples, outcome, how="kfold", folds=3, repeats=1, inner_folds=2, folds_per_task=0):
    return make_splits(samples, outcome, how, folds, repeats, inner_folds, folds_per_task, seed=1)


def held_out(splits):
    """Samples of each outer test fold."""
    outer = splits[(splits["inner"] == OUTER) & (splits["role"] == "test")]
    return outer.groupby("fold")["sample"].agg(list).to_dict()


def test_a_class_of_21_spreads_four_or_five_to_each_of_five_folds():
    stratum = pd.Series(["rare"] * 21 + ["common"] * 379, index=[f"s{i}" for i in range(400)])
    unit = pd.Series(stratum.index, index=stratum.index)
    fold = assign_folds(unit, stratum, 5, 1, "any")
    counts = pd.crosstab(fold, stratum)
    assert sorted(counts["rare"]) == [4, 4, 4, 4, 5]
    assert counts.sum(axis=1).tolist() == [80] * 5


def test_a_patient_with_samples_of_two_classes_stays_whole():
    stratum = pd.Series(["a", "b"] * 30, index=[f"s{i}" for i in range(60)])
    unit = pd.Series(np.repeat([f"p{i}" for i in range(30)], 2), index=stratum.index)
    fold = assign_folds(unit, stratum, 3, 1, "any")
    assert (fold.groupby(unit).nunique() == 1).all()
    assert (pd.crosstab(fold, stratum) == 10).all(axis=None)


def test_groups_that_cut_through_a_patient_are_joined():
    samples = pd.DataFrame(
        {
            "sample": ["s1", "s2", "s3", "s4"],
            "patient": ["p2", "p2", "p1", "p3"],
            "group": ["site A", "site B", "site B", None],
        }
    )
    assert units_of(samples).to_dict() == {"s1": "p1", "s2": "p1", "s3": "p1", "s4": "p3"}


def test_a_class_with_two_training_samples_gives_none_to_stop():
    stratum = pd.Series(["rare"] * 2 + ["common"] * 58, index=[f"s{i}" for i in range(60)])
    unit = pd.Series(stratum.index, index=stratum.index)
    stop = choose_stop(unit, stratum, 1, "any")
    assert stratum[stop].value_counts().to_dict() == {"common": 10}


def test_a_unit_too_large_for_the_share_serves_when_no_other_can():
    unit = pd.Series(np.repeat(["p1", "p2", "p3"], 4), index=[f"s{i}" for i in range(12)])
    stop = choose_stop(unit, pd.Series("a", index=unit.index), 1, "any")
    assert stop.sum() == 4


def test_a_single_unit_is_kept_for_training():
    unit = pd.Series("p1", index=[f"s{i}" for i in range(12)])
    assert not choose_stop(unit, pd.Series("a", index=unit.index), 1, "any").any()


def test_a_train_test_column_makes_one_fold_and_final_holds_all():
    samples = samples_table(split=["train", "test", "train"] * 10)
    splits = split(samples, classes(samples, ["a", "b"] * 15), "column:part", folds=9, repeats=9)
    assert held_out(splits) == {1: samples.loc[samples["split"] == "test", "sample"].tolist()}
    final = splits[splits["inner"] == FINAL]
    assert sorted(final["sample"]) == samples["sample"].tolist()
    assert set(final["role"]) == {"train", "stop"}


@pytest.mark.parametrize("how", ["column:site", "leave_out:site"])
def test_a_column_of_names_holds_each_value_out_once_in_sorted_order(how):
    samples = samples_table(split=["rome", "bonn", "oslo"] * 10)
    found = held_out(split(samples, classes(samples, ["a", "b"] * 15), how))
    assert list(found) == [1, 2, 3]
    assert [found[fold][0] for fold in found] == ["s001", "s002", "s000"]


def test_leave_out_treats_train_and_test_as_names():
    samples = samples_table(split=["train", "test"] * 15)
    assert len(held_out(split(samples, classes(samples, ["a", "a", "b"] * 10), "leave_out:x"))) == 2


def test_real_outcomes_are_permutation_0_and_tables_are_sorted():
    samples = samples_table()
    splits = split(samples, classes(samples, ["a", "b"] * 15))
    assert (splits["permutation"] == 0).all()
    keys = splits[["repeat", "fold", "inner"]].drop_duplicates().astype(str).agg("-".join, axis=1)
    assert keys.tolist()[:6] == ["0-0-final", "0-0-0", "0-0-1", "1-1-outer", "1-1-0", "1-1-1"]
    for _, scope in splits.groupby(["repeat", "fold", "inner"]):
        assert scope["sample"].is_monotonic_increasing


def test_an_external_sample_may_lack_the_outcome():
    samples = samples_table(role=["train"] * 29 + ["external"])
    outcome = survival(samples, [0, 1, 1] * 9 + [1, 1, np.nan])
    splits = split(samples, outcome)
    assert splits.loc[splits["sample"] == "s029", "role"].unique().tolist() == ["external"]


def test_a_class_of_three_patients_is_in_every_training_set():
    samples = samples_table()
    splits = split(samples, classes(samples, ["rare"] * 3 + ["a", "b", "a"] * 9), inner_folds=3)
    rare = splits[splits["sample"].isin(["s000", "s001", "s002"]) & (splits["role"] == "train")]
    assert len(rare.groupby(["repeat", "fold", "inner"])) == 4 * 4


def few_patients():
    samples = samples_table(8)
    return samples, classes(samples, ["a", "b"] * 4), {"folds": 9}, "8 patients .* Lower --folds"


def few_inner_patients():
    samples = samples_table(9)
    named = classes(samples, ["a", "b", "a"] * 3)
    return samples, named, {"inner_folds": 8}, "6 patients .* Lower --inner_folds"


def class_of_two():
    samples = samples_table()
    return samples, classes(samples, ["rare"] * 2 + ["a", "b"] * 14), {}, r"'rare' \(2 in all\)"


def one_event():
    samples = samples_table()
    return samples, survival(samples, [1] + [0] * 29), {}, "1 events in all"


def few_events():
    samples = samples_table(60)
    outcome = survival(samples, [1] * 6 + [0] * 54)
    return samples, outcome, {"folds": 10}, r"4 of 10 test folds .* samples have 6\)"


def torn_patient():
    patient = [f"p{number // 2}" for number in range(30)]
    samples = samples_table(patient=patient, group=patient, split=["train", "test"] * 15)
    return samples, classes(samples, ["a", "b"] * 15), {"how": "column:part"}, "for 15 of them"


def empty_cell():
    samples = samples_table(split=["train", "test"] * 14 + ["train", None])
    return samples, classes(samples, ["a", "b"] * 15), {"how": "column:part"}, "empty for 1 .* s029"


def one_value():
    samples = samples_table(split="train")
    return samples, classes(samples, ["a", "b"] * 15), {"how": "column:part"}, "one value only"


def unknown_way():
    samples = samples_table()
    return (
        samples,
        classes(samples, ["a", "b"] * 15),
        {"how": "kfolds"},
        "--split kfolds is unknown",
    )


@pytest.mark.parametrize(
    "case",
    [
        few_patients,
        few_inner_patients,
        class_of_two,
        one_event,
        few_events,
        torn_patient,
        empty_cell,
        one_value,
        unknown_way,
    ],
)
def test_what_cannot_be_split_is_refused_in_a_sentence(case):
    samples, outcome, options, message = case()
    with pytest.raises(SplitError, match=message):
        split(samples, outcome, **options)


def test_a_site_without_events_is_no_obstacle_to_leaving_sites_out():
    samples = samples_table(split=["a"] * 10 + ["b"] * 10 + ["c"] * 10)
    splits = split(samples, survival(samples, [0] * 10 + [0, 1] * 10), "leave_out:site")
    assert len(held_out(splits)) == 3


def horizon_samples():
    times = [5.0, 1.0, 2.0, 3.0, 4.0, 100.0, 7.0]
    event = [1, 1, 1, 1, 1, 1, 0]
    return pd.DataFrame(
        {"time": times, "event": event, "role": ["train"] * 5 + ["external", "train"]}
    )


def test_horizons_are_the_quartiles_of_training_event_times():
    assert choose_horizons(horizon_samples())["time"].tolist() == [2.0, 3.0, 4.0]


def test_wanted_horizons_are_sorted_and_unique():
    assert choose_horizons(horizon_samples(), (5, 2, 5))["time"].tolist() == [2.0, 5.0]


def test_tied_event_times_make_fewer_horizons():
    samples = horizon_samples().assign(time=[3, 3, 3, 3, 9, 9, 9])
    assert choose_horizons(samples)["time"].tolist() == [3.0]


@pytest.mark.parametrize("wanted", [0, -1, 7, 50])
def test_a_horizon_outside_the_follow_up_is_refused(wanted):
    with pytest.raises(SplitError, match=f"The horizons {wanted} lie outside .* ends at 7"):
        choose_horizons(horizon_samples(), (2, wanted))


def run_script(folder, *options):
    settings = [
        "--folds",
        "3",
        "--repeats",
        "1",
        "--inner_folds",
        "2",
        "--folds_per_task",
        "1",
        "--seed",
        "1",
    ]
    return subprocess.run(
        [sys.executable, SCRIPT, "--samples", "samples.tsv", *settings, *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_script_writes_its_three_tables(tmp_path):
    samples = samples_table().assign(time=np.arange(1, 31), event=[0, 1, 1] * 10)
    write_tsv(samples.assign(cohort="main", batch="", layers="rna"), tmp_path / "samples.tsv")
    done = run_script(tmp_path, "--task", "survival", "--split", "kfold", "--horizons", "5,9.5")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "horizons.tsv").read_text() == "time\n5.0\n9.5\n"
    groups = read_tsv(tmp_path / "groups.tsv")
    assert groups["group"].tolist() == ["g001", "g002", "g003", "final"]
    assert read_tsv(tmp_path / "splits.tsv").columns.tolist() == [
        "permutation",
        "repeat",
        "fold",
        "inner",
        "group",
        "sample",
        "patient",
        "role",
    ]


def test_the_script_ends_with_a_sentence_when_it_cannot_split(tmp_path):
    samples = samples_table(2).assign(truth=["a", "b"], cohort="main", batch="", layers="rna")
    write_tsv(samples, tmp_path / "samples.tsv")
    done = run_script(tmp_path, "--task", "classification", "--split", "kfold")
    assert done.returncode == 1
    assert done.stderr.startswith("A training set has 2 patients")
    assert "Traceback" not in done.stderr
