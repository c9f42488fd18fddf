"""The demo cohort, whose truth is known: the run finds what was planted, and nothing in noise."""

import json
from pathlib import Path

import pandas as pd
import pytest
from scipy.stats import hypergeom

from tests.conftest import BrowserPage
from tests.pipeline.engine import ROOT, Run, run

pytestmark = pytest.mark.engine

DEMO = ROOT / "assets" / "demo"
CONTROLS = 4


def c_index(done: Run, model: str) -> pd.Series:
    metrics = pd.read_csv(done.outdir / "assess" / "metrics.tsv", sep="\t")
    wanted = metrics.eval(
        f"permutation == 0 and model == '{model}' and scope == 'test' and metric == 'c_index'"
    )
    return metrics[wanted].iloc[0]


def test_the_demo_beats_chance(demo: Run) -> None:
    assert demo.code == 0, demo.text
    for model in ("fused", "linear"):
        assert c_index(demo, model)["ci_low"] > 0.5


def test_the_demo_finds_the_planted_features(demo: Run) -> None:
    truth = pd.read_csv(DEMO / "truth.tsv", sep="\t")
    causal = truth[truth["role"].isin(["growth", "silencing"])]
    importance = pd.read_csv(demo.outdir / "explain" / "fused.importance.tsv", sep="\t")
    top = importance.nlargest(30, "mean_abs_shap")
    found = pd.merge(top, causal, on=["layer", "feature"])
    by_chance = hypergeom(len(importance), len(causal), len(top))
    assert by_chance.mean() < 5
    assert by_chance.sf(len(found) - 1) < 1e-6


def test_the_demo_finds_the_planted_gene_set(demo: Run) -> None:
    enrichment = pd.read_csv(demo.outdir / "enrich" / "enrichment.tsv", sep="\t")
    rna = enrichment[enrichment["layer"] == "rna"].sort_values("p")
    assert rna.iloc[0]["term"] == "DEMO_GROWTH_UP"
    assert rna.iloc[0]["nes"] > 0


def test_risk_groups_of_the_demo_differ_in_survival(demo: Run) -> None:
    logrank = pd.read_csv(demo.outdir / "assess" / "logrank.tsv", sep="\t").set_index("model")
    assert logrank.loc["fused", "p"] < 0.01
    assert logrank.loc["fused", "hazard_ratio"] > 1


def test_luck_of_the_seed_is_less_than_the_networks_lead_over_chance(demo: Run) -> None:
    seeds = pd.read_csv(demo.outdir / "assess" / "seeds.tsv", sep="\t")
    row = seeds.set_index(["model", "metric"]).loc[("fused", "c_index")]
    assert row["n_seeds"] == 3
    assert 0 < row["sd_seeds"] < (row["mean"] - 0.5) / 2
    assert row["ensemble"] == c_index(demo, "fused")["estimate"]


def test_the_curves_of_the_linear_model_are_calibrated(demo: Run) -> None:
    # Proportional hazards, as the model has them, are what the demo draws its times by.
    tested = pd.read_csv(demo.outdir / "assess" / "d_calibration.tsv", sep="\t").set_index("model")
    samples = pd.read_csv(demo.outdir / "input" / "samples.tsv", sep="\t")
    assert (tested["n"] == len(samples)).all()
    assert tested.loc["linear", "p"] > 0.05


def test_attributions_add_up(demo: Run) -> None:
    gaps = pd.read_csv(demo.outdir / "explain" / "fused.additivity.tsv", sep="\t")
    assert (gaps["mean_abs_gap"] < 0.1 * gaps["mean_abs_difference"]).all()


def test_with_permuted_outcomes_models_do_as_well_as_guessing(tmp_path: Path) -> None:
    """A leak shows in every control; a single one may beat chance by luck.

    The C-index of one control of these 66 events has a standard deviation of 0.05.
    """
    models = ("--models", "clinical,linear,linear+clinical,fused")
    done = run(tmp_path, "-profile", "test", *models, "--negative_control", CONTROLS)
    assert done.code == 0, done.text
    metrics = pd.read_csv(done.outdir / "assess" / "metrics.tsv", sep="\t")
    wanted = metrics.query("permutation > 0 and scope == 'test' and metric == 'c_index'")
    by_model = wanted.groupby("model")["estimate"]
    assert set(by_model.groups) == {"clinical", "fused", "linear", "linear+clinical"}
    assert (by_model.size() == CONTROLS).all()
    assert by_model.mean().between(0.4, 0.6).all()

    # With permuted omics outcome and covariates stay together: what these tell stays, and omics add
    # nothing to it.
    omics = pd.read_csv(done.outdir / "assess" / "omics_controls.tsv", sep="\t")
    assert omics["permutation"].tolist() == list(range(CONTROLS + 1))
    assert set(omics["model"]) == {"linear+clinical"}
    controls = omics[omics["permutation"] > 0]
    assert controls["score_against"].mean() > 0.6
    assert controls["difference"].mean() < 0.05
    (verdict,) = json.loads((done.outdir / "assess" / "verdict.json").read_text())["targets"]
    assert verdict["n_omics_controls"] == CONTROLS


@pytest.mark.browser
def test_the_report_of_the_demo_opens_in_a_browser_without_a_network(
    demo: Run, browser_page: BrowserPage
) -> None:
    page = browser_page.open(demo.outdir / "report" / "omicsfusion_report.html")
    assert browser_page.problems == []
    assert "C-index" in page.inner_text("main")
    assert page.locator("svg.main-svg").count() > 0
