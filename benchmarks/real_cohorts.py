"""Real cohorts: all default models beside each other, and the verdict, whatever it says.

    .tools/bin/python benchmarks/real_cohorts.py [--cohorts NAME ...] [--models default]
        [--repeats 2] [--folds 5] [--sites] [--folder DIR] [parameters of the pipeline]

Runs the pipeline on tables of ../shared/data, with default settings everywhere, and prints of each
cohort, as Markdown, the verdict and a table of all models from the run's ``metrics.tsv`` and
``verdict.json``: test samples of the outer folds, 95 % intervals from a bootstrap of patients.

``--sites`` holds out whole tissue source sites instead, where a cohort names them: each site of at
least 40 patients is held out once, and all smaller ones together once.

``--models baselines`` takes the default models and every further family that is no network. With
other ``--models`` than these and the default ones, such as ``all``, families find what they need to
know: gene sets and a gene network come from ../shared/data; the "positions" of features are their
order in the file, which shows that the family trains, no more. Families that read genes are left
out where features are probes. What the script does not know is handed to the pipeline.
"""

import argparse
import gzip
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"
SHOWN = {
    "classification": {
        "balanced_accuracy": "balanced accuracy",
        "auroc": "AUROC",
        "brier": "Brier score",
        "calibration_slope": "calibration slope",
    },
    "survival": {
        "c_index": "C-index",
        "uno_c": "Uno's C",
        "ibs": "integrated Brier score",
        "calibration_slope": "calibration slope",
    },
    "regression": {
        "r2": "R2",
        "spearman": "Spearman",
        "rmse": "RMSE",
        "calibration_slope": "calibration slope",
    },
}
SITE, LEAST_OF_SITE = "site_tss", 40
REGISTRY = ROOT / "bin" / "omicsfusion" / "models" / "registry.json"


@dataclass(frozen=True)
class Cohort:
    """One task on one cohort."""

    folder: str
    kinds: Mapping[str, str]
    task: str
    target: str
    covariates: str = ""
    drop: str = ""
    log: bool = False
    symbols: bool = True  # whether features have the names of genes
    label_source: str = ""


BRCA = {
    "rna": "array",
    "cnv": "cnv",
    "mutation": "mutation",
    "methylation": "methylation_beta",
    "mirna": "mirna_log",
    "rppa": "rppa",
}
GBMLGG = {"rna": "array", "cnv": "cnv", "mutation": "mutation"}
LUAD = {**GBMLGG, "mirna": "mirna_log"}
LIVER = {"rna": "array", "clinical_chem": "metabolite"}
CCLE = {
    "mutation": "mutation",
    "methylation": "methylation_beta",
    "rna": "rna_log",
    "cnv_log2": "cnv",
}
GUT = {"genus_counts": "microbiome_counts", "metabolomics": "metabolite"}
COHORTS = {
    "gbmlgg_os": Cohort("tcga_gbmlgg", GBMLGG, "survival", "os", "age,is_female"),
    "gbmlgg_histology": Cohort(
        "tcga_gbmlgg", GBMLGG, "classification", "histology", "age,is_female"
    ),
    "brca_pam50": Cohort(
        "tcga_brca", BRCA, "classification", "pam50", "age,stage_ajcc", label_source="rna"
    ),
    "brca_er": Cohort(
        "tcga_brca", BRCA, "classification", "er_status", "age,stage_ajcc", drop="Indeterminate"
    ),
    "brca_os": Cohort("tcga_brca", BRCA, "survival", "os", "age,stage_ajcc"),
    "luad_os": Cohort("tcga_luad", LUAD, "survival", "os", "age,is_female"),
    "liver_alt": Cohort("liver_toxicity", LIVER, "regression", "alt_iu_l", log=True, symbols=False),
    "ccle_pd0325901": Cohort("ccle_drug", CCLE, "regression", "auc_PD-0325901", "tissue"),
    "gut_gastric": Cohort(
        "gut_gastric", GUT, "classification", "study_group", "age,gender,bmi", symbols=False
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohorts", nargs="+", choices=COHORTS, default=list(COHORTS))
    parser.add_argument("--models", default="default")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--sites", action="store_true", help="hold out whole sites")
    parser.add_argument("--folder", type=Path, default=ROOT / "results" / "real_cohorts")
    arguments, further = parser.parse_known_args()
    if not SHARED.exists():
        sys.exit(f"There is no {SHARED}: this benchmark needs the shared cohorts.")
    for name in arguments.cohorts:
        folder = (arguments.folder / name).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        minutes = run(COHORTS[name], folder, arguments, further)
        text = page(name, COHORTS[name], folder / "out" / "assess", minutes)
        (folder / "page.md").write_text(text)
        print(text, flush=True)


def run(
    cohort: Cohort, folder: Path, arguments: argparse.Namespace, further: Sequence[str]
) -> float:
    """Run the pipeline; return its minutes."""
    started = time.monotonic()
    tables = SHARED / cohort.folder
    sheet = folder / "samplesheet.csv"
    # A gene may be called like a cell line: which way a table lies is said.
    rows = [
        f"{layer},{kind},{tables / layer}.tsv.gz,features" for layer, kind in cohort.kinds.items()
    ]
    sheet.write_text("\n".join(["layer,kind,file,rows", *rows]) + "\n")
    simple = arguments.models in ("default", "baselines")
    known = [] if simple else knowledge(cohort, folder)
    models = baselines(cohort) if arguments.models == "baselines" else arguments.models
    covariates = ["--covariates", cohort.covariates] if cohort.covariates else []
    source = ["--label_source", cohort.label_source] if cohort.label_source else []
    folds = ["--repeats", str(arguments.repeats), "--folds", str(arguments.folds)]
    subprocess.run(
        [
            str(ROOT / ".tools" / "bin" / "nextflow"),
            *("run", str(ROOT), "-profile", "standard", "-ansi-log", "false", "-resume"),
            *("-w", str(folder / "work"), "--outdir", str(folder / "out")),
            *("--input", str(sheet), "--samples", str(samples_of(cohort, folder))),
            *("--task", cohort.task, "--target", cohort.target, *covariates, *source),
            *("--models", models, *known),
            *(["--split", "leave_out:site"] if arguments.sites else folds),
            *further,
        ],
        cwd=folder,
        check=True,
        stdout=sys.stderr,
    )
    return (time.monotonic() - started) / 60


def baselines(cohort: Cohort) -> str:
    """Name the default models and every further family that is no network and fits the task."""
    named = ["default"]
    for family, entry in json.loads(REGISTRY.read_text())["families"].items():
        fits = cohort.task in entry.get("tasks", [cohort.task])
        if entry["role"] not in ("shallow", "reference") or not fits:
            continue
        if not entry.get("needs_clinical"):
            named.append(family)
        elif cohort.covariates:
            named.append(f"{family}+clinical")
    return ",".join(named)


def samples_of(cohort: Cohort, folder: Path) -> Path:
    """Write the samples with the outcome that the task takes, and the sites to hold out."""
    samples = pd.read_csv(SHARED / cohort.folder / "samples.tsv", sep="\t", dtype=str)
    if cohort.drop:
        samples = samples[samples[cohort.target] != cohort.drop]
    if cohort.log:
        samples[cohort.target] = np.log(samples[cohort.target].astype(float)).astype(str)
    if SITE in samples:
        known = f"{cohort.target}_event" if cohort.task == "survival" else cohort.target
        counts = samples.loc[samples[known].notna(), SITE].value_counts()
        large = counts.index[counts >= LEAST_OF_SITE]
        samples["site"] = samples[SITE].where(samples[SITE].isin(large), "smaller_sites")
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


def page(name: str, cohort: Cohort, assessed: Path, minutes: float) -> str:
    """Write what the run found as Markdown: the verdict, then a row for each model."""
    metrics = pd.read_csv(assessed / "metrics.tsv", sep="\t")
    metrics = metrics[(metrics["scope"] == "test") & (metrics["permutation"] == 0)]
    shown = SHOWN[cohort.task]
    first, *_ = shown
    cells = metrics.set_index(["model", "metric"])
    order = metrics[metrics["metric"] == first].sort_values("estimate", ascending=False)
    found = json.loads((assessed / "verdict.json").read_text())["targets"][0]
    counts = ["patients", "events"] if cohort.task == "survival" else ["patients"]
    lines = [
        f"### {name}: {cohort.target} of {cohort.folder} ({minutes:.1f} min)",
        "",
        found["sentence"],
        *found["caveats"],
        "",
        "| " + " | ".join(["model", *shown.values(), *counts]) + " |",
        "|---" * (1 + len(shown) + len(counts)) + "|",
    ]
    for model, n, events in zip(order["model"], order["n"], order["n_events"], strict=True):
        scores = [cell(cells.loc[(model, metric)]) for metric in shown]
        numbers = [f"{n:g}", f"{events:g}"][: len(counts)]
        lines.append("| " + " | ".join([f"`{model}`", *scores, *numbers]) + " |")
    return "\n".join(lines) + "\n"


def cell(row: pd.Series) -> str:
    """Write an estimate and its interval."""
    return f"{row['estimate']:.3f} ({row['ci_low']:.3f} to {row['ci_high']:.3f})"


if __name__ == "__main__":
    main()
