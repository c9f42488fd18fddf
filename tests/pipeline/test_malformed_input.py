"""Malformed inputs through the real engine: every problem at once, in words, with exit code 1.

The whole corpus runs in tests/malformed without the engine; here is one of each way of ending.
"""

from pathlib import Path

import pytest

from tests.malformed.cases import CASES, write_case
from tests.pipeline.engine import Run, run

pytestmark = pytest.mark.engine


def run_case(name: str, folder: Path, *arguments: object) -> Run:
    sheet, samples = write_case(name, folder / "input")
    task = ("--task", "classification", "--target", "subtype", "--folds", 3)
    inputs = ("--input", sheet, "--samples", samples)
    return run(folder, *inputs, *task, "--models", "linear,fused", *arguments)


@pytest.mark.parametrize(
    "name",
    [
        "a_path_that_does_not_exist",  # found in the samplesheet
        "a_word_among_numbers",  # found in a cell, by IMPORT
        "a_quotation_mark_never_closed",  # its text has quotation marks itself
    ],
)
def test_a_broken_input_stops_the_run_with_its_message(name: str, tmp_path: Path) -> None:
    done = run_case(name, tmp_path)
    assert done.code == 1
    for words in CASES[name].error:
        assert words in done.text
    assert "Traceback" not in done.text
    assert "SPLIT" not in done.submitted


def test_problems_of_the_sheet_and_of_cells_are_told_together(tmp_path: Path) -> None:
    sheet, samples = write_case("a_word_among_numbers", tmp_path / "input")
    text = sheet.read_text()
    sheet.write_text(text + "lipids,metabolite,not_there.tsv\n")
    task = ("--task", "classification", "--target", "subtyp", "--folds", 3)
    done = run(tmp_path, "--input", sheet, "--samples", samples, *task, "--models", "linear")
    assert done.code == 1
    for words in ("not_there.tsv", "Did you mean 'subtype'?", *CASES["a_word_among_numbers"].error):
        assert words in done.text


def test_strict_makes_a_warning_an_error(tmp_path: Path) -> None:
    name = "a_sample_of_missing_values"
    assert run_case(name, tmp_path / "lenient", "--step", "check").code == 0
    assert run_case(name, tmp_path / "strict", "--step", "check", "--strict").code == 1


@pytest.mark.parametrize("name", ["utf_16", "a_file_for_each_sample"])
def test_an_odd_samplesheet_that_can_be_read_is_read(name: str, tmp_path: Path) -> None:
    done = run_case(name, tmp_path, "--step", "check")
    assert done.code == 0, done.text


def test_a_model_of_an_unknown_layer_or_covariate_is_refused_before_training(
    tmp_path: Path,
) -> None:
    sheet, samples = write_case("nothing_is_wrong", tmp_path / "input")
    task = ("--task", "classification", "--target", "subtype", "--folds", 3)
    models = ("--models", "linear-only-rnaa,clinical-only-agee", "--covariates", "age")
    made = ("--label_source", "rnb")
    done = run(tmp_path, "--input", sheet, "--samples", samples, *task, *models, *made)
    assert done.code == 1
    assert "--label_source rnb: there is no such layer." in done.text
    assert "Did you mean 'rna'?" in done.text
    assert "Did you mean 'age'?" in done.text
    assert "TRAIN" not in done.submitted


def with_a_layer_called_like_covariates(folder: Path) -> tuple[object, ...]:
    """Write a sound cohort whose RNA is called ``clinical_chem``; return its arguments."""
    sheet, samples = write_case("nothing_is_wrong", folder / "input")
    sheet.write_text(sheet.read_text().replace("rna,", "clinical_chem,"))
    task = ("--task", "classification", "--target", "subtype", "--folds", 3, "--step", "check")
    return ("--input", sheet, "--samples", samples, *task)


def test_models_of_a_layer_that_is_called_like_covariates_need_none(tmp_path: Path) -> None:
    cohort = with_a_layer_called_like_covariates(tmp_path)
    done = run(tmp_path, *cohort, "--models", "default,fused-minus-clinical_chem")
    assert done.code == 0, done.text
    assert "TRAIN linear-only-clinical_chem " in done.text
    assert "TRAIN fused-minus-clinical_chem " in done.text
    assert "TRAIN clinical " not in done.text
    assert "+clinical" not in done.text


def test_models_that_see_covariates_are_refused_where_there_are_none(tmp_path: Path) -> None:
    cohort = with_a_layer_called_like_covariates(tmp_path)
    asked = ("clinical", "clinical-only-age", "linear-only-clinical_chem+clinical")
    done = run(tmp_path, *cohort, "--models", ",".join(asked))
    assert done.code == 1
    for model in asked:
        assert f"Model '{model}' needs covariates" in done.text
