"""How often the verdict is right: simulated cohorts, real models, the whole automatic rule.

    .tools/bin/python benchmarks/verdict.py [--signals none linear clinical interaction]
        [--cohorts 200] [--effects 1.0] [--at_once 20] [--out FILE]

Two layers of 200 features, 30 of each informative (a latent factor plus noise of sd 0.5, as in
planted_signals.py), and three clinical covariates; two classes:

- ``none`` (300 patients): the class hangs on nothing.
- ``linear`` (300): its log odds are 1.5 times the sum of both factors, which a linear model sees
  as well as any. Only the headline is asked: both layers do add to one, and omics to covariates.
- ``clinical`` (300): its log odds are 1.5 times the first covariate; the layers tell nothing.
- ``interaction`` (600): it is the sign of the product of both factors. With ``--effects 0.5`` half
  of the classes are drawn at random instead, and so on: power at smaller effects. The network is
  ``attention``: the default one adds up what the layers say (docs/benchmarks.md, planted signals).

Five folds, two repeats, three inner folds for models that tune; 0 trials; no negative controls, so
that chance is judged by the bootstrap. Networks of several cohorts are trained together, as repeats
of one run, which changes no member. The rule calls a network that is not better than chance 'no
usable signal' whatever it is measured against, so that the models on the other side are only
trained where it is better. A line for each cohort and question goes to FILE; printed is how often
each verdict was given.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bin"))

from omicsfusion.assess.comparison.judging import Background, compare  # noqa: E402
from omicsfusion.assess.comparison.verdict import NO_SIGNAL, Margins  # noqa: E402
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
NETWORK = {"none": "fused", "linear": "fused", "clinical": "fused", "interaction": "attention"}
SINGLE_LAYERS = ("linear-only-cnv", "linear-only-rna")
OTHERS = {
    "none": ("linear", *SINGLE_LAYERS),
    "linear": ("linear",),
    "clinical": ("linear", *SINGLE_LAYERS),
    "interaction": ("linear", *SINGLE_LAYERS),
}
"""What the network is measured against."""

WITH_COVARIATES = ("none", "clinical")
SHOWN = ("question", "verdict", "difference", "ci_low", "ci_high", "se", "p", "p_holm")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--signals", nargs="+", choices=PATIENTS, default=list(PATIENTS))
    parser.add_argument("--cohorts", type=int, default=200)
    parser.add_argument("--effects", type=float, nargs="+", default=[1.0])
    parser.add_argument("--at_once", type=int, default=20, help="cohorts trained together")
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
    """Train the models on some cohorts and judge each."""
    network = NETWORK[signal]
    with_covariates = signal in WITH_COVARIATES
    first = [network, f"{network}+clinical"] if with_covariates else [network]
    # A network that is the only one of its side is not chosen by inner folds.
    parts = [predictions(first, signal, effect, cohorts, inner=0)]
    if with_covariates:
        parts.append(predictions(["clinical"], signal, effect, cohorts, INNER_FOLDS))
    tables = of_cohorts(pd.concat(parts))
    found = {cohort: questions_of(tables[cohort], network, cohort) for cohort in cohorts}
    better = [cohort for cohort in cohorts if found[cohort]["beats_chance"]]
    others = predictions(OTHERS[signal], signal, effect, better, INNER_FOLDS) if better else None
    for cohort in cohorts:
        about = {"signal": signal, "effect": effect, "cohort": cohort}
        questions = found[cohort]["questions"]
        if cohort in better:
            table = pd.concat([tables[cohort], of_cohorts(others)[cohort]])
            questions = questions_of(table, network, cohort)["questions"]
        else:
            for name in ("shallow", "best_layer"):
                yield {**about, "question": name, "verdict": NO_SIGNAL}
        for question in questions:
            yield {**about, **{name: question[name] for name in SHOWN}}


def questions_of(table: pd.DataFrame, network: str, cohort: int) -> dict[str, Any]:
    """Judge the models of one cohort."""
    networks = sorted(set(NETWORK.values()), key=lambda name: name != network)
    _, _, record = compare(table, networks, "classification", cohort, Margins(), Background())
    return record["targets"][0]


def of_cohorts(table: pd.DataFrame) -> dict[int, pd.DataFrame]:
    """Part predictions by cohort, whose repeats are numbered from 1 again."""
    number = (table["repeat"] - 1) // REPEATS
    own = table.assign(repeat=(table["repeat"] - 1) % REPEATS + 1)
    return {int(cohort): rows for cohort, rows in own.groupby(number)}


def predictions(
    models: Sequence[str], signal: str, effect: float, cohorts: Sequence[int], inner: int
) -> pd.DataFrame:
    """Train some models on every scope of some cohorts and return their predictions.

    Raises
    ------
    RuntimeError
        When a fit failed: the verdict would be about failures.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_cohorts(folder, signal, effect, cohorts, inner)
        splits = read_splits(folder / "splits.tsv")
        reader = GroupReader(sorted(folder.glob("*.matrices.h5")), splits)
        outcome = read_outcome(folder / "samples.tsv", "classification")
        tables = []
        for model in models:
            spec = parse_model(model, LAYERS)
            fits = trainer_of(spec.family)(TrainingRequest(spec, outcome, [], seed=1), reader)
            if failed := [fit.record["reason"] for fit in fits if fit.record["status"] == "failed"]:
                raise RuntimeError(f"{model}: {len(failed)} fits failed, the first: {failed[0]}")
            tables.append(prediction_table(fits, model, "class", outcome))
    return pd.concat(tables)


def write_cohorts(
    folder: Path, signal: str, effect: float, cohorts: Sequence[int], inner: int
) -> None:
    """Write cohorts, each with patients and repeats of its own, as one run with inner folds."""
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
