"""The tables of ASSESS and the script that writes them."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omicsfusion.assess.comparison.ranks import COLUMNS as RANK_COLUMNS
from omicsfusion.assess.comparison.table import COLUMNS as COMPARISON_COLUMNS
from omicsfusion.assess.patterns import COLUMNS
from omicsfusion.assess.seed_spread import COLUMNS as SEED_COLUMNS
from omicsfusion.assess.summary import assess
from omicsfusion.tables.tsv import read_tsv, write_tsv
from tests.predictions_table import layers_of, predictions_table

SCRIPT = Path(__file__).resolve().parents[2] / "bin" / "assess.py"
HEADLINE = {"classification": "balanced_accuracy", "survival": "c_index", "regression": "r2"}
ADDED = {
    "classification": {
        "roc": ["model", "class", "fpr", "tpr"],
        "confusion": ["model", "truth", "predicted", "n"],
    },
    "survival": {
        "risk_groups": ["model", "sample", "patient", "risk_group", "share_high"],
        "kaplan_meier": [
            *("model", "risk_group", "time", "survival", "ci_low", "ci_high", "at_risk", "events")
        ],
        "logrank": [
            *("model", "statistic", "p", "n_low", "n_high", "hazard_ratio", "hr_low", "hr_high")
        ],
        "d_calibration": [
            *("model", "statistic", "p", "n"),
            *(f"share_{i}" for i in range(1, 11)),
            "reason",
        ],
    },
    "regression": {},
}


def run_script(task, paths, folder, samples, *more, seed="1"):
    write_tsv(samples.assign(role="train"), folder / "samples.tsv")
    command = [sys.executable, str(SCRIPT), "--task", task, "--seed", seed]
    command += ["--samples", "samples.tsv", "--predictions", *map(str, paths)]
    command += ["--members", *(str(members_beside(path)) for path in paths)]
    command += ["--networks", "early,fused", "--margin", "0.02", "--equivalence", "0.05"]
    command += ["--trials", "0", "--split", "leave_out:site", *more]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def members_beside(path):
    """Write three networks for a fused model, beside its predictions; a header for others."""
    table = read_tsv(path, text_columns=("truth",))
    tested = table[(table["scope"] == "test") & (table["model"] == "fused")]
    members = pd.concat([tested.assign(member=number) for number in (1, 2, 3)])
    beside = path.with_name(path.name.replace("predictions", "members"))
    write_tsv(members, beside)
    return beside


@pytest.mark.parametrize("task", list(HEADLINE))
def test_the_script_writes_the_tables_of_the_contract(task, tmp_path):
    table = predictions_table(task, external=6)
    paths = []
    for model, rows in table.groupby("model"):
        paths.append(tmp_path / f"{model}.all.predictions.tsv")
        write_tsv(rows, paths[-1])
    done = run_script(task, paths, tmp_path, layers_of(table))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    metrics = read_tsv(tmp_path / "metrics.tsv")
    assert list(metrics.columns) == [
        *("permutation", "target", "model", "scope", "metric", "estimate"),
        *("ci_low", "ci_high", "n", "n_events"),
    ]
    by_fold = read_tsv(tmp_path / "metrics_by_fold.tsv")
    assert {"repeat", "fold"} <= set(by_fold.columns)
    assert len(read_tsv(tmp_path / "predictions.tsv")) == len(table)
    by_pattern = read_tsv(tmp_path / "metrics_by_pattern.tsv")
    assert list(by_pattern.columns) == COLUMNS
    assert set(by_pattern["pattern"]) == {"cnv;rna", "rna"}
    seeds = read_tsv(tmp_path / "seeds.tsv")
    assert list(seeds.columns) == SEED_COLUMNS
    assert seeds["model"].tolist() == ["fused"] * 2
    assert list(read_tsv(tmp_path / "comparison.tsv").columns) == COMPARISON_COLUMNS
    assert list(read_tsv(tmp_path / "ranks.tsv").columns) == RANK_COLUMNS
    verdict = json.loads((tmp_path / "verdict.json").read_text(encoding="utf-8"))
    assert (verdict["schema_version"], verdict["split"]) == (1, "leave_out:site")
    assert [found["network"] for found in verdict["targets"]] == ["fused"]
    for name, columns in ADDED[task].items():
        assert list(read_tsv(tmp_path / f"{name}.tsv").columns) == columns


def test_the_script_says_what_is_wrong_without_a_traceback(tmp_path):
    table = predictions_table("survival")
    write_tsv(table, tmp_path / "fused.all.predictions.tsv")
    paths = [tmp_path / "fused.all.predictions.tsv"]
    done = run_script("regression", paths, tmp_path, layers_of(table))
    assert done.returncode == 1
    assert "fused.all.predictions.tsv has no column mean" in done.stderr
    assert "Traceback" not in done.stderr
    (tmp_path / "old.json").write_text('{"schema_version": 0}', encoding="utf-8")
    done = run_script("survival", paths, tmp_path, layers_of(table), "--site_verdict", "old.json")
    assert done.returncode == 1
    assert done.stderr == "--site_verdict: old.json is no verdict.json of this version.\n"
    done = run_script("survival", paths, tmp_path, layers_of(table).iloc[1:])
    assert done.returncode == 1
    assert done.stderr == "1 predicted samples are not in samples.tsv; the first: S000-0.\n"


@pytest.mark.parametrize("task", list(HEADLINE))
def test_rows_go_by_model_and_scope_with_the_headline_first(task):
    metrics = assess(predictions_table(task, external=6), task, seed=1)["metrics"]
    firsts = metrics.drop_duplicates(["model", "scope"])
    assert firsts["model"].tolist() == ["clinical"] * 3 + ["fused"] * 3
    assert firsts["scope"].tolist() == ["test", "inner", "external"] * 2
    assert set(firsts["metric"]) == {HEADLINE[task]}


def test_counts_are_of_distinct_samples():
    table = predictions_table("survival", patients=20, samples_per_patient=2, external=3)
    metrics = assess(table, "survival", seed=1)["metrics"]
    events = table[table["event"] == 1].drop_duplicates("sample").groupby("scope")["sample"].count()
    test = metrics[metrics["scope"] == "test"]
    assert set(test["n"]) == {40}
    assert set(metrics.loc[metrics["scope"] == "external", "n"]) == {6}
    assert set(test["n_events"]) == {events.sum() - events.get("external", 0)}


def test_recalls_count_the_samples_of_their_class():
    metrics = assess(predictions_table("classification"), "classification", seed=1)["metrics"]
    recalls = metrics[metrics["metric"].str.startswith("recall:") & (metrics["scope"] == "test")]
    assert set(recalls["n"]) == {12}


def test_external_cohorts_without_outcome_have_no_metrics():
    table = predictions_table("regression", external=4)
    table.loc[table["scope"] == "external", "truth"] = np.nan
    assert set(assess(table, "regression", seed=1)["metrics"]["scope"]) == {"test", "inner"}


def test_external_cohorts_are_scored_by_the_fit_on_all_training_samples():
    table = predictions_table("regression", external=4, models=("fused",))
    external = table["scope"] == "external"
    table.loc[external & (table["repeat"] == 0), "mean"] = table["truth"]
    metrics = assess(table, "regression", seed=1)["metrics"]
    found = metrics[(metrics["scope"] == "external") & (metrics["metric"] == "mae")]
    assert found["estimate"].tolist() == [0]


def test_permuted_outcomes_are_entries_of_their_own_and_stay_out_of_the_curves():
    real = predictions_table("survival", models=("fused",))
    table = pd.concat([real, real.assign(permutation=1, risk=-real["risk"])], ignore_index=True)
    tables = assess(table, "survival", seed=1)
    first = tables["metrics"].query("metric == 'c_index' and scope == 'test'")
    assert first["permutation"].tolist() == [0, 1]
    assert first["estimate"].sum() == pytest.approx(1)
    pd.testing.assert_frame_equal(tables["logrank"], assess(real, "survival", seed=1)["logrank"])


def test_two_models_with_the_same_predictions_have_the_same_intervals():
    table = predictions_table("classification", models=("fused",))
    both = pd.concat([table, table.assign(model="twin")], ignore_index=True)
    metrics = assess(both, "classification", seed=1)["metrics"]
    fused, twin = (metrics[metrics["model"] == name] for name in ("fused", "twin"))
    columns = ["metric", "estimate", "ci_low", "ci_high"]
    assert (fused[columns].to_numpy() == twin[columns].to_numpy()).all()


def test_a_fold_s_metric_is_that_of_its_rows_alone():
    table = predictions_table("regression", models=("fused",))
    by_fold = assess(table, "regression", seed=1)["metrics_by_fold"]
    here = table[(table["scope"] == "test") & (table["repeat"] == 2) & (table["fold"] == 3)]
    found = by_fold.query("scope == 'test' and repeat == 2 and fold == 3 and metric == 'mae'")
    assert found["estimate"].tolist() == pytest.approx(
        [(here["truth"] - here["mean"]).abs().mean()]
    )


def test_estimates_lie_within_their_intervals_for_a_mean():
    # Holds for the MAE: a mean over 100 patients is all but symmetric in its replicates.
    metrics = assess(predictions_table("regression", patients=100), "regression", seed=1)["metrics"]
    mae = metrics[metrics["metric"] == "mae"]
    assert (mae["ci_low"] < mae["estimate"]).all()
    assert (mae["estimate"] < mae["ci_high"]).all()


@pytest.mark.parametrize("task", list(HEADLINE))
def test_controls_are_scored_without_intervals_and_change_nothing_of_the_real_outcome(task):
    table = predictions_table(task, models=["linear"])
    first = table[(table["repeat"] == 1)].assign(permutation=1)
    alone, both = assess(table, task, 1), assess(pd.concat([table, first]), task, 1)
    metrics = both["metrics"]
    control = metrics[metrics["permutation"] == 1]
    assert control[["ci_low", "ci_high"]].isna().all(axis=None)
    same = assess(table[table["repeat"] == 1], task, 1)["metrics"]
    assert control["estimate"].tolist() == pytest.approx(same["estimate"].tolist(), abs=1e-12)
    for name, expected in alone.items():
        found = both[name]
        if "permutation" in found:
            found = found[found["permutation"] == 0].reset_index(drop=True)
        pd.testing.assert_frame_equal(found, expected)
