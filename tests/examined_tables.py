"""Invented tables of QC, FIND_DUPLICATES, CONCORDANCE, GUARD and PREPROCESS, as REPORT gets them.

One layer (``rna``) has everything that can be wrong; the others are in order.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from omicsfusion.tables.tsv import write_tsv

Scopes = Sequence[tuple[int, int, str]]
QUANTILES = {"q05": -1.6, "q25": -0.7, "q50": 0.0, "q75": 0.7, "q95": 1.6}
CHAINS = {
    "clinical": [("encode", "one_hot"), ("impute", "median"), ("scale", "zscore")],
    "methylation": [("filter", "detected"), ("normalise", "m_values"), ("scale", "robust")],
    "rna": [
        *(("filter", "detected"), ("normalise", "tmm"), ("batch", "combat")),
        *(("impute", "auto"), ("select", "variance"), ("scale", "robust")),
    ],
}


def write_examined(
    folder: Path,
    samples: pd.DataFrame,
    scopes: Scopes,
    kinds: Mapping[str, str],
    feature_names: Sequence[str] = (),
) -> None:
    """Write all of them for the layers named in ``kinds`` (layer -> kind)."""
    features = [*feature_names, *(f"GENE{i:03d}" for i in range(60))][:60]
    tables = {
        "qc/concordance": _concordance(),
        "qc/swaps": _swaps(samples),
        "qc/network": _network(features),
        "qc/hubs": _hubs(features),
        "qc/guards": _guards(),
    }
    for layer, kind in kinds.items():
        tables |= {
            f"qc/{layer}.{name}": table.assign(layer=layer)
            for name, table in _quality(layer, kind, samples).items()
        }
        tables |= {
            f"preprocess/{layer}.all.{name}": table.assign(layer=layer)
            for name, table in _prepared(layer, samples, scopes, features).items()
        }
        _write_recipe(folder / f"preprocess/{layer}.recipe.json", layer, kind)
    for name, table in tables.items():
        path = folder / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_tsv(table, path)


def _quality(layer: str, kind: str, samples: pd.DataFrame) -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(11)
    n, is_rna = len(samples), layer == "rna"
    here = samples[["cohort", "sample", "patient", "role"]].reset_index(drop=True)
    wrong = (np.arange(n) == 3) & is_rna
    found = {
        "qc_samples": here.assign(
            n_features=60,
            missing=np.where(wrong, 0.4, 0.02),
            zeros=0.1,
            total=np.where(wrong, 50.0, 1000.0) if is_rna else np.nan,
            median=5.0,
            spread=2.0,
            pc_distance=np.where(wrong, 19.5, 2.0),
            outlier=np.where(wrong, "yes", "no"),
            reasons=np.where(
                wrong, "total 5.672 (robust z -12.3); distance 19.5 (robust z 8.1)", ""
            ),
            sex_called="female" if is_rna else "",
            sex_given=np.where(np.arange(n) == 5, "male", "female") if is_rna else "",
            sex_agrees=np.where(np.arange(n) == 5, "no", "yes") if is_rna else "",
        ),
        "qc_summary": _signs(here, is_rna),
    }
    if kind == "clinical":
        return found
    middle = rng.normal(5, 0.3, n) - 2 * wrong
    quantiles = {name: middle + at for name, at in QUANTILES.items()}
    placed = [
        here[["cohort", "sample"]].assign(
            method=method, x=rng.normal(0, 5, n).round(4), y=rng.normal(0, 5, n).round(4)
        )
        for method in ("pca", "tsne", "umap", "harmony")
    ]
    placed[1] = placed[1].loc[here["role"] == "train"]
    in_batch = (here["role"] == "train") & (samples["batch"] != "").to_numpy()
    placed[3] = placed[3].loc[in_batch]
    pairs = [[here["sample"][0], here["sample"][1], "main", "main", "P000", "P001"]][: int(is_rna)]
    columns = ["sample", "other", "cohort", "other_cohort", "patient", "other_patient"]
    note = "without the 8 external samples: t-SNE projects none"
    of_harmony = (
        "without 6 training samples without a batch; the 8 external samples: Harmony projects none"
    )
    return {
        **found,
        "qc_features": _bins(sorted(set(here["cohort"]))),
        "qc_distributions": here[["cohort", "sample"]].assign(**quantiles),
        "embedding": pd.concat(placed, ignore_index=True),
        "embedding_summary": pd.DataFrame(
            [
                ("pca", n, 60, 0.31, 0.12, ""),
                ("tsne", n, 60, np.nan, np.nan, note),
                ("umap", n, 60, np.nan, np.nan, ""),
                ("harmony", in_batch.sum(), 60, np.nan, np.nan, of_harmony),
            ],
            columns=["method", "n_samples", "n_features", "explained_x", "explained_y", "note"],
        ),
        "duplicates": pd.DataFrame(pairs, columns=columns).assign(
            correlation=0.99987, centred_correlation=0.9971, relation="different_patients"
        ),
        "duplicates_summary": pd.DataFrame(
            [(n, n * (n - 1) // 2, int(is_rna), "")],
            columns=["n_samples", "n_pairs_compared", "n_duplicates", "note"],
        ),
    }


def _signs(here: pd.DataFrame, is_rna: bool) -> pd.DataFrame:
    late = "most features are standardised over all samples of the table" if is_rna else ""
    rows = [
        ("main", "n_samples", len(here), ""),
        ("main", "standardised_features", 0.96 if is_rna else 0.0, late),
        ("main", "used_samples", len(here), ""),
        ("main", "outliers", int(is_rna), ""),
        ("main", "sex_called", len(here), "by XIST and 4 genes of the Y chromosome"),
    ]
    return pd.DataFrame(rows[: 5 if is_rna else 4], columns=["cohort", "name", "value", "note"])


def _bins(cohorts: Sequence[str]) -> pd.DataFrame:
    rows = []
    for cohort in cohorts:
        rows.append((cohort, "missing", 0.0, 0.0, 60))
        for measure, low, width in (("mean", 0, 0.6), ("sd", 0, 0.15), ("zeros", 0, 0.05)):
            for i in range(20):
                n = 1 + 5 * (8 < i < 13)
                rows.append((cohort, measure, low + i * width, low + (i + 1) * width, n))
    return pd.DataFrame(rows, columns=["cohort", "measure", "low", "high", "n"])


def _concordance() -> pd.DataFrame:
    columns = ["layer", "other", "cohort", "n_samples", "n_pairs", "judged"]
    rows = [
        ("methylation", "rna", "main", 30, 40, "yes", 1.0, 0.9, 0.97, "rna: 40 of 60 features."),
        ("methylation", "rna", "elsewhere", 8, 0, "no", *[np.nan] * 3, "Not judged: 8 samples."),
    ]
    return pd.DataFrame(
        rows, columns=[*columns, "median_own_rank", "share_own_best", "auc", "note"]
    )


def _swaps(samples: pd.DataFrame) -> pd.DataFrame:
    rows = samples[["cohort", "sample", "patient"]].assign(
        layer="methylation", other="rna", own_similarity=3.1, own_rank=1, n=len(samples)
    )
    rows = rows.assign(best_match="", best_similarity=1.2, swapped_with="", flag="ok", reason="")
    names = list(rows["sample"])
    for one, two in ((6, 7), (7, 6)):
        at = rows.index[one]
        rows.loc[at, ["best_match", "swapped_with"]] = names[two]
        rows.loc[at, ["flag", "own_rank", "own_similarity"]] = ["swap", 20, -0.4]
        rows.loc[at, "reason"] = f"methylation of {names[one]} fits rna of {names[two]}"
    at = rows.index[9]
    rows.loc[at, ["best_match", "flag", "own_rank"]] = [names[1], "mismatch", 14]
    return rows


def _network(features: Sequence[str]) -> pd.DataFrame:
    rows = [
        (
            "methylation",
            f"cg{i:08d}",
            "rna",
            features[i],
            (-1) ** i * (0.9 - i / 100),
            0.5**i,
            0.5**i,
            30,
        )
        for i in range(25)
    ]
    columns = ["layer", "feature", "other_layer", "other_feature", "rho", "p", "fdr", "n"]
    return pd.DataFrame(rows, columns=columns)


def _hubs(features: Sequence[str]) -> pd.DataFrame:
    rows = [("rna", features[i], 30 - i, 1, i + 1) for i in range(25)]
    return pd.DataFrame(rows, columns=["layer", "feature", "degree", "n_layers", "rank"])


def _guards() -> pd.DataFrame:
    rows = [
        ("patients_in_one_part", "", "ok", 0, 0, "None of 36 patients is parted by a split.", ""),
        ("temporal_order", "", "not_checked", np.nan, np.nan, "--split kfold has no dates.", ""),
        (
            *("scaled_before", "rna", "warning", 0.96, 0.5),
            *("96 % of the features are standardised.", "Start from the values before that."),
        ),
    ]
    columns = ["guard", "layer", "status", "value", "threshold", "detail", "advice"]
    return pd.DataFrame(rows, columns=columns)


def _prepared(
    layer: str, samples: pd.DataFrame, scopes: Scopes, features: Sequence[str]
) -> dict[str, pd.DataFrame]:
    steps, dropped = [], []
    for number, scope in enumerate(scopes):
        n_in = 60
        for position, (step, method) in enumerate(CHAINS[layer], 1):
            n_out = {"filter": n_in - 9, "select": 30}.get(step, n_in)
            did = f"{method} of {number + 20} training samples"
            skipped = "z-scores came in" if step == "normalise" and number % 3 == 0 else ""
            steps.append((*scope, position, step, method, n_in, n_out, did, skipped))
            n_in = n_out
        dropped.append((*scope, "filter", "constant", 3 + number % 2))
        if number % 2:
            dropped.append((*scope, "filter", "missing in more than half", 6))
    scope_columns = ["repeat", "fold", "inner"]
    outer = [scope for scope in scopes if scope[2] == "outer"]
    found = {
        "steps": pd.DataFrame(
            steps,
            columns=[
                *scope_columns,
                "position",
                "step",
                "method",
                "n_in",
                "n_out",
                "did",
                "skipped",
            ],
        ),
        "dropped": pd.DataFrame(dropped, columns=[*scope_columns, "step", "reason", "n"]),
        "kept": pd.DataFrame(
            {
                "feature": features,
                "n_outer": len(outer),
                "n_kept": [len(outer) if i < 20 else 60 % (i + 1) % len(outer) for i in range(60)],
                "in_final": [int(i < 30) for i in range(60)],
            }
        ),
        "absent": pd.DataFrame(
            [("elsewhere", 51, 2, 2 / 51, ";".join(features[:2])), ("main", 51, 0, 0.0, "")],
            columns=["cohort", "n_needed", "n_absent", "share_absent", "features"],
        ),
    }
    return found | (_of_rna(samples, scopes) if layer == "rna" else {})


def _of_rna(samples: pd.DataFrame, scopes: Scopes) -> dict[str, pd.DataFrame]:
    scope_columns = ["repeat", "fold", "inner"]
    batch, imputation = [], []
    for number, scope in enumerate(scopes):
        shift = number % 5 / 100
        batch += [
            (*scope, "before", "batches", 3, np.nan, "1 of them under 5 samples"),
            (*scope, "before", "PC regression", 0.3 + shift, np.nan, "0.091 by chance"),
            (*scope, "after", "PC regression", 0.02 + shift, np.nan, "0.091 by chance"),
            (*scope, "before", "silhouette", 0.2 + shift, np.nan, "0: mixed, 1: apart"),
            (*scope, "after", "silhouette", 0.01 + shift, np.nan, "0: mixed, 1: apart"),
            (*scope, "outcome", "Cramer's V", 0.4 + shift, 0.004, "verdict: warn"),
            (
                *(*scope, "outcome", "share in batches with one class", 0.1, np.nan),
                "1 of 3 batches have one class (0 of them one sample). Refused above 0.5.",
            ),
            (*scope, "outcome", "aliased", 0.0, np.nan, "1: cannot be told apart"),
        ]
        for place, method in enumerate(("median", "knn", "svd")):
            for mask in (1, 2, 3):
                error = 1 - 0.2 * place + mask / 50
                for mechanism, more in (("both", 0.0), ("random", -0.1), ("lowest", 0.3)):
                    chosen = "yes" if method == "svd" else "no"
                    row = (method, mask, mechanism, error + more, 0.012, chosen)
                    imputation.append((*scope, *row))
    outliers = [
        (*scope, samples["sample"].iloc[3], "total 3.1 (robust z -7.4)") for scope in scopes[::2]
    ]
    columns = ["method", "mask", "mechanism", "error", "se", "chosen"]
    return {
        "batch": pd.DataFrame(
            batch, columns=[*scope_columns, "stage", "measure", "value", "p", "note"]
        ),
        "imputation": pd.DataFrame(imputation, columns=[*scope_columns, *columns]),
        "outliers": pd.DataFrame(outliers, columns=[*scope_columns, "sample", "reasons"]),
    }


def _write_recipe(path: Path, layer: str, kind: str) -> None:
    of_batch = {"protect": ["age"], "new_batch": "pass", "small_batch": "pool", "force": False}
    choices = [
        {"step": step, "method": method, "options": of_batch if step == "batch" else {}, "file": ""}
        for step, method in CHAINS[layer]
    ]
    chosen = ["outliers", "batch", "impute"] if layer == "rna" else []
    if layer == "rna":
        leave_out = {"step": "outliers", "method": "leave_out", "options": {"mads": 5}, "file": ""}
        choices = [leave_out, *choices]
    recipe = {"kind": kind, "choices": choices, "max_absent": 0.2, "chosen": chosen}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(recipe), encoding="utf-8")
