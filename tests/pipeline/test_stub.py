"""`-stub-run` goes through the whole graph without computing anything."""

import re
from pathlib import Path

import pytest

from tests.pipeline.engine import ROOT, run

pytestmark = pytest.mark.engine

STATIONS = [
    "CHECK_INPUT",
    "CHECK_RECIPES",
    "IMPORT",
    "FIND_DUPLICATES",
    "SPLIT",
    "QC",
    "CONCORDANCE",
    "GUARD",
    "PREPROCESS",
    "TRAIN",
    "ASSESS",
    "EXPLAIN",
    "ENRICH",
    "REPORT",
]
LEARNING_CURVE = [
    "LEARNING_SPLITS",
    "PREPROCESS_LEARNING_CURVE",
    "TRAIN_LEARNING_CURVE",
    "LEARNING_CURVE",
]


NEGATIVE_CONTROL = ["PERMUTE", "PREPROCESS_NEGATIVE_CONTROL", "TRAIN_NEGATIVE_CONTROL"]
OMICS_CONTROL = ["PREPROCESS_OMICS_CONTROL", "TRAIN_OMICS_CONTROL"]
OPTIMISM = ["LOOK_AHEAD", "PREPROCESS_OPTIMISM", "TRAIN_OPTIMISM", "CLAIM"]
PRETRAINING = [
    "CHECK_INPUT",
    "CHECK_RECIPES",
    "IMPORT",
    "FIND_DUPLICATES",
    "SPLIT",
    "PREPROCESS",
    "PRETRAIN",
]


def test_a_control_that_cannot_be_prepared_ends_no_run(tmp_path: Path) -> None:
    refused = tmp_path / "refused.config"
    tools = f"export PATH={ROOT}/.tools/bin:\\$PATH"
    before = f"{tools}; ${{task.tag == 'stub.p1' ? 'exit 1' : ''}}"
    one = f'withName: PREPROCESS_NEGATIVE_CONTROL {{ beforeScript = {{ "{before}" }} }}'
    refused.write_text(f"process {{ {one} }}\n", encoding="utf-8")
    options = ["-profile", "test", "-stub-run", "--negative_control", 2, "--models", "linear,fused"]
    done = run(tmp_path, *options, "-c", refused)
    assert done.code == 0, done.text
    # Of the other control each model is trained; of this one none, which lacks a layer.
    assert done.submitted.count("TRAIN_NEGATIVE_CONTROL") == 2
    assert "TRAIN_NEGATIVE_CONTROL (linear.p2)" in done.text
    assert "REPORT" in done.submitted


@pytest.mark.parametrize("parser", ["v1", "v2"])
def test_a_stub_of_pretraining_trains_nothing_else_and_needs_no_outcome(
    tmp_path: Path, parser: str
) -> None:
    demo = ROOT / "assets" / "demo"
    inputs = ["--input", demo / "samplesheet.csv", "--samples", demo / "samples.tsv"]
    done = run(tmp_path, "-stub-run", "--step", "pretrain", *inputs, parser=parser)
    assert done.code == 0, done.text
    assert set(done.submitted) == set(PRETRAINING)
    assert (done.outdir / "pretrained" / "encoders.h5").exists()


@pytest.mark.parametrize("parser", ["v1", "v2"])
def test_a_stub_run_visits_every_station(tmp_path: Path, parser: str) -> None:
    edges = tmp_path / "edges.tsv"
    with edges.open("wb") as file:
        file.truncate(240_000_000)  # some 20 million edges, of which a stub reads none
    encoders = tmp_path / "encoders.h5"
    encoders.touch()
    models = ["--models", "clinical,linear-only-*,fused,fused-minus-*,fused+clinical,graph"]
    models += ["--network", edges]
    models += ["--pretrained", encoders, "--settings", "freeze=10"]
    branches = ["--learning_curve", "--negative_control", 2, "--show_optimism"]
    done = run(tmp_path, "-profile", "test", "-stub-run", *branches, *models, parser=parser)
    assert done.code == 0, done.text
    assert "--learning_curve leaves out 25 % of the patients: a stub." in done.text
    assert "--negative_control leaves out permutation 2: a stub" in done.text
    assert re.search(r"TRAIN graph\.all asks for 12\.\d GB of memory", done.text)
    extras = {*LEARNING_CURVE, *NEGATIVE_CONTROL, *OMICS_CONTROL, *OPTIMISM}
    assert set(done.submitted) == {*STATIONS, *extras}
    assert done.submitted.count("TRAIN_NEGATIVE_CONTROL") == 2 * 10
    # The covariates alone are prepared anew, for clinical and fused+clinical.
    assert done.submitted.count("PREPROCESS_OMICS_CONTROL") == 2
    assert done.submitted.count("TRAIN_OMICS_CONTROL") == 2 * 2
    assert done.submitted.count("TRAIN_OPTIMISM") == 2 * 10
    for layer in ("methylation", "protein", "rna"):
        assert f":TRAIN (linear-only-{layer}.all)" in done.text
        assert f":TRAIN (fused-minus-{layer}.all)" in done.text
    assert not list((done.outdir / "models").glob("*.[np]*.*"))
    assert (done.outdir / "report" / "omicsfusion_report.html").exists()
