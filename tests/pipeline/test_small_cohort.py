"""Whole runs on 40 patients: what is published, that it can be repeated, and that it resumes."""

import gzip
import json
import random
import shutil
from pathlib import Path

import pandas as pd
import pytest

from tests.pipeline.conftest import CLASSES, SMALL, inputs_in
from tests.pipeline.engine import Run, copy_of_project, run, run_until_killed, tables_of
from tests.pipeline.test_stub import LEARNING_CURVE, NEGATIVE_CONTROL, OPTIMISM

pytestmark = pytest.mark.engine

SHALLOW = ("--models", "clinical,linear")  # these need no TensorFlow
DEFAULT = {
    *("clinical", "forest", "fused", "fused+clinical", "linear", "linear+clinical", "xgboost"),
    *(f"linear-only-{layer}" for layer in ("methylation", "protein", "rna")),
}


def read(run_: Run, name: str) -> pd.DataFrame:
    return pd.read_csv(run_.outdir / name, sep="\t")


def test_a_run_publishes_the_layout_of_the_contract(classified: Run) -> None:
    assert classified.code == 0, classified.text
    expected = [
        "input/layers.tsv",
        "input/samples.tsv",
        "input/sample_accounting.tsv",
        "input/plan.json",
        "input/problems.tsv",
        "splits/splits.tsv",
        "splits/groups.tsv",
        "preprocess/rna.all.chains.h5",
        "preprocess/rna.recipe.json",
        *(
            f"preprocess/rna.all.{name}.tsv"
            for name in (
                *("features", "steps", "dropped", "kept"),
                *("batch", "imputation", "outliers", "absent"),
            )
        ),
        "qc/rna.qc_samples.tsv",
        "qc/rna.embedding.tsv",
        "qc/rna.duplicates.tsv",
        "qc/concordance.tsv",
        "qc/swaps.tsv",
        "qc/network.graphml",
        "qc/guards.tsv",
        "models/fused.all.training.tsv",
        "models/fused.all.curves.tsv",
        "models/fused.all.members.tsv",
        "models/fused.all.trials_importance.tsv",
        "predictions/predictions.tsv",
        "assess/metrics.tsv",
        "assess/metrics_by_fold.tsv",
        "assess/metrics_by_pattern.tsv",
        "assess/seeds.tsv",
        "assess/comparison.tsv",
        "assess/ranks.tsv",
        "assess/verdict.json",
        "assess/roc.tsv",
        "assess/confusion.tsv",
        "explain/fused.importance.tsv",
        "explain/fused.additivity.tsv",
        "report/omicsfusion_report.html",
        "pipeline_info/params.json",
        "pipeline_info/software_versions.tsv",
    ]
    assert [name for name in expected if not (classified.outdir / name).is_file()] == []
    assert list((classified.outdir / "models" / "fused.all.models").glob("r1f1-outer*.keras"))


def test_every_model_predicts_every_sample_once_in_each_repeat(classified: Run) -> None:
    samples = read(classified, "input/samples.tsv")["sample"]
    predictions = read(classified, "predictions/predictions.tsv")
    tested = predictions[predictions["scope"] == "test"]
    counts = tested.groupby(["model", "repeat", "sample"]).size()
    assert set(tested["model"]) == DEFAULT
    assert (counts == 1).all()
    assert len(counts) == len(DEFAULT) * len(samples)
    assert (predictions["scope"] == "inner").any()


def test_the_spread_of_seeds_is_told_of_networks_beside_that_of_folds(classified: Run) -> None:
    seeds = read(classified, "assess/seeds.tsv").set_index(["model", "metric"])
    assert set(seeds.index.get_level_values("model")) == {"fused", "fused+clinical"}
    assert (seeds["n_seeds"] == 3).all()
    assert (seeds["sd_seeds"] > 0).any()
    assert (seeds["sd_folds"] > 0).all()
    metrics = read(classified, "assess/metrics.tsv").query("scope == 'test'")
    metrics = metrics.set_index(["model", "metric"])["estimate"]
    assert seeds["ensemble"].equals(metrics.loc[seeds.index].rename("ensemble"))
    page = (classified.outdir / "report/omicsfusion_report.html").read_text()
    assert "How much of it is luck of the seed" in page


def test_every_sample_is_accounted_for(classified: Run, small_cohort: Path) -> None:
    accounting = read(classified, "input/sample_accounting.tsv")
    given = pd.read_csv(small_cohort / "samples.tsv", sep="\t")["sample"]
    assert set(given) == set(accounting["sample"])
    assert set(accounting["status"]) <= {"used", "left_out"}
    left_out = accounting[accounting["status"] == "left_out"]
    assert left_out["reason"].notna().all()


def test_parameters_and_versions_are_recorded(classified: Run) -> None:
    record = json.loads((classified.outdir / "pipeline_info" / "params.json").read_text())
    versions = read(classified, "pipeline_info/software_versions.tsv")
    assert record["params"]["target"] == "subtype"
    assert {"nextflow", "tensorflow", "keras", "numpy"} <= set(versions["tool"])
    assert versions["version"].notna().all()


def test_the_same_seed_gives_the_same_bytes_whatever_the_order_of_rows(
    classified: Run, small_cohort: Path, tmp_path: Path
) -> None:
    shuffled = tmp_path / "shuffled"
    shutil.copytree(small_cohort, shuffled)
    order = random.Random(5)
    for name in ("samplesheet.csv", "samples.tsv"):
        head, *rows = (shuffled / name).read_text().splitlines()
        order.shuffle(rows)
        (shuffled / name).write_text("\n".join([head, *rows]) + "\n")
    for path in shuffled.glob("*.tsv.gz"):
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
        ids = list(table.columns[1:])
        order.shuffle(ids)
        text = table[[table.columns[0], *ids]].to_csv(sep="\t", index=False)
        path.write_bytes(gzip.compress(text.encode()))
    other_hashes = tmp_path / "hashes.config"
    other_hashes.write_text("env.PYTHONHASHSEED = '77'\n")

    again = run(tmp_path, *inputs_in(shuffled), *CLASSES, "-c", other_hashes)

    assert again.code == 0, again.text
    assert tables_of(again.outdir) == tables_of(classified.outdir)


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory, small_cohort: Path) -> tuple[Run, Run]:
    """Two numbers trained together, one missing of every third: in one task, and apart."""
    folder = tmp_path_factory.mktemp("numbers")
    cohort = folder / "cohort"
    shutil.copytree(small_cohort, cohort)
    samples = pd.read_csv(cohort / "samples.tsv", sep="\t", dtype=str)
    samples["half"] = (samples["response"].astype(float) / 2).where(samples.index % 3 != 0)
    samples.to_csv(cohort / "samples.tsv", sep="\t", index=False)
    asked = (*inputs_in(cohort), "--task", "regression", "--target", "response,half", *SMALL)
    asked = (*asked, "--models", "linear,fused")
    together = run(folder / "together", *asked)
    apart = run(folder / "apart", *asked, "--folds_per_task", 1)
    assert together.code == apart.code == 0, together.text + apart.text
    return together, apart


def test_folds_in_tasks_of_their_own_agree_with_folds_in_one_task(
    numbers: tuple[Run, Run],
) -> None:
    together, apart = numbers
    keys = ["target", "model", "scope", "repeat", "fold", "inner", "sample"]
    left = read(together, "predictions/predictions.tsv").set_index(keys).sort_index()
    right = read(apart, "predictions/predictions.tsv").set_index(keys).sort_index()
    assert left.index.equals(right.index)
    # docs/usage.md states this tolerance: a thousandth of the outcome's standard deviation.
    tolerance = 1e-3 * left.groupby("target")["truth"].std()
    gap = (left["mean"] - right["mean"]).abs().groupby("target").max()
    assert (gap < tolerance).all()
    assert apart.submitted.count("TRAIN") == 2 * 3


def test_every_target_is_predicted_scored_and_shown(numbers: tuple[Run, Run]) -> None:
    together, _ = numbers
    samples = read(together, "input/samples.tsv")
    known = {"response": samples["truth"].count(), "half": samples["truth:half"].count()}
    assert known["half"] < known["response"]
    metrics = read(together, "assess/metrics.tsv")
    tested = metrics[(metrics["scope"] == "test") & (metrics["metric"] == "r2")]
    counted = tested.groupby("target")["n"].unique().map(list).to_dict()
    assert counted == {target: [n] for target, n in known.items()}
    assert set(tested["model"]) == {"linear", "fused"}
    explained = read(together, "explain/fused.importance.tsv")
    assert set(explained["output"]) == {"mean", "half:mean"}
    assert "The target half" in (together.outdir / "report/omicsfusion_report.html").read_text()


def test_an_edit_of_library_code_re_runs_what_uses_it_and_nothing_else(
    small_cohort: Path, tmp_path: Path
) -> None:
    project = copy_of_project(tmp_path / "project")
    arguments = (*inputs_in(small_cohort), *CLASSES, *SHALLOW, "--batch", "site", "-resume")
    library = project / "bin" / "omicsfusion"

    def edit(name: str) -> Run:
        (library / name).write_text((library / name).read_text() + "\n# edited\n")
        return run(tmp_path, *arguments, project=project)

    first = run(tmp_path, *arguments, project=project)
    assert first.code == 0, first.text
    (library / "report" / "__init__.py").touch()
    untouched = run(tmp_path, *arguments, project=project)
    assert untouched.submitted == []

    # The learning curve and what mistakes claim are added to a finished run, of which nothing is
    # computed again: their own tables and the page alone tell of them.
    extras = ("--learning_curve", "--show_optimism")
    added = run(tmp_path, *arguments, *extras, project=project)
    assert added.code == 0, added.text
    assert set(added.submitted) == {*LEARNING_CURVE, *OPTIMISM, "REPORT"}
    _curve_is_published(added)
    _claims_are_published(added)

    # And so are negative controls, but for what reads the predictions of all.
    controls = run(tmp_path, *arguments, "--negative_control", 2, project=project)
    assert controls.code == 0, controls.text
    assert set(controls.submitted) == {*NEGATIVE_CONTROL, "ASSESS", "REPORT"}
    _controls_are_published(controls)

    report = edit("report/__init__.py")
    assert set(report.submitted) == {"REPORT"}
    assess = edit("assess/summary.py")
    assert set(assess.submitted) == {"ASSESS", "REPORT"}
    train = edit("models/linear.py")
    assert set(train.submitted) == {"TRAIN", "ASSESS", "REPORT"}
    assert len(train.cached) == len(first.submitted) - len(train.submitted)


def _curve_is_published(done: Run) -> None:
    """The table and the page tell of every share; nothing that was fitted for the curve is kept."""
    curve = read(done, "assess/learning_curve.tsv")
    points = curve[curve["metric"] == "balanced_accuracy"].set_index(["model", "share"])
    assert len(points) == 2 * 4
    assert (points["estimate"].notna() | points["reason"].notna()).all()
    assert points.loc[(slice(None), [0.75, 1.0]), "estimate"].notna().all()
    assert points.loc["linear", "n_patients"].tolist() == [5, 10, 15, 20]
    splits = read(done, "splits/learning_splits.tsv")
    assert set(splits["group"]) == set(read(done, "splits/learning_groups.tsv")["group"])
    assert (done.outdir / "assess" / "learning_curve" / "linear.n75.training.tsv").is_file()
    for folder in ("models", "preprocess"):
        assert not list((done.outdir / folder).glob("*.n75.*"))
    page = (done.outdir / "report" / "omicsfusion_report.html").read_text()
    assert "Score against number of patients" in page


def _controls_are_published(done: Run) -> None:
    """Each control scores a permuted outcome of its own; nothing that was fitted to it is kept."""
    samples = read(done, "input/samples.tsv").set_index("sample")["truth"]
    predictions = read(done, "predictions/predictions.tsv")
    tested = predictions[predictions["scope"] == "test"]
    for number in (1, 2):
        rows = tested[(tested["permutation"] == number) & (tested["model"] == "linear")]
        truth = rows.set_index("sample")["truth"]
        assert sorted(truth) == sorted(samples)
        assert (truth != samples[truth.index]).any()
    assert set(tested["permutation"]) == {0, 1, 2}
    metrics = read(done, "assess/metrics.tsv").set_index("permutation")
    assert metrics.loc[[1, 2], ["ci_low", "ci_high"]].isna().all(axis=None)
    assert metrics.loc[[1, 2], "estimate"].notna().all()
    account = read(done, "splits/permutations.tsv")
    assert account["permutation"].tolist() == [1, 2]
    for folder in ("models", "preprocess"):
        assert not list((done.outdir / folder).glob("*.p00*"))
    page = (done.outdir / "report" / "omicsfusion_report.html").read_text()
    assert "Against permuted outcomes" in page


def _claims_are_published(done: Run) -> None:
    """Every model claims something with every mistake; nothing that looked ahead is kept."""
    claims = read(done, "assess/optimism.tsv")
    points = claims[claims["metric"] == "auroc"]
    assert len(points) == 2 * 3
    assert points[["honest", "claimed", "difference"]].notna().all(axis=None)
    assert points["reason"].isna().all()
    by_model = points.set_index(["model", "mistake"])["difference"]
    assert (by_model["linear"] != 0).any()
    for folder in ("models", "preprocess"):
        kept = [path.name for path in (done.outdir / folder).glob("*")]
        assert not [name for name in kept if name.split(".")[1] in by_model.index.levels[1]]
    page = (done.outdir / "report" / "omicsfusion_report.html").read_text()
    assert "What the usual mistakes would have claimed" in page


def test_a_run_killed_in_training_resumes_to_the_same_bytes(
    classified: Run, small_cohort: Path, tmp_path: Path
) -> None:
    arguments = (*inputs_in(small_cohort), *CLASSES)
    run_until_killed(tmp_path, "TRAIN", *arguments)
    assert not (tmp_path / "results" / "report").exists()
    resumed = run(tmp_path, *arguments, "-resume")
    assert resumed.code == 0, resumed.text
    assert "PREPROCESS" in resumed.cached
    assert "TRAIN" in resumed.submitted
    assert tables_of(resumed.outdir) == tables_of(classified.outdir)


def test_step_check_prints_the_plan_and_trains_nothing(small_cohort: Path, tmp_path: Path) -> None:
    done = run(tmp_path, *inputs_in(small_cohort), *CLASSES, "--step", "check")
    assert done.code == 0, done.text
    assert set(done.submitted) == {"CHECK_INPUT", "CHECK_RECIPES", "IMPORT"}
    for word in ("rna", "methylation", "protein", "TRAIN", "time", "memory"):
        assert word in done.text


def test_step_report_writes_the_same_page_from_published_tables(
    classified: Run, tmp_path: Path
) -> None:
    results = tmp_path / "results"
    shutil.copytree(classified.outdir, results)
    page = results / "report" / "omicsfusion_report.html"
    first = page.read_bytes()
    page.unlink()
    done = run(tmp_path, "--step", "report")
    assert done.code == 0, done.text
    assert done.submitted == ["REPORT"]
    assert page.read_bytes() == first
