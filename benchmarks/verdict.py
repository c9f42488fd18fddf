"""How often the verdict is right: simulated cohorts, real models, the whole automatic rule.

    .tools/bin/python benchmarks/verdict.py [--signals none linear clinical interaction]
        [--cohorts 200] [--effects 1.0] [--at_once 10] [--out FILE]

Two layers of 200 features, 30 of each informative (a latent factor plus noise of sd 0.5, as in
planted_signals.py), and three clinical covariates; two classes:

- ``none`` (300 patients): the class hangs on nothing.
- ``linear`` (300): its log odds are 1.5 times the sum of both factors, which a linear model sees
  as well as any.
- ``clinical`` (300): its log odds are 1.5 times the first covariate; the layers tell nothing.
- ``interaction`` (600): it is the sign of the product of both factors. With ``--effects 0.5`` half
  of the classes are drawn at random instead, and so on: power at smaller effects.

Five folds, two repeats, three inner folds for models that tune; 0 trials; no negative controls, so
that chance is judged by the bootstrap. Networks of several cohorts are trained together, as repeats
of one run, which changes no member. A line for each cohort and question goes to FILE; printed is
how often each verdict was given.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bin"))

from omicsfusion.assess.comparison.judging import compare  # noqa: E402
from omicsfusion.assess.comparison.verdict import Margins  # noqa: E402
from omicsfusion.models.cohort import GroupReader  # noqa: E402
from omicsfusion.models.fit import prediction_table  # noqa: E402
from omicsfusion.models.registry import parse_model  # noqa: E402
from omicsfusion.models.request import TrainingRequest  # noqa: E402
from omicsfusion.models.trainers import trainer_of  # noqa: E402
from omicsfusion.preprocess.matrices import write_matrices  # noqa: E402
from omicsfusion.scopes import Scope, read_splits  # noqa: E402
from omicsfusion.seeds import seed_for  # noqa: E402
from omicsfusion.tables.outcome import read_outcome  # noqa: E402
from omicsfusion.tables.tsv import write_tsv  # noqa: E402

PATIENTS = {"none": 300, "linear": 300, "clinical": 300, "interaction": 600}
LAYERS = ("clinical", "cnv", "rna")
FEATURES, INFORMATIVE, COVARIATES = 200, 30, 3
FOLDS, REPEATS, INNER_FOLDS = 5, 2, 3
MODELS = ("clinical", "linear", "linear-only-cnv", "linear-only-rna", "fused", "fused+clinical")
SHOWN = ("question", "verdict", "difference", "ci_low", "ci_high", "se", "p", "p_holm")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--signals", nargs="+", choices=PATIENTS, default=list(PATIENTS))
    parser.add_argument("--cohorts", type=int, default=200)
    parser.add_argument("--effects", type=float, nargs="+", default=[1.0])
    parser.add_argument("--at_once", type=int, default=10, help="cohorts trained together")
    parser.add_argument("--out", type=Path, default=Path("verdicts.tsv"))
    given = parser.parse_args()
    rows = []
    for signal in given.signals:
        for effect in given.effects:
            for start in range(0, given.cohorts, given.at_once):
                cohorts = range(start, min(start + given.at_once, given.cohorts))
                rows += judged(signal, effect, cohorts)
                pd.DataFrame(rows).to_csv(given.out, sep="\t", index=False)
                print(summary(rows, signal, effect), flush=True)


def summary(rows: list[dict[str, object]], signal: str, effect: float) -> str:
    """Count the verdicts of a signal so far."""
    table = pd.DataFrame(rows)
    table = table[(table["signal"] == signal) & (table["effect"] == effect)]
    counts = table.groupby(["signal", "effect", "question"])["verdict"].value_counts()
    return counts.to_string(header=False)


def judged(signal: str, effect: float, cohorts: range) -> Iterator[dict[str, object]]:
    """Train all models on some cohorts and judge each."""
    with tempfile.TemporaryDirectory() as folder:
        for inner in (0, INNER_FOLDS):
            write_cohorts(Path(folder) / str(inner), signal, effect, cohorts, inner)
        # A network that is the only one of its side is not chosen by inner folds.
        tables = [
            predictions(Path(folder) / str(0 if model.startswith("fused") else INNER_FOLDS), model)
            for model in MODELS
        ]
    table = pd.concat(tables)
    for cohort in cohorts:
        here = (table["repeat"] - 1) // REPEATS == cohort
        own = table[here].assign(repeat=(table.loc[here, "repeat"] - 1) % REPEATS + 1)
        _, _, record = compare(own, ["fused"], "classification", cohort, Margins())
        for question in record["targets"][0]["questions"]:
            about = {"signal": signal, "effect": effect, "cohort": cohort}
            yield {**about, **{name: question[name] for name in SHOWN}}


def predictions(folder: Path, model: str) -> pd.DataFrame:
    """Train a model on every scope and return its predictions."""
    reader = GroupReader(sorted(folder.glob("*.matrices.h5")), read_splits(folder / "splits.tsv"))
    outcome = read_outcome(folder / "samples.tsv", "classification")
    spec = parse_model(model, LAYERS)
    fits = trainer_of(spec.family)(TrainingRequest(spec, outcome, [], seed=1), reader)
    return prediction_table(fits, model, "class", outcome)


def write_cohorts(folder: Path, signal: str, effect: float, cohorts: range, inner: int) -> None:
    """Write cohorts, each with patients and repeats of its own, as one run with inner folds."""
    folder.mkdir()
    blocks: dict[str, list[tuple[Scope, np.ndarray, list[str], list[str]]]] = {
        layer: [] for layer in LAYERS
    }
    samples, splits = [], []
    for cohort in cohorts:
        rng = np.random.default_rng(seed_for(cohort, "verdict", signal, str(effect)))
        n = PATIENTS[signal]
        x, truth = simulated(rng, n, signal, effect)
        names = np.array([f"s{cohort:03d}_{number:03d}" for number in range(n)])
        columns = {"sample": names, "patient": names, "cohort": "main", "role": "train"}
        more = {"group": names, "batch": "", "split": "", "layers": ";".join(LAYERS)}
        truth = np.where(truth, "yes", "no")
        samples.append(pd.DataFrame({**columns, **more, "truth": truth}))
        for scope, role in roles_of(rng, cohort, n, inner):
            kept = role != ""
            where = {"permutation": 0, "repeat": scope.repeat, "fold": scope.fold}
            of_scope = {"inner": scope.inner, "group": "all", "sample": names, "patient": names}
            splits.append(pd.DataFrame({**where, **of_scope, "role": role})[kept])
            for layer in LAYERS:
                fitted = x[layer][kept & (role != "test")]
                scaled = (x[layer][kept] - fitted.mean(axis=0)) / fitted.std(axis=0)
                features = [f"{layer}_{column}" for column in range(scaled.shape[1])]
                blocks[layer].append((scope, scaled.astype("f4"), list(names[kept]), features))
    write_tsv(pd.concat(samples), folder / "samples.tsv")
    write_tsv(pd.concat(splits), folder / "splits.tsv")
    for layer, of_layer in blocks.items():
        write_matrices(folder / f"{layer}.all.matrices.h5", layer, layer, "all", of_layer)


def simulated(
    rng: np.random.Generator, n: int, signal: str, effect: float
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the layers, patients x features, and who is of the class."""
    z = rng.normal(size=(2, n))
    x = {layer: rng.normal(size=(n, FEATURES)) for layer in ("cnv", "rna")}
    for factor, values in zip(z, x.values(), strict=True):
        values[:, :INFORMATIVE] = factor[:, None] + 0.5 * values[:, :INFORMATIVE]
    x["clinical"] = rng.normal(size=(n, COVARIATES))
    if signal == "interaction":
        drawn = rng.random(n) < 0.5
        return x, np.where(rng.random(n) < effect, z[0] * z[1] > 0, drawn)
    odds = {
        "none": np.zeros(n),
        "linear": 1.5 * z.sum(axis=0),
        "clinical": 1.5 * x["clinical"][:, 0],
    }
    return x, rng.random(n) < 1 / (1 + np.exp(-effect * odds[signal]))


def roles_of(
    rng: np.random.Generator, cohort: int, n: int, inner: int
) -> Iterator[tuple[Scope, np.ndarray]]:
    """Yield each scope of a cohort and the roles of its samples; empty for those it leaves out."""
    for repeat in range(REPEATS):
        place = rng.permutation(n)
        stop = place // FOLDS % FOLDS == 0
        for fold in range(1, FOLDS + 1):
            test = place % FOLDS == fold - 1
            role = np.where(test, "test", np.where(stop, "stop", "train"))
            number = cohort * REPEATS + repeat + 1
            yield Scope(number, fold, "outer"), role
            for part in range(inner):
                held_out = place // FOLDS**2 % inner == part
                inside = np.where(held_out, "test", np.where(stop, "stop", "train"))
                yield Scope(number, fold, str(part)), np.where(test, "", inside)


if __name__ == "__main__":
    main()
