import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omicsfusion.folds import assign_folds, choose_stop, units_of
from omicsfusion.scopes import FINAL, OUTER
from omicsfusion.splits import SplitError, choose_horizons, make_splits
from omicsfusion.tables.checking import check
from omicsfusion.tables.dates import moment_in
from omicsfusion.tables.duplicate_pairs import COLUMNS, links_of
from omicsfusion.tables.findings import Request
from omicsfusion.tables.outcome import Outcome
from omicsfusion.tables.tsv import read_tsv, write_tsv
from tests.malformed.cases import DEFAULTS
from tests.malformed.cohort import Cohort

SCRIPT = Path(__file__).resolve().parents[2] / "bin" / "split.py"


def samples_table(n=30, **columns):
    ids = [f"s{number:03d}" for number in range(n)]
    table = {
        "sample": ids,
        "patient": ids,
        "group": ids,
        "role": "train",
        "split": None,
        "layers": "rna",
    }
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
    fold = assign_folds(unit, stratum, stratum, 5, 1, "any")
    counts = pd.crosstab(fold, stratum)
    assert sorted(counts["rare"]) == [4, 4, 4, 4, 5]
    assert counts.sum(axis=1).tolist() == [80] * 5


def test_a_patient_with_samples_of_two_classes_stays_whole():
    stratum = pd.Series(["a", "b"] * 30, index=[f"s{i}" for i in range(60)])
    unit = pd.Series(np.repeat([f"p{i}" for i in range(30)], 2), index=stratum.index)
    fold = assign_folds(unit, stratum, stratum, 3, 1, "any")
    assert (fold.groupby(unit).nunique() == 1).all()
    assert (pd.crosstab(fold, stratum) == 10).all(axis=None)


def test_layers_are_spread_within_each_class_and_rare_combinations_need_no_rule():
    layers = ["methylation;rna"] * 70 + ["rna"] * 27 + ["methylation"] * 3
    samples = samples_table(100, layers=layers)
    names = [["a", "b", "b"][number % 3] for number in range(100)]
    tests = held_out(split(samples, classes(samples, names), folds=5))
    fold_of = {sample: fold for fold, held in tests.items() for sample in held}
    fold = samples["sample"].map(fold_of)
    by_class = pd.crosstab(fold, pd.Series(names))
    by_cell = pd.crosstab(fold, [pd.Series(names), samples["layers"]])
    assert (np.ptp(by_class, axis=0) <= 1).all()
    assert by_class.sum(axis=1).tolist() == [20] * 5
    assert (np.ptp(by_cell, axis=0) <= 2).all()
    # By the classes alone, these folds had from 1 to 8 of them.
    assert pd.crosstab(fold, samples["layers"])["rna"].between(4, 7).all()


def test_groups_that_cut_through_a_patient_are_joined():
    samples = pd.DataFrame(
        {
            "sample": ["s1", "s2", "s3", "s4"],
            "patient": ["p2", "p2", "p1", "p3"],
            "group": ["site A", "site B", "site B", None],
        }
    )
    assert units_of(samples).to_dict() == {"s1": "p1", "s2": "p1", "s3": "p1", "s4": "p3"}


def test_near_duplicates_join_the_units_of_their_patients():
    samples = samples_table(4)
    plain = units_of(samples)
    linked = units_of(samples, [("s003", "s001"), ("s002", "an external sample")])
    assert plain.tolist() == samples["sample"].tolist()
    assert linked.to_dict() == {"s000": "s000", "s001": "s001", "s002": "s002", "s003": "s001"}


def test_duplicates_are_dealt_into_one_fold_and_change_no_name_where_there_are_none():
    samples = samples_table()
    outcome = classes(samples, ["a", "b"] * 15)
    links = [("s000", "s003"), ("s003", "s016")]
    splits = make_splits(samples, outcome, "kfold", 3, 2, 2, 0, 1, links=links)
    trio = splits[splits["sample"].isin(["s000", "s003", "s016"])]
    assert (trio.groupby(["repeat", "fold", "inner"])["role"].nunique() == 1).all()
    none = make_splits(samples, outcome, "kfold", 3, 2, 2, 0, 1, links=[])
    pd.testing.assert_frame_equal(none, make_splits(samples, outcome, "kfold", 3, 2, 2, 0, 1))
    torn = none[none["sample"].isin(["s000", "s003", "s016"])]
    assert (torn.groupby(["repeat", "fold", "inner"])["role"].nunique() > 1).any()


@pytest.mark.parametrize("how", ["column:part", "leave_out:part"])
def test_a_column_that_parts_duplicates_is_refused_with_their_names(how):
    samples = samples_table(split=["train", "test"] * 15)
    outcome = classes(samples, ["a", "b", "b"] * 10)
    with pytest.raises(
        SplitError, match=r"s004 \(train\) and s007 \(test\) .* leave one of them out"
    ):
        make_splits(
            samples, outcome, how, 3, 1, 2, 0, 1, links=[("s000", "s002"), ("s004", "s007")]
        )


def temporal(dates, folds=3, n=30, links=(), **columns):
    samples = samples_table(n, split=dates, **columns)
    outcome = classes(samples, ["a", "b", "a"] * (n // 3))
    splits = make_splits(samples, outcome, "temporal:taken", folds, 5, 2, 0, 1, links=links)
    return held_out(splits), splits


def test_the_newest_share_is_the_one_test_set():
    dates = [f"2019-{1 + day // 28:02d}-{1 + day % 28:02d}" for day in range(30)]
    found, splits = temporal(dates)
    assert found == {1: [f"s{number:03d}" for number in range(20, 30)]}
    scopes = splits[["repeat", "fold", "inner"]].drop_duplicates().astype(str).agg("-".join, axis=1)
    assert scopes.tolist() == ["0-0-final", "0-0-0", "0-0-1", "1-1-outer", "1-1-0", "1-1-1"]


def test_years_and_other_numbers_are_ordered_as_numbers_not_as_text():
    found, _ = temporal([str(9 + number) for number in range(30)])
    assert found == {1: [f"s{number:03d}" for number in range(20, 30)]}


def test_samples_of_the_date_of_the_cut_stay_together():
    found, _ = temporal(["2001"] * 14 + ["2002"] * 12 + ["2003"] * 4)
    assert len(found[1]) == 4  # 4 is nearer to a third of 30 than 16
    found, _ = temporal(["2001"] * 16 + ["2002"] * 12 + ["2003"] * 2)
    assert len(found[1]) == 14
    found, _ = temporal(["2001"] * 15 + ["2002"] * 10 + ["2003"] * 5)
    assert len(found[1]) == 5  # 5 and 15 are as near: the later cut


def test_a_patient_on_both_sides_of_the_cut_is_tested_whole():
    patient = [f"s{number:03d}" for number in range(30)]
    patient[0] = "s029"
    found, _ = temporal(
        [str(2000 + number) for number in range(30)], patient=patient, group=patient, folds=5
    )
    assert found[1] == ["s000", *(f"s{number:03d}" for number in range(24, 30))]


def test_a_duplicate_on_both_sides_of_the_cut_is_tested_whole():
    years = [str(2000 + number) for number in range(30)]
    found, _ = temporal(years, folds=5, links=[("s001", "s027")])
    assert "s001" in found[1]


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


def same_date():
    samples = samples_table(split="2019-03-01")
    outcome = classes(samples, ["a", "b"] * 15)
    return samples, outcome, {"how": "temporal:taken"}, "same newest date in the column 'taken'"


def no_date():
    samples = samples_table(split=["2019-03-01", "2019-03-02"] * 14 + ["2020-01-01", None])
    outcome = classes(samples, ["a", "b"] * 15)
    return samples, outcome, {"how": "temporal:taken"}, "'taken' .* empty for 1 .* s029"


def strange_date():
    samples = samples_table(split=["2019-03-01", "2019-03-02"] * 14 + ["2020-01-01", "1/4/2019"])
    outcome = classes(samples, ["a", "b"] * 15)
    return samples, outcome, {"how": "temporal:taken"}, "'1/4/2019' is neither a date"


def dates_beside_numbers():
    samples = samples_table(split=["2019-03-01", "2019"] * 15)
    outcome = classes(samples, ["a", "b"] * 15)
    return samples, outcome, {"how": "temporal:taken"}, "stand beside numbers"


def no_column_of_dates():
    samples = samples_table()
    return samples, classes(samples, ["a", "b"] * 15), {"how": "temporal:"}, "is unknown"


@pytest.mark.parametrize(
    "case",
    [
        same_date,
        no_date,
        strange_date,
        dates_beside_numbers,
        no_column_of_dates,
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


def test_the_script_keeps_duplicates_of_any_layer_in_one_part(tmp_path):
    samples = samples_table().assign(truth=["a", "b"] * 15, cohort="main", batch="", layers="rna")
    write_tsv(samples, tmp_path / "samples.tsv")
    pair = dict.fromkeys(COLUMNS, "x") | {"correlation": 1.0, "centred_correlation": 1.0}
    none = pd.DataFrame(columns=COLUMNS)
    write_tsv(none, tmp_path / "mirna.duplicates.tsv")
    pairs = [{**pair, "sample": "s000", "other": f"s{number:03d}"} for number in range(3, 9)]
    write_tsv(pd.DataFrame(pairs, columns=COLUMNS), tmp_path / "rna.duplicates.tsv")
    options = ["--task", "classification", "--split", "kfold", "--duplicates"]
    done = run_script(tmp_path, *options, "mirna.duplicates.tsv", "rna.duplicates.tsv")
    assert done.returncode == 0, done.stderr
    outer = read_tsv(tmp_path / "splits.tsv").query("inner == 'outer' and role == 'test'")
    together = ["s000", *(pair["other"] for pair in pairs)]
    assert outer.loc[outer["sample"].isin(together), "fold"].nunique() == 1


def test_a_pair_that_two_layers_show_is_one_link():
    pairs = pd.DataFrame({"sample": ["b", "a", "c"], "other": ["a", "b", "d"]})
    assert links_of(pairs) == [("a", "b"), ("c", "d")]


def test_the_script_ends_with_a_sentence_when_it_cannot_split(tmp_path):
    samples = samples_table(2).assign(truth=["a", "b"], cohort="main", batch="", layers="rna")
    write_tsv(samples, tmp_path / "samples.tsv")
    done = run_script(tmp_path, "--task", "classification", "--split", "kfold")
    assert done.returncode == 1
    assert done.stderr.startswith("A training set has 2 patients")
    assert "Traceback" not in done.stderr


def checked_dates(folder, dates, **options):
    """What CHECK_INPUT says of the small sound cohort with these dates of sampling."""
    cohort = Cohort()
    cohort.samples[0].append("taken")
    for row, date in zip(cohort.samples[1:], dates, strict=True):
        row.append(date)
    sheet, samples = cohort.write(folder)
    request = {**DEFAULTS, "folds": 3, "split": "temporal:taken", **options}
    return check(Request(sheet=sheet, samples=samples, **request))


DATES = [f"2019-03-{day:02d}" for day in range(1, 13)]


def test_dates_are_handed_on_and_make_one_outer_fold(tmp_path):
    result = checked_dates(tmp_path, DATES)
    assert result.problems.found == []
    assert result.samples["split"].tolist() == DATES
    assert result.plan.design.n_outer == 1


def changed(at, cell):
    return [*DATES[:at], cell, *DATES[at + 1 :]]


@pytest.mark.parametrize(
    ("dates", "words"),
    [
        (changed(4, ""), ["samples.tsv, row 6, column 'taken'", "1 samples have no value", "S05"]),
        (changed(4, "1.4.2019"), ["row 6, column 'taken'", "are no dates: '1.4.2019'"]),
        (changed(4, "2019-02-30"), ["row 6, column 'taken'", "are no dates: '2019-02-30'"]),
        (changed(4, "2019"), ["column 'taken'", "stand beside plain numbers"]),
        (["2019"] * 12, ["column 'taken'", "same newest date (2019)"]),
    ],
)
def test_dates_that_cannot_order_the_samples_are_reported_where_they_stand(tmp_path, dates, words):
    (error,) = checked_dates(tmp_path, dates).problems.errors
    assert all(word in str(error) for word in words), str(error)


def test_an_unknown_way_of_splitting_is_answered_with_the_known_ones(tmp_path):
    (error,) = checked_dates(tmp_path, DATES, split="temporal:").problems.errors
    assert "temporal:NAME" in str(error)
    assert "--split temporal: is not known" in str(error)


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("0001-01-01", ("date", 0.0)),
        ("2000-03-01", ("date", 730179.0)),  # day 1 is date.toordinal() 1: 730180 - 1
        (" 2000-03-01 06:00 ", ("date", 730179.25)),
        ("2000-03-01T12:00:00", ("date", 730179.5)),
        ("2019", ("number", 2019.0)),
        ("-1.5e2", ("number", -150.0)),
        ("2019-13-01", None),
        ("2019-3-1", None),
        ("01/03/2019", None),
        ("1e999", None),
        ("inf", None),
        ("", None),
    ],
)
def test_a_moment_is_an_iso_date_or_a_number(cell, moment):
    assert moment_in(cell) == moment
