"""The real cohort TCGA-BRCA (979 patients, six layers, most of them missing for most patients).

    .tools/bin/python benchmarks/tcga_brca.py [FOLDER]

Runs the pipeline for the PAM50 subtype (5 repeats of 5 folds) and for overall survival, on the
tables of ../shared/data/tcga_brca, with work directory and results in FOLDER (default:
results/benchmark_tcga_brca), and prints what docs/benchmarks.md holds: balanced accuracy of the
patients that have RNA, of the network and of the balanced linear model on the same folds, and the
C-index of each model beside age and stage.
"""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
COHORT = ROOT.parent / "shared" / "data" / "tcga_brca"
KINDS = {
    "rna": "array",
    "cnv": "cnv",
    "mutation": "mutation",
    "methylation": "methylation_beta",
    "mirna": "mirna_log",
    "rppa": "rppa",
}
RUNS = {
    "pam50": ["--task", "classification", "--target", "pam50", "--repeats", "5"],
    "os": ["--task", "survival", "--target", "os"],
}
MODELS = "clinical-only-age,clinical-only-stage_ajcc,clinical,linear,fused,fused+clinical"


def write_sheet(folder: Path) -> Path:
    """Write the samplesheet, and return its path."""
    sheet = folder / "samplesheet.csv"
    rows = [f"{layer},{kind},{COHORT / layer}.tsv.gz" for layer, kind in KINDS.items()]
    sheet.write_text("\n".join(["layer,kind,file", *rows]) + "\n")
    return sheet


def run(folder: Path, name: str, sheet: Path) -> float:
    """Run the pipeline; return its seconds."""
    started = time.monotonic()
    models = "clinical,linear,fused" if name == "pam50" else MODELS
    subprocess.run(
        [
            str(ROOT / ".tools" / "bin" / "nextflow"),
            *("run", str(ROOT), "-profile", "standard", "-ansi-log", "false", "-resume"),
            *("-w", str(folder / "work"), "--outdir", str(folder / name)),
            *("--input", str(sheet), "--samples", str(COHORT / "samples.tsv")),
            *("--covariates", "age,stage_ajcc", "--models", models, *RUNS[name]),
        ],
        cwd=folder,
        check=True,
    )
    return time.monotonic() - started


def with_rna(results: Path) -> pd.DataFrame:
    """Balanced accuracy of the patients that have RNA, repeats x models."""
    predictions = pd.read_csv(results / "predictions" / "predictions.tsv", sep="\t")
    samples = pd.read_csv(results / "input" / "samples.tsv", sep="\t")
    has_rna = samples.loc[samples["layers"].str.split(";").map(lambda x: "rna" in x), "sample"]
    tested = predictions[(predictions["scope"] == "test") & predictions["sample"].isin(has_rna)]
    classes = [column for column in tested if column.startswith("p_")]
    guess = tested[classes].to_numpy().argmax(axis=1)
    right = "p_" + tested["truth"] == np.array(classes)[guess]
    recall = right.groupby([tested["repeat"], tested["model"], tested["truth"]]).mean()
    return recall.groupby(["repeat", "model"]).mean().unstack()


def main() -> None:
    """Run both tasks and print their figures."""
    if not COHORT.exists():
        sys.exit(f"There is no {COHORT}: this benchmark needs the shared cohorts.")
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "results" / "benchmark_tcga_brca")
    folder.mkdir(parents=True, exist_ok=True)
    sheet = write_sheet(folder.resolve())
    for name in RUNS:
        seconds = run(folder.resolve(), name, sheet)
        print(f"\n{name}: {seconds / 60:.1f} min")
        if name == "pam50":
            table = with_rna(folder / name)
            print("Balanced accuracy of the patients with RNA, by repeat:")
            print(table.round(3).to_string())
            print(table.mean().round(3).to_string())
        metrics = pd.read_csv(folder / name / "assess" / "metrics.tsv", sep="\t")
        headline = "balanced_accuracy" if name == "pam50" else "c_index"
        rows = metrics[(metrics["scope"] == "test") & (metrics["metric"] == headline)]
        print(
            rows[["model", "metric", "estimate", "ci_low", "ci_high", "n", "n_events"]].to_string()
        )


if __name__ == "__main__":
    main()
