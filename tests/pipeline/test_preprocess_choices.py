"""--preprocess through the real engine: choices reach the chains, mistakes stop the run early."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from tests.pipeline.conftest import CLASSES, inputs_in
from tests.pipeline.engine import run

pytestmark = pytest.mark.engine

SHALLOW = ("--models", "clinical,linear")
CHOICES = """\
rna:
  normalise: quantile
  select: {method: univariate, max_features: 12}
methylation:
  filter: {file: lists/probes.txt}
protein:
  impute: NAME
"""


def test_choices_are_followed_and_an_edit_re_runs_its_layer_alone(
    small_cohort: Path, tmp_path: Path
) -> None:
    cohort = tmp_path / "cohort"
    shutil.copytree(small_cohort, cohort)
    table = next(cohort.glob("methylation.tsv*"))
    probes = pd.read_csv(table, sep="\t", index_col=0).index[:2]
    (cohort / "lists").mkdir()
    (cohort / "lists" / "probes.txt").write_text("\n".join(probes) + "\n", encoding="utf-8")
    choices = cohort / "choices.yml"
    arguments = (*inputs_in(cohort), *CLASSES, *SHALLOW, "--preprocess", choices, "-resume")

    choices.write_text(CHOICES.replace("NAME", "knn"), encoding="utf-8")
    first = run(tmp_path, *arguments, parser="v2")
    assert first.code == 0, first.text
    steps = pd.concat(
        pd.read_csv(path, sep="\t") for path in (first.outdir / "preprocess").glob("*.steps.tsv")
    )
    used = set(zip(steps["layer"], steps["step"], steps["method"], strict=True))
    assert ("rna", "normalise", "quantile") in used
    assert ("rna", "select", "univariate") in used
    assert ("protein", "impute", "knn") in used
    dropped = pd.read_csv(first.outdir / "preprocess" / "methylation.all.dropped.tsv", sep="\t")
    listed = dropped[dropped["reason"] == "on the list to drop"]
    assert set(listed["n"]) == {2}
    assert len(listed) == steps[["repeat", "fold", "inner"]].drop_duplicates().shape[0]

    choices.write_text(CHOICES.replace("NAME", "svd"), encoding="utf-8")
    edited = run(tmp_path, *arguments, parser="v2")
    assert edited.code == 0, edited.text
    assert edited.submitted.count("PREPROCESS") == 1
    assert edited.cached.count("PREPROCESS") == 3
    assert {"IMPORT", "SPLIT", "QC", "CONCORDANCE", "GUARD"}.isdisjoint(edited.submitted)


def test_all_mistakes_of_the_choices_are_told_before_anything_is_split(
    small_cohort: Path, tmp_path: Path
) -> None:
    choices = tmp_path / "choices.yml"
    choices.write_text(
        "ran: {}\nrna:\n  normalise: tmm\nprotein:\n  filter: {file: nowhere.txt}\n"
        "  batch: combat\n",
        encoding="utf-8",
    )
    done = run(tmp_path, *inputs_in(small_cohort), *CLASSES, "--preprocess", choices)
    assert done.code != 0
    assert "The input has 4 problem(s)" in done.text
    for told in (
        "There is no layer 'ran'. Did you mean 'rna'?",
        "cannot use normalise: tmm, for it is of kind",
        "there is no file 'nowhere.txt'",
        "batch: combat needs to know the batches",
    ):
        assert told in done.text
    assert "SPLIT" not in done.submitted
