"""Every malformed input either works as documented or ends with the message that is promised."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from omicsfusion.tables.checking import check
from omicsfusion.tables.findings import Request
from omicsfusion.tables.layer import read_header, read_rows
from tests.malformed.cases import CASES, DEFAULTS, write_case
from tests.malformed.cohort import LAYERS, N_SAMPLES, value
from tests.malformed.run_case import Result, run_case

BIN = Path(__file__).resolve().parents[2] / "bin"
WORKING = [name for name, case in CASES.items() if case.works]
BROKEN = [name for name, case in CASES.items() if not case.works]
# Run through the real scripts: one of each kind of trouble.
THROUGH_SCRIPTS = [
    "nothing_is_wrong",
    "truncated_gzip",
    "binary_junk",
    "no_sample_column",
    "an_unknown_kind",
    "a_word_among_numbers",
]


def holds(texts: list[str], words: tuple[str, ...]) -> bool:
    return any(all(word in text for word in words) for text in texts)


def imported(result: Result, layer: str) -> np.ndarray:
    path = result.layers[f"main.{layer}"]
    return read_rows(path, range(len(read_header(path).samples)))


def test_the_corpus_holds_at_least_forty_cases() -> None:
    assert len(CASES) >= 40


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_input_ends_with_the_message_that_is_promised(name: str, tmp_path: Path) -> None:
    result = run_case(name, tmp_path)
    errors = result.texts("error")
    assert holds(errors, CASES[name].error), errors
    assert not any("Traceback" in text or "Error(" in text for text in errors)
    without_a_cure = [str(p) for p in result.problems if p.severity == "error" and not p.cure]
    assert without_a_cure == []


@pytest.mark.parametrize("name", WORKING)
def test_an_input_that_works_keeps_its_numbers_and_says_what_was_odd(
    name: str, tmp_path: Path
) -> None:
    case = CASES[name]
    result = run_case(name, tmp_path)
    assert result.texts("error") == []
    warnings = result.texts("warning")
    assert holds(warnings, case.warning) if case.warning else warnings == []
    if case.note:
        assert holds(list(result.checked.plan.notes), case.note), result.checked.plan.notes
    accounting = result.checked.accounting.set_index("sample")
    assert tuple(accounting.index[accounting["status"] == "left_out"]) == case.lost
    assert all(accounting.loc[list(case.lost), "reason"] != "")
    if case.same:
        for layer, (_, n_features) in LAYERS.items():
            expected = np.array(
                [[value(layer, f, s) for f in range(n_features)] for s in range(N_SAMPLES)], "f4"
            )
            if layer == "rna":
                for row, sample in case.missing:
                    expected[int(sample[1:]) - 1, row] = np.nan
            np.testing.assert_array_equal(imported(result, layer), expected)


def test_an_extreme_value_is_kept_as_it_is(tmp_path: Path) -> None:
    result = run_case("an_extreme_but_legal_value", tmp_path)
    assert imported(result, "rna").max() == 36893


def test_several_mistakes_are_told_together(tmp_path: Path) -> None:
    sheet, samples = write_case("an_unknown_kind", tmp_path)
    text = samples.read_text().replace("\tos_event\t", "\tevent\t")
    samples.write_text(text)
    (tmp_path / "protein.tsv").write_text("")
    request = Request(
        sheet=sheet, samples=samples, **{**DEFAULTS, "task": "survival", "target": "os"}
    )
    texts = [str(problem) for problem in check(request).problems.errors]
    for words in (("rna_lgo",), ("protein.tsv", "empty"), ("os_event",)):
        assert holds(texts, words), texts


@pytest.mark.parametrize("name", THROUGH_SCRIPTS)
def test_the_scripts_end_well_and_write_all_files(name: str, tmp_path: Path) -> None:
    sheet, samples = write_case(name, tmp_path / "in")
    out = tmp_path / "out"
    out.mkdir()
    options = [f"--{key}={DEFAULTS[key]}" for key in ("task", "target", "folds", "repeats")]
    options += ["--inner_folds=2", "--folds_per_task=0", "--models=clinical,linear,fused"]
    command = [
        sys.executable,
        BIN / "check_input.py",
        "--sheet",
        sheet,
        "--samples",
        samples,
        *options,
    ]
    done = subprocess.run(command, cwd=out, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    written = {path.name for path in out.iterdir()}
    tables = {"layers.tsv", "samples.tsv", "sample_accounting.tsv", "problems.tsv"}
    assert written == {*tables, "plan.json", "plan.txt"}
    if "rna\t" not in (out / "layers.tsv").read_text():
        return
    table = tmp_path / "in" / "rna.tsv"
    command = [sys.executable, BIN / "import.py", "--layer=rna", "--kind=rna_log", "--cohort=main"]
    command += ["--rows=features", "--files", table]
    done = subprocess.run(command, cwd=out, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (out / "main.rna.h5ad").exists()
    text = (out / "main.rna.problems.tsv").read_text()
    assert ("error" in text) == (not CASES[name].works)
