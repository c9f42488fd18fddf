"""What each model makes of a planted signal: an interaction of two layers, and an additive one.

    .tools/bin/python benchmarks/planted_signals.py [--signals interaction sum additive]
        [--models linear fused early …] [--out FILE]

- ``interaction``: 600 patients, two layers of 200 features. Each layer has a latent factor, N(0,1);
  30 of its features are the factor plus noise of sd 0.5 (the factor moves them by 2 sd of noise),
  the others noise of sd 1. The class is the sign of the product of both factors, without noise of
  its own: neither layer alone, nor any sum over features, tells it. 5 seeds.
- ``sum``: 500 patients, the same layers; the log odds of the class are 1.5 times the sum of both
  factors. 10 seeds.
- ``additive``: 500 patients, layers of noise without factors; the log odds of the class are a sum
  over 30 features of each layer with weights N(0, 0.3). 10 seeds.

Five folds each; a fifth of the training samples stops the networks and tunes nothing else. All
models run with the defaults of the pipeline (0 trials). It prints, and writes to FILE, the mean AUC
over seeds of the held-out samples (mean over folds), its standard deviation over seeds, and the
seconds that all fits took.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bin"))

from omicsfusion.models.cohort import GroupReader  # noqa: E402
from omicsfusion.models.fit import prediction_table  # noqa: E402
from omicsfusion.models.registry import parse_model  # noqa: E402
from omicsfusion.models.request import TrainingRequest  # noqa: E402
from omicsfusion.models.trainers import trainer_of  # noqa: E402
from omicsfusion.preprocess.matrices import write_matrices  # noqa: E402
from omicsfusion.scopes import Scope, read_splits  # noqa: E402
from omicsfusion.tables.outcome import read_outcome  # noqa: E402
from omicsfusion.tables.tsv import write_tsv  # noqa: E402

LAYERS = ("cnv", "rna")
FEATURES, INFORMATIVE = 200, 30
SIGNALS = {"interaction": (600, 5), "sum": (500, 10), "additive": (500, 10)}
FOLDS = 5
INNER_FOLDS = 3
NETWORKS = ("fused", "early", "late", "attention", "tensor", "autoencoder", "vae")
ALONE = tuple(f"{family}-only-{layer}" for family in ("linear", "fused") for layer in LAYERS)
MODELS = ("linear", *ALONE, *NETWORKS)
COLUMNS = ("signal", "model", "mean_auc", "sd_over_seeds", "seeds", "seconds")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--signals", nargs="+", choices=SIGNALS, default=list(SIGNALS))
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--out", type=Path, default=Path("planted_signals.tsv"))
    given = parser.parse_args()
    rows = []
    for signal in given.signals:
        with tempfile.TemporaryDirectory() as folder:
            for inner in (0, INNER_FOLDS):
                write_cohorts(Path(folder) / str(inner), signal, inner)
            for model in given.models:
                # Whoever learns from inner folds has them; for others they would only take time.
                inner = INNER_FOLDS if model.startswith(("linear", "late")) else 0
                rows.append((signal, model, *score(Path(folder) / str(inner), model)))
                print("\t".join(map(str, rows[-1])), flush=True)
    text = ["\t".join(COLUMNS), *("\t".join(map(str, row)) for row in rows)]
    given.out.write_text("".join(f"{line}\n" for line in text), encoding="utf-8")


def score(folder: Path, model: str) -> tuple[str, str, int, str]:
    """Train a model on every fold of every seed: AUC, its spread, seeds, seconds."""
    reader = GroupReader(sorted(folder.glob("*.matrices.h5")), read_splits(folder / "splits.tsv"))
    outcome = read_outcome(folder / "samples.tsv", "classification")
    spec = parse_model(model, LAYERS)
    started = time.monotonic()
    fits = trainer_of(spec.family)(TrainingRequest(spec, outcome, [], seed=1), reader)
    seconds = time.monotonic() - started
    table = prediction_table(fits, model, "class", outcome).query("scope == 'test'")
    of_fold = {
        key: roc_auc_score(of_one["truth"] == "yes", of_one["p_yes"])
        for key, of_one in table.groupby(["repeat", "fold"])
    }
    of_seed = pd.Series(of_fold).groupby(level=0).mean()
    return f"{of_seed.mean():.3f}", f"{of_seed.std():.3f}", len(of_seed), f"{seconds:.0f}"


def write_cohorts(folder: Path, signal: str, inner: int) -> None:
    """Write one cohort for each seed, its patients named for it, as repeats of one run.

    Training sets have so many inner folds.
    """
    folder.mkdir()
    n, seeds = SIGNALS[signal]
    blocks: dict[str, list[tuple[Scope, np.ndarray, list[str], list[str]]]] = {
        layer: [] for layer in LAYERS
    }
    samples, splits = [], []
    for seed in range(1, seeds + 1):
        x, truth = MAKE[signal](np.random.default_rng(seed), n)
        names = np.array([f"s{seed:02d}_{number:03d}" for number in range(n)])
        columns = {"sample": names, "patient": names, "cohort": "main", "role": "train"}
        more = {"group": names, "batch": "", "split": "", "layers": ";".join(LAYERS)}
        truth = np.where(truth, "yes", "no")
        samples.append(pd.DataFrame({**columns, **more, "truth": truth}))
        for scope, role in roles_of(seed, n, inner):
            kept = role != ""
            where = {"permutation": 0, "repeat": seed, "fold": scope.fold, "inner": scope.inner}
            of_scope = {"group": "all", "sample": names, "patient": names, "role": role}
            splits.append(pd.DataFrame({**where, **of_scope})[kept])
            for layer in LAYERS:
                fitted = x[layer][kept & (role != "test")]
                scaled = (x[layer][kept] - fitted.mean(axis=0)) / fitted.std(axis=0)
                features = [f"{layer}_{column}" for column in range(FEATURES)]
                blocks[layer].append((scope, scaled.astype("f4"), list(names[kept]), features))
    write_tsv(pd.concat(samples), folder / "samples.tsv")
    write_tsv(pd.concat(splits), folder / "splits.tsv")
    for layer, of_layer in blocks.items():
        write_matrices(folder / f"{layer}.all.matrices.h5", layer, layer, "all", of_layer)


def roles_of(seed: int, n: int, inner: int) -> Iterator[tuple[Scope, np.ndarray]]:
    """Yield each scope of a seed and the roles of its samples; empty for those it leaves out."""
    place = np.arange(n)
    stop = place // FOLDS % FOLDS == 0
    for fold in range(1, FOLDS + 1):
        test = place % FOLDS == fold - 1
        yield Scope(seed, fold, "outer"), np.where(test, "test", np.where(stop, "stop", "train"))
        for number in range(inner):
            held_out = place // FOLDS**2 % inner == number
            role = np.where(held_out, "test", np.where(stop, "stop", "train"))
            yield Scope(seed, fold, str(number)), np.where(test, "", role)


def with_factors(
    rng: np.random.Generator, n: int
) -> tuple[dict[str, np.ndarray], list[np.ndarray]]:
    """Return the layers and the factor of each."""
    z = {layer: rng.normal(size=n) for layer in LAYERS}
    x = {layer: rng.normal(size=(n, FEATURES)) for layer in LAYERS}
    for layer, values in x.items():
        values[:, :INFORMATIVE] = z[layer][:, None] + 0.5 * values[:, :INFORMATIVE]
    return x, list(z.values())


def interaction(rng: np.random.Generator, n: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the layers and who is of the class."""
    x, z = with_factors(rng, n)
    return x, np.prod(z, axis=0) > 0


def sum_of_factors(rng: np.random.Generator, n: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the layers and who is of the class."""
    x, z = with_factors(rng, n)
    return x, rng.random(n) < 1 / (1 + np.exp(-1.5 * np.sum(z, axis=0)))


def additive(rng: np.random.Generator, n: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the layers and who is of the class."""
    x = {layer: rng.normal(size=(n, FEATURES)) for layer in LAYERS}
    weights = rng.normal(scale=0.3, size=(len(LAYERS), INFORMATIVE))
    odds = sum(
        values[:, :INFORMATIVE] @ weight for values, weight in zip(x.values(), weights, strict=True)
    )
    return x, rng.random(n) < 1 / (1 + np.exp(-odds))


MAKE = {"interaction": interaction, "sum": sum_of_factors, "additive": additive}

if __name__ == "__main__":
    main()
