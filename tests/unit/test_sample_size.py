"""What is said of cohorts that are small for what is asked of them, at its boundaries."""

from pathlib import Path

import pandas as pd
import pytest

from omicsfusion.report.page import render_report
from omicsfusion.report.results import read_results
from omicsfusion.tables.checking import check
from omicsfusion.tables.findings import Request
from omicsfusion.tables.plan_text import plan_text
from omicsfusion.tables.sample_size import advise
from tests.malformed.cases import DEFAULTS
from tests.malformed.cohort import Cohort
from tests.results_folder import write_results
from tests.unit.test_report_page import text_of


def request(task: str, **changes: object) -> Request:
    defaults = {"sheet": Path("s.csv"), "samples": Path("s.tsv"), "target": "os"}
    return Request(**{**defaults, "task": task, **changes})


def cohort(n: int, **columns: object) -> pd.DataFrame:
    ids = [f"s{number:03d}" for number in range(n)]
    table = {"sample": ids, "patient": ids, "role": "train", "split": ""}
    return pd.DataFrame({**table, **columns})


def classified(**sizes: int) -> list[str]:
    truth = [name for name, size in sizes.items() for _ in range(size)]
    return advise(request("classification"), cohort(len(truth), truth=truth), None)


def survived(n: int, n_events: int, covariates: pd.DataFrame | None = None, **changes) -> list[str]:
    event = [1.0] * n_events + [0.0] * (n - n_events)
    table = cohort(n, time=1.0, event=event, split=changes.pop("values", ""))
    return advise(request("survival", **changes), table, covariates)


def test_a_class_of_25_patients_is_named_and_one_of_26_is_not() -> None:
    (line,) = classified(a=26, b=25, c=30)
    assert "fewer than 26 patients: b 25." in line
    assert classified(a=26, b=26) == []


def test_a_ratio_of_classes_over_three_to_one_is_told_with_its_numbers() -> None:
    assert classified(a=78, b=26) == []
    (line,) = classified(a=79, b=26)
    assert "(a) has 79 patients and the smallest (b) 26: 3.04 to 1" in line


def test_samples_of_one_patient_are_one_and_external_ones_none() -> None:
    patient = [f"p{number // 2}" for number in range(104)]
    table = cohort(104, patient=patient, truth=["a"] * 52 + ["b"] * 52)
    assert advise(request("classification"), table, None) == []
    table.loc[0:1, "role"] = "external"
    (line,) = advise(request("classification"), table, None)
    assert "a 25." in line


def test_fewer_than_ten_events_in_a_fold_are_told() -> None:
    assert survived(100, 50, folds=5) == []
    (line,) = survived(100, 49, folds=5)
    assert line.startswith("9.8 events fall into a test fold (49 in 5 folds), fewer than 10")


@pytest.mark.parametrize(
    ("split", "values", "words"),
    [
        ("temporal:year", "2019", "8 events fall into a test fold (40 in 5 folds)"),
        ("leave_out:site", ["a", "b", "c", "d", "e"] * 20, "8 events fall into a test fold (40"),
        ("column:part", ["train"] * 31 + ["test"] * 69, "9 events fall into the test part"),
    ],
)
def test_events_are_counted_as_the_run_is_split(split: str, values, words: str) -> None:
    (line,) = survived(100, 40, split=split, values=values)
    assert line.startswith(words)
    assert survived(100, 50, split=split, values=values) == []


def test_fewer_than_ten_events_for_a_parameter_of_the_clinical_model_are_told() -> None:
    # One of a number, two of three stages, none of what is the same for all: three.
    stage, age = ["I", "II", "III", ""] * 25, [str(40 + n) for n in range(100)]
    covariates = pd.DataFrame({"age": age, "stage": stage, "country": "X"})
    few = {"folds": 2, "covariates": covariates}
    assert survived(100, 30, models=("clinical",), **few) == []
    (line,) = survived(100, 29, models=("clinical",), **few)
    assert "29 events are 9.7 for each of the 3 parameters of the clinical model (age, st" in line
    assert survived(100, 29, models=("linear",), **few) == []


def test_each_of_several_targets_is_told_of_by_name_on_those_who_have_it() -> None:
    table = cohort(80, truth=["a", "b"] * 40, **{"truth:site": ["x"] * 30 + ["y"] * 25 + [""] * 25})
    (line,) = advise(request("classification", target="subtype,site"), table, None)
    assert line.startswith("site: Classes with fewer than 26 patients: y 25.")


def test_a_small_cohort_is_no_problem_even_where_warnings_are_errors(tmp_path: Path) -> None:
    sheet, samples = Cohort().write(tmp_path)
    result = check(Request(sheet=sheet, samples=samples, **{**DEFAULTS, "strict": True}))
    assert result.problems.found == []
    assert "fewer than 26 patients: A 6, B 6." in plan_text(result.plan)
    (line,) = result.plan.as_json()["advice"]
    assert line in plan_text(result.plan)


def test_the_page_repeats_what_was_told(tmp_path: Path) -> None:
    folder = write_results(tmp_path, "survival")
    heading = "Small for what is asked of it"
    assert heading not in text_of(render_report(read_results(folder)))
    (folder / "input/plan.json").write_text('{"advice": ["9.8 events fall into a test fold."]}')
    page = text_of(render_report(read_results(folder)))
    assert heading in page
    assert "9.8 events fall into a test fold." in page
