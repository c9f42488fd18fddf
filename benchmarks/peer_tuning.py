"""Tuning: ten trials on five inner folds, beside ten trials on one split by a PyTorch peer.

    python -m venv PEER && PEER/bin/pip install flexynesis
    .tools/bin/python benchmarks/peer_tuning.py --peer PEER/bin/flexynesis
        [--sizes 245x600 230x2500 541x2900] [--out FILE]

For each size (training samples x features of three layers; the class is the sign of a factor that
the first features of each layer measure) it runs, each as a command of its own and with everything
that belongs to it (start, import, compiling, tables read, model written):

- ours: TRAIN's script with ``--trials 10`` on one training set with five inner folds, default
  network, two threads: trials dropped after three of five folds as always, then the chosen one on
  the whole set and on the inner folds;
- ours further: the same with ``--trials 30`` less the time with 20: what ten more trials cost once
  everything is imported and compiled;
- the peer: DirectPred, 10 iterations of its own search, each on a single split of 80 to 20, two
  threads, no selection of features, no search for markers; and its start (``--help``).

It prints, and writes to FILE, seconds, the peer's over ours, and what share of test samples each
calls rightly.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bin"))

from omicsfusion.preprocess.matrices import write_matrices  # noqa: E402
from omicsfusion.scopes import Scope  # noqa: E402
from omicsfusion.tables.tsv import write_tsv  # noqa: E402

LAYERS = ("mirna", "protein", "rna")
TEST, INNER, STOP_SHARE, INFORMATIVE = 100, 5, 0.2, 0.1
COLUMNS = (
    "samples", "features", "ours", "ours_further", "peer", "peer_start", "peer_over_ours",
    "peer_over_further", "right_ours", "right_peer",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", required=True, type=Path)
    parser.add_argument("--sizes", nargs="+", default=["245x600", "230x2500", "541x2900"])
    parser.add_argument("--out", type=Path, default=Path("peer_tuning.tsv"))
    arguments = parser.parse_args()
    start = seconds([str(arguments.peer), "--help"], Path())
    rows = ["\t".join(COLUMNS)]
    print(rows[0], flush=True)
    for size in arguments.sizes:
        samples, features = (int(part) for part in size.split("x"))
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            x, classes = make_data(samples + TEST, features)
            write_ours(folder, x, classes, samples)
            write_theirs(folder / "peer", x, classes, samples)
            ours, right = train_ours(folder, 10)
            further = train_ours(folder, 30)[0] - train_ours(folder, 20)[0]
            peer, right_peer = train_theirs(folder / "peer", arguments.peer)
        figures = [samples, features, ours, further, peer, start]
        figures += [peer / ours, (peer - start) / further, right, right_peer]
        rows.append("\t".join(f"{f:.2f}" if isinstance(f, float) else str(f) for f in figures))
        print(rows[-1], flush=True)
    arguments.out.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")


def make_data(n: int, features: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the layers, samples x features, and the classes."""
    rng = np.random.default_rng(1)
    factor = rng.normal(size=n)
    x = {}
    for layer, part in zip(LAYERS, np.array_split(np.arange(features), len(LAYERS)), strict=True):
        x[layer] = rng.normal(size=(n, len(part))).astype(np.float32)
        x[layer][:, : round(INFORMATIVE * len(part))] += factor[:, None]
    return x, np.where(factor > 0, "yes", "no")


def write_ours(folder: Path, x: dict[str, np.ndarray], classes: np.ndarray, train: int) -> None:
    """Write what TRAIN is given of one outer fold."""
    names = [f"s{number:04d}" for number in range(len(classes))]
    samples = pd.DataFrame({"sample": names, "patient": names, "cohort": "main", "role": "train"})
    samples = samples.assign(group=names, batch="", split="", layers=";".join(LAYERS))
    write_tsv(samples.assign(truth=classes), folder / "samples.tsv")
    scopes = [Scope(1, 1, "outer"), *(Scope(1, 1, str(number)) for number in range(INNER))]
    write_tsv(pd.concat([roles(scope, names, train) for scope in scopes]), folder / "splits.tsv")
    for layer, values in x.items():
        features = [f"{layer}_{column}" for column in range(values.shape[1])]
        blocks = [(scope, values, names, features) for scope in scopes]
        write_matrices(folder / f"{layer}.all.matrices.h5", layer, layer, "all", blocks)


def roles(scope: Scope, names: list[str], train: int) -> pd.DataFrame:
    """Return the rows of ``splits.tsv`` of one scope; samples are in no order, as they come."""
    place = np.arange(len(names))
    inside = place < train
    stop = (place // INNER) % round(1 / STOP_SHARE) == 0
    tested = place % INNER == int(scope.inner) if scope.is_inner else ~inside
    role = np.select([tested, stop], ["test", "stop"], "train")
    where = {"permutation": 0, "repeat": 1, "fold": 1, "inner": scope.inner, "group": "all"}
    table = pd.DataFrame({**where, "sample": names, "patient": names, "role": role})
    return table[inside] if scope.is_inner else table


def write_theirs(folder: Path, x: dict[str, np.ndarray], classes: np.ndarray, train: int) -> None:
    """Write the peer's folders, features x samples."""
    names = [f"s{number:04d}" for number in range(len(classes))]
    for part, rows in {"train": slice(train), "test": slice(train, None)}.items():
        (folder / part).mkdir(parents=True)
        clinical = pd.DataFrame({"y": classes[rows]}, index=names[rows])
        clinical.to_csv(folder / part / "clin.csv")
        for layer, values in x.items():
            features = [f"{layer}_{column}" for column in range(values.shape[1])]
            table = pd.DataFrame(values[rows].T, index=features, columns=names[rows])
            table.to_csv(folder / part / f"{layer}.csv")


def train_ours(folder: Path, trials: int) -> tuple[float, float]:
    """Run TRAIN's script; return its seconds and the share of test samples called rightly."""
    command = [sys.executable, str(ROOT / "bin" / "train.py"), "--id", "ours", "--model", "fused"]
    command += ["--matrices", *(f"{layer}.all.matrices.h5" for layer in LAYERS), "--group", "all"]
    command += ["--splits", "splits.tsv", "--samples", "samples.tsv", "--seed", "1"]
    command += ["--task", "classification", "--target", "y", "--trials", str(trials), "--cpus", "2"]
    took = seconds(command, folder)
    table = pd.read_csv(folder / "ours.predictions.tsv", sep="\t")
    table = table[table["scope"] == "test"]
    called = np.where(table["p_yes"] > 0.5, "yes", "no")
    return took, float(np.mean(called == table["truth"]))


def train_theirs(folder: Path, peer: Path) -> tuple[float, float]:
    """Run the peer; return its seconds and the share of test samples called rightly."""
    command = [str(peer), "--data_path", ".", "--model_class", "DirectPred"]
    command += ["--target_variables", "y", "--data_types", ",".join(LAYERS), "--hpo_iter", "10"]
    command += ["--hpo_patience", "0", "--variance_threshold", "0", "--correlation_threshold", "1"]
    command += ["--features_top_percentile", "100", "--disable_marker_finding"]
    command += ["--threads", "2", "--device", "cpu", "--outdir", ".", "--prefix", "peer"]
    took = seconds(command, folder)
    table = pd.read_csv(folder / "peer.predicted_labels.csv")
    table = table[table["split"] == "test"].drop_duplicates("sample_id")
    return took, float(np.mean(table["predicted_label"] == table["known_label"]))


def seconds(command: list[str], folder: Path) -> float:
    """Run a command in a folder and return how long it took."""
    started = time.monotonic()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr[-3000:]}")
    return time.monotonic() - started


if __name__ == "__main__":
    main()
