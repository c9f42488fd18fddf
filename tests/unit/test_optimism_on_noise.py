"""Mistakes made by the library itself, on noise: the honest score is chance, the claim is not."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from omicsfusion.assess.optimism import score_claims
from omicsfusion.assess.predictions import gather_predictions
from omicsfusion.look_ahead import look_ahead, mistaken_recipe, outcome_as_covariates
from omicsfusion.models.training_task import train_group
from omicsfusion.preprocess.preparing import PrepareRequest, prepare
from omicsfusion.recipes.catalogue import read_catalogue
from omicsfusion.recipes.recipe import Recipe, settle
from omicsfusion.tables.mistakes import BATCH, SELECTION, TUNING
from omicsfusion.tables.outcome import read_outcome, read_samples
from omicsfusion.tables.tsv import read_tsv, write_tsv
from tests.layer_files import names, write_layer
from tests.unit.test_splits import split

TASK = "classification"
RECIPE = settle(read_catalogue(), "rna_log")
SEEDS = (1, 2, 3, 4)


@dataclass(frozen=True)
class Noise:
    """A cohort of noise: its files and its honest splits."""

    folder: Path
    layer: Path
    samples: Path
    splits: pd.DataFrame


def noise(folder: Path, seed: int, n: int, features: int, batches: int = 1) -> Noise:
    """Half of the samples are cases; a batch has four of one class to one of the other.

    Batches shift every feature, and are whole in a fold: they tell nothing of the outcome.
    """
    folder.mkdir()
    rng = np.random.default_rng(seed)
    batch = np.arange(n) % batches
    shift = rng.normal(size=(batches, features)) if batches > 1 else np.zeros((1, features))
    layer = write_layer(folder, rng.normal(size=(n, features)) + shift[batch])
    ids = names("s", n)
    table = pd.DataFrame({"sample": ids, "patient": ids, "cohort": "main", "role": "train"})
    table = table.assign(group=ids, split="", layers="rna", batch=[f"b{b:02d}" for b in batch])
    table["truth"] = rng.permutation(np.resize(["case", "control"], n))
    if batches > 1:
        table["group"] = table["batch"]
        most = np.arange(n) // batches < 0.8 * n / batches
        table["truth"] = np.where(most == (batch % 2 == 0), "case", "control")
    write_tsv(table, folder / "samples.tsv")
    samples = read_samples(folder / "samples.tsv", TASK)
    splits = split(samples, read_outcome(folder / "samples.tsv", TASK), folds=3)
    return Noise(folder, layer, folder / "samples.tsv", splits[splits["repeat"] > 0])


def predicted(
    cohort: Noise,
    model: str,
    group: str,
    splits: tuple[pd.DataFrame, pd.DataFrame],
    recipe: Recipe,
    covariates: Path | None = None,
) -> pd.DataFrame:
    """Prepare on the first table of scopes and train on the second, as the processes do."""
    folder = cohort.folder / f"{group}.{model}"
    folder.mkdir()
    stem = folder / f"rna.{group}"
    for name, table in zip(("prepare", "train"), splits, strict=True):
        write_tsv(table, folder / f"{name}.tsv")
    (folder / "recipe.json").write_text(recipe.to_json(), encoding="utf-8")
    request = PrepareRequest(
        str(stem),
        [cohort.layer],
        folder / "prepare.tsv",
        cohort.samples,
        group,
        TASK,
        folder / "recipe.json",
        covariates=covariates,
    )
    prepare(request)
    train_group(
        out=str(folder / model),
        model=model,
        matrices=[Path(f"{stem}.matrices.h5")],
        splits=folder / "train.tsv",
        samples=cohort.samples,
        horizons=None,
        group=group,
        task=TASK,
        target="truth",
        seed=1,
        ensemble=1,
    )
    return gather_predictions([folder / f"{model}.predictions.tsv"], TASK)


def claims(cohort: Noise, model: str, mistake: str) -> pd.Series:
    """Return the row of AUROC of a model and a mistake."""
    made = look_ahead(cohort.splits, mistake)
    own = made.networks if model == "fused" else made.train
    covariates = None
    if mistake == BATCH:
        covariates = cohort.folder / "covariates.tsv"
        samples = read_samples(cohort.samples, TASK)
        write_tsv(outcome_as_covariates(samples, TASK), covariates)
    recipe = mistaken_recipe(mistake, RECIPE, TASK, read_catalogue())
    honest = predicted(cohort, model, "all", (cohort.splits, cohort.splits), RECIPE)
    claimed = predicted(cohort, model, mistake, (made.prepare, own), recipe, covariates)
    table = score_claims(honest, {mistake: claimed}, TASK, [mistake])
    return table[(table["metric"] == "auroc") & (table["mistake"] == mistake)].iloc[0]


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Threads of BLAS that wait for each other made these small fits 20 times as slow."""
    with threadpool_limits(1):
        yield


@pytest.mark.parametrize(
    ("mistake", "cohort"),
    [
        (SELECTION, {"n": 60, "features": 2000}),
        (BATCH, {"n": 60, "features": 300, "batches": 12}),
    ],
)
def test_noise_is_at_chance_and_a_mistake_makes_it_predict(mistake, cohort, tmp_path):
    """Four cohorts of fixed seeds, so that nothing here is drawn anew.

    The AUROC of 30 against 30 samples of noise has a standard deviation of 0.075, and the mean of
    four half of it: the honest one is let off by four of these, a claim of 0.95 lies six of the
    first above chance.
    """
    rows = [claims(noise(tmp_path / str(k), k, **cohort), "linear", mistake) for k in SEEDS]
    found = pd.DataFrame(rows)
    assert found["honest"].mean() == pytest.approx(0.5, abs=0.15)
    assert found["claimed"].min() > 0.95


def test_networks_stop_on_the_folds_that_they_are_tested_on(tmp_path):
    cohort = noise(tmp_path / "cohort", 1, n=45, features=10)
    made = look_ahead(cohort.splits, TUNING)
    found = predicted(cohort, "fused", TUNING, (made.prepare, made.networks), RECIPE)
    training = read_tsv(cohort.folder / "tuning.fused" / "fused.training.tsv")
    assert (training["status"] == "ok").all()
    assert (training[["n_train", "n_stop", "n_test"]] == [30, 15, 15]).all(axis=None)
    tested = found[found["scope"] == "test"]
    assert sorted(tested["sample"]) == list(names("s", 45))
    assert tested["p_case"].between(0, 1, inclusive="neither").all()
