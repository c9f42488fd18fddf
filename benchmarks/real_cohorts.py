"""Real cohorts: the default networks beside linear models and a forest on the same folds.

    .tools/bin/python benchmarks/real_cohorts.py [--cohorts NAME ...] [--models NAMES]
        [--repeats 5] [--folds 5] [--folder DIR]

Runs the pipeline on tables of ../shared/data, with default settings everywhere, and prints the mean
of each metric over the repeats (``real_cohorts.tsv`` in the folder holds them by repeat): balanced
accuracy over all patients of a repeat, C-index of pairs within folds, R2. Beside the pipeline's
models it fits a balanced random forest of 500 trees (at least 5 samples in a leaf; random survival
forest of 300, at least 15) on what the linear model sees: the matrices of each outer training set,
``train`` and ``stop`` samples together. Where a cohort's entry names a layer, the same figures for
the patients that have it follow.

``--models all`` trains every family: gene sets and a gene network come from ../shared/data; the
"positions" of features are their order in the file, which shows that the family trains, no more.
Families that read genes are left out where features are probes.
"""

import argparse
import gzip
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bin"))

from omicsfusion.assess.held_out import held_out_sets, scored_rows  # noqa: E402
from omicsfusion.assess.predictions import with_outcome  # noqa: E402
from omicsfusion.assess.summary import METRICS  # noqa: E402
from omicsfusion.models.cohort import GroupReader  # noqa: E402
from omicsfusion.models.design_matrix import design_of  # noqa: E402
from omicsfusion.scopes import TRAINING_ROLES, read_splits  # noqa: E402
from omicsfusion.seeds import seed_for  # noqa: E402
from omicsfusion.tables.outcome import Outcome, read_outcome  # noqa: E402

SHARED = ROOT.parent / "shared" / "data"
HEADLINES = {
    "classification": ("balanced_accuracy", "auroc"),
    "survival": ("c_index",),
    "regression": ("r2", "spearman"),
}


@dataclass(frozen=True)
class Cohort:
    """One task on one cohort."""

    folder: str
    kinds: Mapping[str, str]
    task: str
    target: str
    covariates: str = ""
    models: str = "linear,fused"
    only: str = ""
    drop: str = ""
    log: bool = False
    symbols: bool = True  # whether features have the names of genes


BRCA = {
    "rna": "array",
    "cnv": "cnv",
    "mutation": "mutation",
    "methylation": "methylation_beta",
    "mirna": "mirna_log",
    "rppa": "rppa",
}
GBMLGG = {"rna": "array", "cnv": "cnv", "mutation": "mutation"}
LIVER = {"rna": "array", "clinical_chem": "metabolite"}
CCLE = {
    "mutation": "mutation",
    "methylation": "methylation_beta",
    "rna": "rna_log",
    "cnv_log2": "cnv",
}
WITH_CLINICAL = "clinical,linear,fused,linear+clinical,fused+clinical"
COHORTS = {
    "brca_pam50": Cohort("tcga_brca", BRCA, "classification", "pam50", only="rna"),
    "brca_er": Cohort(
        "tcga_brca", BRCA, "classification", "er_status", only="rna", drop="Indeterminate"
    ),
    "brca_os": Cohort("tcga_brca", BRCA, "survival", "os", "age,stage_ajcc", WITH_CLINICAL),
    "gbmlgg_os": Cohort("tcga_gbmlgg", GBMLGG, "survival", "os", "age,is_female", WITH_CLINICAL),
    "gbmlgg_histology": Cohort("tcga_gbmlgg", GBMLGG, "classification", "histology"),
    "liver_alt": Cohort("liver_toxicity", LIVER, "regression", "alt_iu_l", log=True, symbols=False),
    "ccle_pd0325901": Cohort("ccle_drug", CCLE, "regression", "auc_PD-0325901"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohorts", nargs="+", choices=COHORTS, default=list(COHORTS))
    parser.add_argument("--models", help="instead of those of each cohort")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=ROOT / "results" / "real_cohorts")
    arguments = parser.parse_args()
    if not SHARED.exists():
        sys.exit(f"There is no {SHARED}: this benchmark needs the shared cohorts.")
    found = []
    for name in arguments.cohorts:
        folder = (arguments.folder / name).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        minutes = run(COHORTS[name], folder, arguments)
        table = scores(COHORTS[name], folder).assign(cohort=name)
        found.append(table)
        print(f"\n{name}: {minutes:.1f} min", flush=True)
        keys = ["patients", "metric", "model"]
        print(table.groupby(keys)["value"].agg(["mean", "min", "max"]).round(3).to_string())
    out = arguments.folder / "real_cohorts.tsv"
    pd.concat(found).to_csv(out, sep="\t", index=False, float_format="%.4f")
    print(f"\nBy repeat: {out}")


def run(cohort: Cohort, folder: Path, arguments: argparse.Namespace) -> float:
    """Run the pipeline; return its minutes."""
    started = time.monotonic()
    tables = SHARED / cohort.folder
    sheet = folder / "samplesheet.csv"
    # A gene may be called like a cell line: which way a table lies is said.
    rows = [
        f"{layer},{kind},{tables / layer}.tsv.gz,features" for layer, kind in cohort.kinds.items()
    ]
    sheet.write_text("\n".join(["layer,kind,file,rows", *rows]) + "\n")
    models = arguments.models or cohort.models
    known = knowledge(cohort, folder) if models == "all" else []
    covariates = ["--covariates", cohort.covariates] if cohort.covariates else []
    subprocess.run(
        [
            str(ROOT / ".tools" / "bin" / "nextflow"),
            *("run", str(ROOT), "-profile", "standard", "-ansi-log", "false", "-resume"),
            *("-w", str(folder / "work"), "--outdir", str(folder / "out")),
            *("--input", str(sheet), "--samples", str(samples_of(cohort, folder))),
            *("--task", cohort.task, "--target", cohort.target, *covariates),
            *("--models", models, *known),
            *("--repeats", str(arguments.repeats), "--folds", str(arguments.folds)),
        ],
        cwd=folder,
        check=True,
    )
    return (time.monotonic() - started) / 60


def samples_of(cohort: Cohort, folder: Path) -> Path:
    """Write the samples with the outcome that the task takes."""
    samples = pd.read_csv(SHARED / cohort.folder / "samples.tsv", sep="\t", dtype=str)
    if cohort.drop:
        samples = samples[samples[cohort.target] != cohort.drop]
    if cohort.log:
        samples[cohort.target] = np.log(samples[cohort.target].astype(float)).astype(str)
    path = folder / "samples.tsv"
    samples.to_csv(path, sep="\t", index=False)
    return path


def knowledge(cohort: Cohort, folder: Path) -> list[str]:
    """Return the arguments of what some families need to know."""
    places = folder / "positions.bed"
    with places.open("w") as out:
        for layer in cohort.kinds:
            with gzip.open(SHARED / cohort.folder / f"{layer}.tsv.gz", "rt") as table:
                for row, line in enumerate(table):
                    if row:
                        name = line.split("\t", 1)[0]
                        out.write(f"chr1\t{1000 * row}\t{1000 * row + 1}\t{name}\n")
    if not cohort.symbols:
        return ["--positions", str(places)]
    gene_sets = SHARED / "gene_sets" / "hallmark.gmt"
    network = sorted((SHARED / "networks").glob("*.tsv*"))[0]
    return [
        *("--positions", str(places), "--gene_sets", str(gene_sets), "--network", str(network)),
    ]


def scores(cohort: Cohort, folder: Path) -> pd.DataFrame:
    """Score every model in every repeat: columns patients, metric, model, repeat, value."""
    predictions = pd.read_csv(folder / "out" / "predictions" / "predictions.tsv", sep="\t")
    table = with_outcome(predictions, cohort.task)
    if (table["model"] == "linear").any():
        table = pd.concat([table, forest(cohort, folder, table)], ignore_index=True)
    samples = pd.read_csv(folder / "out" / "input" / "samples.tsv", sep="\t")
    groups = {"all": samples["sample"]}
    if cohort.only:
        has_layer = samples["layers"].str.split(";").map(lambda names: cohort.only in names)
        groups[f"with {cohort.only}"] = samples.loc[has_layer, "sample"]
    rows = []
    for group, members in groups.items():
        here = table[table["sample"].isin(members)]
        for (model, repeat), entry in here.groupby(["model", "repeat"]):
            if repeat:
                for metric, value in _metrics(entry, cohort.task):
                    rows.append((group, metric, model, repeat, value))
    return pd.DataFrame(rows, columns=["patients", "metric", "model", "repeat", "value"])


def _metrics(entry: pd.DataFrame, task: str) -> Iterator[tuple[str, float]]:
    patients = sorted(scored_rows(entry, "test")["patient"].unique())
    found = METRICS[task](held_out_sets(entry, "test", patients), np.ones((1, len(patients))))
    for metric in HEADLINES[task]:
        yield metric, float(found[metric][0])


def forest(cohort: Cohort, folder: Path, table: pd.DataFrame) -> pd.DataFrame:
    """Fit a forest on every outer training set; return its predictions as those of ``linear``."""
    written = [path for path in folder.glob("work/*/*/*.matrices.h5") if not path.is_symlink()]
    files = {
        path.name: path  # the newest: the work directory may hold those of an earlier run
        for path in sorted(written, key=lambda path: path.stat().st_mtime)
        if path.name.split(".")[0] in cohort.kinds
    }
    splits = read_splits(folder / "out" / "splits" / "splits.tsv")
    outcome = read_outcome(folder / "out" / "input" / "samples.tsv", cohort.task)
    rows = table[(table["model"] == "linear") & (table["scope"] == "test")].copy()
    rows["model"] = "forest"
    reader = GroupReader(list(files.values()), splits)
    for scope in reader.scopes:
        if scope.inner != "outer":
            continue
        data = reader.load(scope, list(cohort.kinds))
        x = design_of(data).x
        here = (rows["repeat"] == scope.repeat) & (rows["fold"] == scope.fold)
        place = {sample: row for row, sample in enumerate(data.samples)}
        test = [place[sample] for sample in rows.loc[here, "sample"]]
        seed = seed_for(1, "forest", scope.key) % 2**31
        found = _forest(cohort.task, outcome, data.samples, x, data.rows(*TRAINING_ROLES), seed)
        for column, values in found(x[test]).items():
            rows.loc[here, column] = values
    return rows


def _forest(
    task: str,
    outcome: Outcome,
    samples: Sequence[str],
    x: np.ndarray,
    train: np.ndarray,
    seed: int,
) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """Fit a forest on the ``train`` rows of ``x``; return what gives its prediction columns."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    from sksurv.ensemble import RandomSurvivalForest
    from sksurv.util import Surv

    truth = outcome.table.loc[[samples[row] for row in train]]
    if task == "survival":
        model = RandomSurvivalForest(
            300, min_samples_leaf=15, max_features="sqrt", n_jobs=2, random_state=seed
        )
        y = Surv.from_arrays(truth["event"] == 1, truth["time"])
        model.fit(x[train], y)
        return lambda test: {"risk": model.predict(test)}
    if task == "regression":
        model = RandomForestRegressor(500, max_features=1 / 3, n_jobs=2, random_state=seed)
        model.fit(x[train], truth["truth"])
        return lambda test: {"mean": model.predict(test)}
    # Leaves of one class would make the weights of classes idle.
    model = RandomForestClassifier(
        500,
        class_weight="balanced_subsample",
        min_samples_leaf=5,
        n_jobs=2,
        random_state=seed,
    )
    model.fit(x[train], truth["truth"])
    names = [f"p_{name}" for name in model.classes_]
    return lambda test: dict(zip(names, model.predict_proba(test).T, strict=True))


if __name__ == "__main__":
    main()
