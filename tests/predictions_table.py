"""Small predictions tables, as TRAIN writes them, of invented patients and models."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

CLASSES = ("basal", "her2", "luminal")
HORIZONS = ("1.5", "3.0")
MODELS = ("clinical", "fused")


def predictions_table(
    task: str,
    patients: int = 36,
    samples_per_patient: int = 1,
    external: int = 0,
    models: Sequence[str] = MODELS,
    seed: int = 0,
) -> pd.DataFrame:
    """Simulate two repeats of three outer folds with two inner folds each, and the final scope.

    A model's prediction is a noisy view of the truth, rounded so that ties occur.
    """
    rng = np.random.default_rng(seed)
    outcome = _outcome(task, patients + external, samples_per_patient, rng)
    here, elsewhere = outcome[outcome["number"] < patients], outcome[outcome["number"] >= patients]
    parts = []
    for model in models:
        for repeat in (1, 2):
            folds = rng.permutation(patients) % 3
            for fold in (1, 2, 3):
                held_out = folds[here["number"]] == fold - 1
                parts.append(_fit(here[held_out], model, "test", repeat, fold, "outer"))
                parts.append(_fit(elsewhere, model, "external", repeat, fold, "outer"))
                parts += _inner_fits(here[~held_out], model, repeat, fold)
        parts.append(_fit(elsewhere, model, "external", 0, 0, "final"))
        parts += _inner_fits(here, model, 0, 0)
    table = pd.concat(parts, ignore_index=True).drop(columns="number")
    return pd.concat([table, _predictions(task, table, rng)], axis=1)


def layers_of(table: pd.DataFrame) -> pd.DataFrame:
    """Give the samples of a predictions table their layers: every third has no ``cnv``."""
    samples = sorted(table["sample"].unique())
    layers = ["rna" if number % 3 == 0 else "rna;cnv" for number in range(len(samples))]
    return pd.DataFrame({"sample": samples, "layers": layers})


def _outcome(task: str, patients: int, each: int, rng: np.random.Generator) -> pd.DataFrame:
    number = np.repeat(np.arange(patients), each)
    table = pd.DataFrame(
        {
            "number": number,
            "sample": [f"S{n:03d}-{i}" for n in range(patients) for i in range(each)],
            "patient": [f"P{n:03d}" for n in number],
        }
    )
    if task == "classification":
        return table.assign(truth=rng.permutation(np.resize(CLASSES, patients))[number])
    if task == "regression":
        return table.assign(truth=rng.normal(10, 3, patients).round(1)[number])
    time = (rng.exponential(3, patients).round(1) + 0.1)[number]
    return table.assign(time=time, event=(rng.random(patients) < 0.6).astype(int)[number])


def _inner_fits(rows: pd.DataFrame, model: str, repeat: int, fold: int) -> list[pd.DataFrame]:
    return [
        _fit(rows[rows["number"] % 2 == inner], model, "inner", repeat, fold, str(inner))
        for inner in (0, 1)
    ]


def _fit(
    rows: pd.DataFrame, model: str, scope: str, repeat: int, fold: int, inner: str
) -> pd.DataFrame:
    ids = {"permutation": 0, "target": "outcome", "model": model, "scope": scope}
    return rows.assign(**ids, repeat=repeat, fold=fold, inner=inner)


def _predictions(task: str, table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    noise = rng.normal(size=len(table))
    if task == "classification":
        score = np.column_stack([1.5 * (table["truth"] == name) for name in CLASSES])
        score = np.exp((score + rng.normal(size=score.shape)).round(1))
        columns = [f"p_{name}" for name in CLASSES]
        return pd.DataFrame(score / score.sum(axis=1, keepdims=True), columns=columns)
    if task == "regression":
        return pd.DataFrame({"mean": (table["truth"] + 2 * noise).round(0), "sd": 2.0})
    risk = (noise - np.log(table["time"])).round(1)
    curves = {f"s_{t}": np.exp(-float(t) / 4 * np.exp(risk / 2)) for t in HORIZONS}
    own = np.exp(-table["time"] / 4 * np.exp(risk / 2))
    return pd.DataFrame({"risk": risk, **curves, "own_survival": own})
