"""Several targets outside of TRAIN: who is used, how folds are dealt, what is scored and shown."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omicsfusion.assess.predictions import gather_predictions
from omicsfusion.assess.summary import assess
from omicsfusion.preprocess.annotations import Annotations
from omicsfusion.preprocess.applying import fitted
from omicsfusion.preprocess.select.univariate import UnivariateSelector
from omicsfusion.report.page import render_report
from omicsfusion.report.results import read_results
from omicsfusion.splits import SplitError, make_splits
from omicsfusion.tables.checking import check
from omicsfusion.tables.findings import Request
from omicsfusion.tables.outcome import (
    UNKNOWN,
    Outcome,
    further_targets,
    read_outcome,
    read_outcomes,
    read_samples,
    with_outcome,
)
from omicsfusion.tables.plan_text import plan_text
from omicsfusion.tables.tsv import read_tsv, write_tsv
from tests.malformed.cases import DEFAULTS
from tests.malformed.cohort import SAMPLES, Cohort
from tests.predictions_table import predictions_table
from tests.results_folder import edit_table, write_results

CHECK_INPUT = Path(__file__).resolve().parents[2] / "bin" / "check_input.py"


def cohort_of_two() -> Cohort:
    """Three samples lack the first target, two the second, one of them both."""
    cohort = Cohort()
    cohort.set_sample("subtype", {"S01": "", "S05": "", "S06": ""})
    cohort.set_sample("site", {"S01": "NA", "S02": ""})
    return cohort


def checked(cohort: Cohort, folder: Path, **options: object):
    sheet, samples = cohort.write(folder)
    return check(Request(sheet=sheet, samples=samples, **{**DEFAULTS, **options}))


def test_samples_with_any_target_are_used_and_the_others_are_accounted_for(tmp_path):
    result = checked(cohort_of_two(), tmp_path, target="subtype,site")
    assert result.problems.errors == []
    assert list(result.samples["sample"]) == SAMPLES[1:]
    assert list(result.samples.columns[7:]) == ["truth", "truth:site", "layers"]
    samples = result.samples.set_index("sample")
    assert samples.index[samples["truth"].isna()].tolist() == ["S05", "S06"]
    assert samples.index[samples["truth:site"].isna()].tolist() == ["S02"]
    (reason,) = result.accounting.loc[result.accounting["status"] == "left_out", "reason"]
    assert reason == "subtype is missing; site is missing"
    assert "subtype, known of 9 samples. Outcome: A 4, B 5." in plan_text(result.plan)
    assert "site, known of 10 samples." in plan_text(result.plan)


def test_survival_of_several_targets_has_a_time_and_an_event_each(tmp_path):
    cohort = Cohort()
    for column in ("os_time", "os_event"):
        place = cohort.samples[0].index(column)
        for row, cells in enumerate(cohort.samples):
            cells.append(cells[place].replace("os", "pfs") if row else column.replace("os", "pfs"))
    result = checked(cohort, tmp_path, task="survival", target="os,pfs")
    assert result.problems.errors == []
    expected = ["time", "event", "time:pfs", "event:pfs"]
    assert list(result.samples.columns[7:-1]) == expected


def test_a_covariate_that_copies_a_further_target_is_found(tmp_path):
    result = checked(Cohort(), tmp_path, target="sex,site", covariates=("site",))
    assert any("'site' is the outcome" in str(problem) for problem in result.problems.errors)


def test_the_script_writes_what_the_library_reads_back(tmp_path):
    sheet, samples = cohort_of_two().write(tmp_path)
    command = [sys.executable, CHECK_INPUT, "--sheet", sheet, "--samples", samples]
    command += ["--task", "classification", "--target", "subtype,site", "--models", "linear"]
    command += ["--folds", "2", "--repeats", "1", "--inner_folds", "2", "--folds_per_task", "0"]
    out = tmp_path / "out"
    out.mkdir()
    subprocess.run(list(map(str, command)), cwd=out, check=True)
    table = read_samples(out / "samples.tsv", "classification")
    assert further_targets(table) == ("site",)
    first, second = read_outcomes(
        out / "samples.tsv", "classification", ["subtype", "site"]
    ).items()
    assert (first[0], first[1].classes) == ("subtype", ("A", "B"))
    assert (second[0], second[1].classes) == ("site", ("site0", "site1"))
    assert second[1].table.columns.tolist() == ["truth"]
    assert not second[1].known["S02"]
    assert second[1].class_codes(["S02", "S03"]).tolist() == [-1, 0]
    assert len(with_outcome(table, first[1])) == 9


def numbers(values: np.ndarray) -> Outcome:
    index = pd.Index([f"s{number:03d}" for number in range(len(values))], name="sample")
    return Outcome("regression", pd.DataFrame({"truth": values}, index=index))


def splits_of(outcome: Outcome, further: dict[str, Outcome]) -> pd.DataFrame:
    ids = list(outcome.table.index)
    samples = pd.DataFrame({"sample": ids, "patient": ids, "group": ids, "role": "train"})
    return make_splits(
        samples.assign(split=None, layers="rna"),
        outcome,
        "kfold",
        3,
        1,
        2,
        0,
        seed=1,
        further=further,
    )


def test_those_who_lack_the_first_target_are_a_stratum_of_their_own():
    values = np.arange(60.0)
    values[::5] = np.nan
    outcome = numbers(values)
    strata = outcome.strata()
    assert (strata == UNKNOWN).tolist() == np.isnan(values).tolist()
    splits = splits_of(outcome, {})
    tested = splits[(splits["inner"] == "outer") & (splits["role"] == "test")]
    lacking = tested["sample"].map(outcome.known).eq(False).groupby(tested["fold"]).sum()
    assert lacking.tolist() == [4, 4, 4]


def test_a_further_target_changes_no_fold_but_must_be_learnable_in_each():
    outcome = numbers(np.arange(60.0))
    half = np.where(np.arange(60) % 2, np.arange(60.0), np.nan)
    assert splits_of(outcome, {"b": numbers(half)}).equals(splits_of(outcome, {}))
    few = np.where(np.arange(60) < 3, np.arange(60.0), np.nan)
    with pytest.raises(SplitError, match=r"target 'b', .* fewer than 2 samples that have it"):
        splits_of(outcome, {"b": numbers(few)})


def test_a_step_that_learns_from_the_outcome_leaves_out_those_who_lack_it():
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(40, 8)), rng.normal(size=40)
    names = np.array([f"f{column}" for column in range(8)])
    X[::4] *= 50
    y[::4] = np.nan
    known = ~np.isnan(y)

    def fitted_on(rows: np.ndarray) -> UnivariateSelector:
        step = UnivariateSelector(max_features=3, min_features=1, task="regression")
        annotations = Annotations(outcome=y[rows], task="regression")
        return fitted(step, X[rows], names, annotations)

    np.testing.assert_array_equal(fitted_on(known).p_, fitted_on(np.full(40, True)).p_)


def two_targets(task: str) -> pd.DataFrame:
    """Predictions of two targets, the second known of half of the samples, with other classes."""
    first = predictions_table(task).assign(target="z")
    second = predictions_table(task, seed=4).assign(target="a")
    if task == "classification":
        named = {name: name.replace("p_", "p_other_") for name in second if name[:2] == "p_"}
        second = second.rename(columns=named).assign(truth="other_" + second["truth"])
    return pd.concat([first, second[second["patient"] > "P017"]], ignore_index=True)


@pytest.mark.parametrize("task", ["classification", "survival", "regression"])
def test_each_target_is_scored_as_if_it_were_the_only_one(task, tmp_path):
    write_tsv(two_targets(task), tmp_path / "both.predictions.tsv")
    both = gather_predictions([tmp_path / "both.predictions.tsv"], task)
    tables = assess(both, task, seed=1)
    for target in ("a", "z"):
        own = both[both["target"] == target].dropna(axis=1, how="all")
        for name, expected in assess(own, task, seed=1).items():
            table = tables[name]
            found = table[table["target"] == target].reset_index(drop=True)
            columns = list(expected.columns)
            pd.testing.assert_frame_equal(found[columns], expected, check_dtype=False)


def test_the_page_gives_every_target_a_heading(tmp_path):
    folder = write_results(tmp_path, "regression")
    for name in ("metrics", "metrics_by_fold", "metrics_by_pattern"):
        path = folder / f"assess/{name}.tsv"
        edit_table(path, lambda t: pd.concat([t, t.assign(target="aaa", estimate="0.123")]))
    edit_table(folder / "input/samples.tsv", lambda t: t.assign(**{"truth:aaa": t["truth"]}))
    for path in folder.glob("models/*.tsv"):
        edit_table(path, lambda t: t.assign(target=f"{results_target(folder)},aaa"))
    results = read_results(folder)
    assert results.target == results_target(folder)
    assert [other.target for other in results.others] == ["aaa"]
    assert len(results["training"]) > 0
    page = render_report(results)
    assert "<h3>The target aaa</h3>" in page
    assert "aaa: metrics on held-out patients" in page
    assert "for aaa, on patients" in page


def results_target(folder: Path) -> str:
    return str(read_tsv(folder / "predictions/predictions.tsv")["target"].iloc[0])


def test_one_outcome_is_read_as_before(tmp_path):
    table = pd.DataFrame({"sample": ["b", "a"], "role": "train", "truth": ["x", "y"]})
    write_tsv(table.assign(group="", batch="", split="", layers="rna"), tmp_path / "samples.tsv")
    outcome = read_outcome(tmp_path / "samples.tsv", "classification")
    assert outcome.classes == ("x", "y")
    assert outcome.table["truth"].to_dict() == {"a": "y", "b": "x"}
    assert outcome.known.all()
