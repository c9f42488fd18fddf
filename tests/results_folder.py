"""A folder of published results of an invented run, as REPORT gets it (docs/architecture.md)."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from omicsfusion.assess.comparison.judging import Background, compare
from omicsfusion.assess.comparison.verdict import Margins
from omicsfusion.assess.learning_curve import learning_curve
from omicsfusion.assess.optimism import score_claims
from omicsfusion.assess.patterns import metrics_by_pattern, patterns_of
from omicsfusion.assess.predictions import classes_of
from omicsfusion.assess.seed_spread import seed_spread
from omicsfusion.assess.summary import assess
from omicsfusion.tables.mistakes import SELECTION, TUNING
from omicsfusion.tables.problems import Problems, write_problems
from omicsfusion.tables.tsv import write_tsv
from tests.examined_tables import write_examined
from tests.predictions_table import CLASSES, predictions_table

MODELS = ("clinical", "fused", "linear")
LAYERS = {"clinical": "clinical", "methylation": "methylation_beta", "rna": "rna_log"}
FEATURES = 30


def write_results(
    folder: Path,
    task: str,
    patients: int = 36,
    external: int = 0,
    models: Sequence[str] = MODELS,
    class_names: Sequence[str] = CLASSES,
    feature_names: Sequence[str] = (),
    failed_fits: int = 0,
    left_out: Sequence[tuple[str, str]] = (),
    problems: Problems | None = None,
    examined: bool = True,
    trials: int = 0,
    learning: bool = False,
    controls: int = 0,
    optimism: bool = False,
) -> Path:
    """Write the whole folder and return it.

    Parameters
    ----------
    class_names
        Three names for the classes of a classification.
    feature_names
        Names of the first features of layer ``rna``, the ones that matter most.
    left_out
        ``(sample, reason)`` of samples that are not used.
    examined
        Whether batches are known and there are the tables of QC and the like; older runs have none.
    trials
        Of each training set of the networks; runs from before tuning have no such files.
    learning
        Whether the run drew a learning curve, of which a quarter of the patients was left out.
    controls
        How many permutations of the outcome were trained on.
    optimism
        Whether the run showed what the usual mistakes claim, without batches.
    """
    table = predictions_table(task, patients, external=external, models=models)
    table = _with_class_names(table, class_names) if task == "classification" else table
    splits = _splits(table)
    samples = _samples(table, task, splits)
    if examined:
        samples["batch"] = [f"site {i % 3}" if i % 7 else "" for i in range(len(samples))]
        write_examined(folder, samples, _scopes(splits), LAYERS, feature_names)
    _write(folder / "input/samples.tsv", samples)
    _write(folder / "input/layers.tsv", _layers(samples))
    _write(folder / "input/sample_accounting.tsv", _accounting(samples, left_out))
    write_problems(problems or Problems(), folder / "input/problems.tsv")
    _write(folder / "splits/splits.tsv", splits)
    for layer in LAYERS:
        _write(folder / f"preprocess/{layer}.all.features.tsv", _features(layer, splits))
    _write(folder / "predictions/predictions.tsv", table)
    permuted = [_permuted(table, number) for number in range(1, controls + 1)]
    assessed = assess(pd.concat([table, *permuted]), task, seed=1)
    members = _members(table[table["model"].str.startswith("fused")])
    assessed["seeds"] = seed_spread(members, table, assessed["metrics"], task)
    for name, written in assessed.items():
        _write(folder / f"assess/{name}.tsv", written)
    comparison, ranks, verdict = compare(table, ["fused"], task, 1, Margins(), Background())
    _write(folder / "assess/comparison.tsv", comparison)
    _write(folder / "assess/ranks.tsv", ranks)
    _write_json(folder / "assess/verdict.json", verdict)
    by_pattern = metrics_by_pattern(table, patterns_of(samples), task, seed=1)
    _write(folder / "assess/metrics_by_pattern.tsv", by_pattern)
    if learning:
        _write(folder / "assess/learning_curve.tsv", _learning(table, task))
    if optimism:
        _write(folder / "assess/optimism.tsv", _optimism(table, task))
    for model in models:
        _write(folder / f"models/{model}.all.training.tsv", _training(model, splits, failed_fits))
        if model.startswith("fused"):
            _write(folder / f"models/{model}.all.curves.tsv", _curves(model, splits))
            if trials:
                _write_tuning(folder, model, splits, trials)
            outputs = {"classification": class_names, "survival": ["risk"]}.get(task, ["mean"])
            _write(
                folder / f"explain/{model}.importance.tsv",
                _importance(model, outputs, feature_names),
            )
            _write(folder / f"explain/{model}.additivity.tsv", _additivity(model, outputs))
            _write(folder / "enrich/enrichment.tsv", _enrichment(model, outputs))
            _write(folder / "enrich/enrichment_notes.tsv", _enrichment_notes(model, outputs))
    record = {"schema": 1, "version": "0.1.0", "params": _params(task, models)}
    _write_json(folder / "pipeline_info/params.json", record)
    return folder


def edit_table(path: Path, change) -> None:
    """Read a table as text, change it, write it back."""
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    write_tsv(change(table), path)


def _write(path: Path, table: pd.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_tsv(table, path)


def _write_json(path: Path, record: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record), encoding="utf-8")


def _optimism(table: pd.DataFrame, task: str) -> pd.DataFrame:
    """Score the truth itself as a claim, and the run's own predictions as another."""
    first = table[(table["repeat"] == 1) & (table["scope"] == "test")]
    seen = first.copy()
    if task == "classification":
        for name in classes_of(table):
            seen[f"p_{name}"] = (seen["truth"] == name).astype(float)
    else:
        known = -seen["time"] if task == "survival" else seen["truth"]
        seen["risk" if task == "survival" else "mean"] = known
    return score_claims(table, {SELECTION: seen, TUNING: first}, task, (SELECTION, TUNING))


def _learning(table: pd.DataFrame, task: str) -> pd.DataFrame:
    """Score the run's own predictions, and others of the same patients in the place of shares."""
    n_events = [3.0, 6.0, 9.0, 12.0] if task == "survival" else [None] * 4
    shares = pd.DataFrame(
        {
            "share": [0.25, 0.5, 0.75, 1.0],
            "n_patients": [6.0, 12.0, 18.0, 24.0],
            "n_events": n_events,
            "reason": [
                "of 9 training sets, inner ones among them, 2 would hold no event",
                *[""] * 3,
            ],
        }
    )
    first = table[table["repeat"] == 1]
    predicted = first.columns[first.columns.str.match("p_|s_|own_|risk$|mean$")]
    half = first.copy()
    half[predicted] = half.groupby(["model", "fold"])[list(predicted)].transform("mean")
    return learning_curve(table, {0.5: half, 0.75: first}, shares, task, seed=1)


def _members(table: pd.DataFrame) -> pd.DataFrame:
    """Take three networks from a model: each gives every third patient the mean prediction."""
    tested = table[table["scope"] == "test"].reset_index(drop=True)
    predicted = list(tested.columns[tested.columns.str.match("p_|s_|own_|risk$|mean$")])
    means = tested.groupby(["model", "repeat", "fold"])[predicted].transform("mean")
    parts = []
    for number in (1, 2, 3):
        part = tested.assign(member=number)
        third = part.index % 3 == number - 1
        part.loc[third, predicted] = means.loc[third]
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _permuted(table: pd.DataFrame, number: int) -> pd.DataFrame:
    """Give each patient of the first repeat the prediction of another of the same fold."""
    rng = np.random.default_rng(number)
    first = table[(table["repeat"] == 1) & (table["scope"] != "external")].copy()
    predicted = list(first.columns[first.columns.str.match("p_|s_|own_|risk$|mean$|sd$")])
    for _, rows in first.groupby(["model", "fold", "inner"]):
        first.loc[rows.index, predicted] = rows[predicted].to_numpy()[rng.permutation(len(rows))]
    return first.assign(permutation=number)


def _with_class_names(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    renamed = dict(zip(CLASSES, names, strict=True))
    columns = {f"p_{old}": f"p_{new}" for old, new in renamed.items()}
    return table.rename(columns=columns).assign(truth=table["truth"].map(renamed))


def _splits(table: pd.DataFrame) -> pd.DataFrame:
    """Rebuild the roles from the predictions of one model: who is held out is test."""
    one = table[table["model"] == table["model"].iloc[0]]
    everyone = one[one["scope"] != "external"].drop_duplicates("sample")
    elsewhere = one[one["scope"] == "external"].drop_duplicates("sample")
    parts = []
    for (repeat, fold), outer in one[one["scope"] == "test"].groupby(["repeat", "fold"]):
        training = everyone[~everyone["sample"].isin(outer["sample"])]
        parts += _scope(repeat, fold, "outer", training, outer, elsewhere)
        parts += _inner(one, repeat, fold, training)
    parts += _scope(0, 0, "final", everyone, everyone.iloc[:0], elsewhere)
    parts += _inner(one, 0, 0, everyone)
    columns = [*("permutation", "repeat", "fold", "inner", "group", "sample", "patient"), "role"]
    return pd.DataFrame(parts, columns=columns)


def _inner(one: pd.DataFrame, repeat: int, fold: int, training: pd.DataFrame) -> list[list[object]]:
    here = (one["scope"] == "inner") & (one["repeat"] == repeat) & (one["fold"] == fold)
    rows: list[list[object]] = []
    for inner, held_out in one[here].groupby("inner"):
        rest = training[~training["sample"].isin(held_out["sample"])]
        rows += _scope(repeat, fold, str(inner), rest, held_out, training.iloc[:0])
    return rows


def _scope(
    repeat: int,
    fold: int,
    inner: str,
    training: pd.DataFrame,
    held_out: pd.DataFrame,
    elsewhere: pd.DataFrame,
) -> list[list[object]]:
    stops = set(training["sample"].iloc[::6])
    rows = [(s, p, "stop" if s in stops else "train") for s, p in _ids(training)]
    rows += [(s, p, "test") for s, p in _ids(held_out)]
    rows += [(s, p, "external") for s, p in _ids(elsewhere)]
    return [[0, repeat, fold, inner, "all", *row] for row in sorted(rows)]


def _ids(table: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(table["sample"], table["patient"], strict=True))


def _samples(table: pd.DataFrame, task: str, splits: pd.DataFrame) -> pd.DataFrame:
    columns = ["time", "event"] if task == "survival" else ["truth"]
    rows = table.drop_duplicates("sample").sort_values("sample", ignore_index=True)
    elsewhere = set(splits.loc[splits["role"] == "external", "sample"])
    outside = rows["sample"].isin(elsewhere)
    lacks = [";".join(sorted(LAYERS)), "clinical;rna", "clinical;methylation"]
    frame = pd.DataFrame(
        {
            "sample": rows["sample"],
            "patient": rows["patient"],
            "cohort": np.where(outside, "elsewhere", "main"),
            "role": np.where(outside, "external", "train"),
            "group": rows["patient"],
            "batch": "",
            "split": "",
        }
    )
    layers = [lacks[0 if i % 5 else 1 + i % 2] for i in range(len(rows))]
    return pd.concat([frame, rows[columns]], axis=1).assign(layers=layers)


def _layers(samples: pd.DataFrame) -> pd.DataFrame:
    rows = [
        [cohort, layer, kind, role, "features", "covariates" if layer == "clinical" else "2", ""]
        for (cohort, role), _ in samples.groupby(["cohort", "role"])
        for layer, kind in LAYERS.items()
    ]
    columns = ["cohort", "layer", "kind", "role", "rows", "sources", "samples"]
    return pd.DataFrame(rows, columns=columns)


def _accounting(samples: pd.DataFrame, left_out: Sequence[tuple[str, str]]) -> pd.DataFrame:
    places = {"train": "cross-validation", "external": "external validation"}
    used = samples[["sample", "patient", "cohort", "layers"]].assign(
        status="used", where=samples["role"].map(places), reason=""
    )
    rows = [[s, s, "main", "rna", "left_out", "", reason] for s, reason in left_out]
    return pd.concat([used, pd.DataFrame(rows, columns=used.columns)]).sort_values("sample")


def _scopes(splits: pd.DataFrame) -> list[tuple[int, int, str]]:
    return sorted(splits[["repeat", "fold", "inner"]].drop_duplicates().itertuples(index=False))


def _features(layer: str, splits: pd.DataFrame) -> pd.DataFrame:
    rows = [[layer, *scope, 2 * FEATURES, 3, FEATURES, 24, ""] for scope in _scopes(splits)]
    columns = ["layer", "repeat", "fold", "inner", "n_in", "n_constant", "n_kept", "n_train"]
    return pd.DataFrame(rows, columns=[*columns, "note"])


def _training(model: str, splits: pd.DataFrame, failed: int) -> pd.DataFrame:
    network = model.startswith("fused")
    rows = []
    for i, scope in enumerate(_scopes(splits)):
        status = ("failed", "the loss was not finite") if i < failed and network else ("ok", "")
        log = ("", 60 + i, 40 + i, 0.9) if network else ("penalty 0.1", None, None, None)
        rows.append([model, *scope, 20, 4, 12, *status, *log])
    columns = ["model", "repeat", "fold", "inner", "n_train", "n_stop", "n_test", "status"]
    more = ["reason", "setting", "epochs", "best_epoch", "stop_loss"]
    return pd.DataFrame(rows, columns=[*columns, *more])


def _curves(model: str, splits: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    rows = []
    for scope in _scopes(splits):
        level = rng.normal(1, 0.05)
        for epoch in range(1, 41):
            train = level * np.exp(-epoch / 12) + rng.normal(0.1, 0.01)
            stop = level * (0.6 + 0.4 * np.exp(-epoch / 6) + epoch / 400) + rng.normal(0, 0.01)
            rows.append([model, *scope, epoch, train, stop])
    columns = ["model", "repeat", "fold", "inner", "epoch", "train_loss", "stop_loss"]
    return pd.DataFrame(rows, columns=columns)


def _write_tuning(folder: Path, model: str, splits: pd.DataFrame, trials: int) -> None:
    """Every third trial is dropped; the last one is chosen; importance is 0.6 of the first."""
    outer = [scope for scope in _scopes(splits) if scope[2] in ("outer", "final")]
    rows = [
        {
            **dict(zip(("model", "repeat", "fold", "inner"), (model, *scope), strict=True)),
            "trial": trial,
            "state": "dropped" if trial % 3 == 1 else "whole",
            "chosen": trial == trials - 1,
            "score": 0.6 + 0.01 * trial,
            "folds": 1 if trial % 3 == 1 else 2,
            "learning_rate": f"{0.01 + 0.001 * trial:.3g}",
            "input_dropout": f"{0.3 - 0.01 * trial:.3g}",
            "structure": "wide" if trial % 2 else "default",
        }
        for scope in outer
        for trial in range(trials)
    ]
    _write(folder / f"models/{model}.all.trials.tsv", pd.DataFrame(rows))
    shares = {"input_dropout": 0.3, "learning_rate": 0.6, "structure": 0.1}
    importance = [
        [model, *scope, name, part, trials]
        for scope in outer
        for name, part in shares.items()
        if trials >= 10
    ]
    columns = ["model", "repeat", "fold", "inner", "parameter", "importance", "n_trials"]
    path = folder / f"models/{model}.all.trials_importance.tsv"
    _write(path, pd.DataFrame(importance, columns=columns))


def _importance(model: str, outputs: Sequence[str], feature_names: Sequence[str]) -> pd.DataFrame:
    rng = np.random.default_rng(6)
    layers = [*("methylation", "rna"), *(["clinical"] if "+clinical" in model else [])]
    parts = []
    for output in outputs:
        names = {"rna": [*feature_names, *(f"GENE{i:03d}" for i in range(FEATURES))][:FEATURES]}
        rows = [
            (model, output, layer, name)
            for layer in layers
            for name in names.get(layer, [f"cg{i:08d}" for i in range(FEATURES)])
        ]
        table = pd.DataFrame(rows, columns=["model", "output", "layer", "feature"])
        named = table["feature"].isin(feature_names)
        table["mean_abs_shap"] = rng.exponential(0.05, len(table)) + 0.3 * named
        table["direction"] = rng.uniform(-1, 1, len(table))
        rank = table["mean_abs_shap"].rank(ascending=False, method="first").astype(int)
        parts.append(table.assign(n_folds=6, rank=rank))
    return pd.concat(parts, ignore_index=True)


def _additivity(model: str, outputs: Sequence[str]) -> pd.DataFrame:
    rows = [
        [model, repeat, fold, output, 12, 0.004, 0.02, 0.31]
        for repeat in (1, 2)
        for fold in (1, 2, 3)
        for output in outputs
    ]
    columns = ["model", "repeat", "fold", "output", "n_samples", "mean_abs_gap", "max_abs_gap"]
    return pd.DataFrame(rows, columns=[*columns, "mean_abs_difference"])


def _enrichment(model: str, outputs: Sequence[str]) -> pd.DataFrame:
    about = {"model": model, "layer": "rna", "gene_set_file": "demo.gmt", "n_genes": 12}
    genes = "GENE001;GENE004;GENE007;GENE011;GENE020"
    rows = [
        {
            **about,
            "output": output,
            "term": f"DEMO_PATHWAY_{i}",
            "es": 0.5,
            "nes": 1.9 - i / 5,
            "p": 0.01 * i,
            "fdr": 0.03 * i,
            "leading_edge": genes,
        }
        for output in outputs
        for i in range(1, 5)
    ]
    columns = ["model", "output", "layer", "gene_set_file", "term", "es", "nes", "p", "fdr"]
    return pd.DataFrame(rows, columns=[*columns, "n_genes", "leading_edge"])


def _enrichment_notes(model: str, outputs: Sequence[str]) -> pd.DataFrame:
    note = "too few of its features are named as genes of a set"
    rows = [[model, output, "methylation", note] for output in outputs]
    return pd.DataFrame(rows, columns=["model", "output", "layer", "note"])


def _params(task: str, models: Sequence[str]) -> dict[str, object]:
    return {
        "input": "/somewhere/private/samplesheet.csv",
        "samples": "/somewhere/private/samples.tsv",
        "task": task,
        "target": "outcome",
        "covariates": "age,stage",
        "models": ",".join(models),
        "split": "kfold",
        "folds": 3,
        "repeats": 2,
        "inner_folds": 2,
        "seed": 1,
        "strict": False,
        "gene_sets": "/somewhere/private/demo.gmt",
    }
