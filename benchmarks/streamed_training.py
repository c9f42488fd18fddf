"""Memory and time of training from disk, by the number of samples.

    .tools/bin/python benchmarks/streamed_training.py [--samples 10000 30000 100000]
        [--features 20000] [--epochs 2] [--buffers 0] [--memory 10000] [--folder DIR] [--out FILE]

For each number of samples it writes the matrix of one layer, laid out as PREPROCESS does it
(uniform numbers, of which one feature in a hundred knows a little of two classes), and trains the
two members of a fused network on one outer fold (70 % train, 10 % stop, 20 % test) for some epochs,
from the files to predictions and archive, each in a process of its own. It prints, and writes to
FILE, the peak of resident memory, the seconds until the first epoch ends (compilation included),
the seconds of an epoch after that (the stopping loss included) and its training samples per second,
the seconds in which the matrix is only read, from its first row to its last, and the accuracy in
test samples. ``--buffers`` ends every epoch from disk after some buffers, where time is short.
``--memory`` names the numbers of samples at which training in memory is measured, too. A matrix is
deleted before the next is written.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from parts import row_of, run_part

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bin"))

# Heavy libraries are imported by the parts alone: Linux counts the parent's memory to the child.

PIECE = 2**20
"""Bytes that are written or read at a time."""
THREADS = {"TF_NUM_INTRAOP_THREADS": "2", "TF_NUM_INTEROP_THREADS": "1"}
"""As TRAIN has them."""
MEMBERS = 2
"""Networks of the fit."""
SPREAD = 12**0.5
"""Of uniform numbers with a variance of 1."""
SIGNAL = 0.15
"""How far the means of the classes are from 0 in a feature that knows of them."""

COLUMNS = [
    "samples", "features", "table_gb", "way", "rows_of_epoch", "peak_gb", "seconds_first_epoch",
    "seconds_epoch", "cpu_seconds_epoch", "rows_per_second", "seconds_read", "accuracy",
]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, nargs="+", default=[10_000, 30_000, 100_000])
    parser.add_argument("--features", type=int, default=20_000)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--buffers", type=int, default=0, help="of an epoch, at most; 0: all")
    parser.add_argument("--memory", type=int, nargs="*", default=[10_000])
    parser.add_argument("--folder", type=Path, help="for the tables; default: a temporary one")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--part", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        name, *values = arguments.part
        {"make": make, "read": read, "train": train}[name](*values)
        return
    part = partial(run_part, __file__, environment=os.environ | THREADS)
    rows = ["\t".join(COLUMNS)]
    print(rows[0], flush=True)
    for samples in arguments.samples:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            part("make", folder, samples, arguments.features)
            known = part("read", folder) | {"samples": samples, "features": arguments.features}
            for way in ("disk", "memory"):
                if way == "disk" or samples in arguments.memory:
                    measured = part("train", folder, way, arguments.epochs, arguments.buffers)
                    rows.append(row_of(known | measured, COLUMNS))
                    print(rows[-1], flush=True)
    if arguments.out:
        arguments.out.write_text("".join(f"{row}\n" for row in rows))


def make(folder: str, n_samples: str, n_features: str) -> None:
    """Write a cohort of one outer fold, its matrix some rows at a time."""
    from dataclasses import asdict

    import h5py
    import numpy as np
    import pandas as pd

    from omicsfusion.preprocess.matrices import write_names
    from omicsfusion.scopes import Scope
    from omicsfusion.tables.tsv import write_tsv

    n, width = int(n_samples), int(n_features)
    rng = np.random.default_rng(0)
    names = [f"s{number:07d}" for number in range(n)]
    truth = rng.integers(0, 2, n)
    samples = pd.DataFrame({"sample": names, "patient": names, "cohort": "main", "role": "train"})
    samples = samples.assign(group=names, batch="", split="", layers="rna")
    write_tsv(samples.assign(truth=np.array(["a", "b"])[truth]), Path(folder) / "samples.tsv")
    scope = Scope(1, 1, "outer")
    role = np.repeat(["train", "stop", "test"], [n - n // 10 - n // 5, n // 10, n // 5])
    splits = pd.DataFrame({"sample": names, "patient": names, "role": rng.permutation(role)})
    splits = splits.assign(permutation=0, repeat=1, fold=1, inner="outer", group="all")
    write_tsv(splits, Path(folder) / "splits.tsv")
    with h5py.File(Path(folder) / "rna.all.matrices.h5", "w") as file:
        file.attrs.update({"layer": "rna", "kind": "rna", "group": "all"})
        node = file.create_group(scope.key)
        node.attrs.update(asdict(scope))
        # As ``write_matrices`` lays it out: contiguous, row by row.
        x = node.create_dataset("X", (n, width), np.float32)
        write_names(node, "samples", names)
        write_names(node, "features", [f"G{number:05d}" for number in range(width)])
        for rows in pieces(n, width):
            block = SPREAD * (rng.random((rows.stop - rows.start, width), np.float32) - 0.5)
            block[:, ::100] += SIGNAL * (2 * truth[rows, None] - 1)
            x[rows] = block


def pieces(n: int, width: int) -> list[slice]:
    """Cut the rows of a matrix into pieces of ``PIECE`` bytes."""
    most = max(1, PIECE // (4 * width))
    return [slice(start, min(n, start + most)) for start in range(0, n, most)]


def read(folder: str) -> None:
    """Read the matrix once, into the same megabyte."""
    import h5py
    import numpy as np

    [path] = Path(folder).glob("*.matrices.h5")
    started = time.monotonic()
    with h5py.File(path) as file:
        [node] = file.values()
        x = node["X"]
        n, width = x.shape
        scratch = np.empty((max(1, PIECE // (4 * width)), width), np.float32)
        for rows in pieces(n, width):
            x.read_direct(scratch, rows, np.s_[: rows.stop - rows.start])
    seconds = time.monotonic() - started
    print(json.dumps({"seconds_read": seconds, "table_gb": 4 * n * width / 1e9}))


def train(folder: str, way: str, n_epochs: str, n_buffers: str) -> None:
    """Train, and print what was measured."""
    import numpy as np

    from omicsfusion.models import shapes, streaming, training
    from omicsfusion.models.backend import compiled, keras
    from omicsfusion.models.cohort import GroupReader
    from omicsfusion.models.families import fused
    from omicsfusion.models.registry import ModelSpec
    from omicsfusion.models.request import TrainingRequest
    from omicsfusion.scopes import read_splits
    from omicsfusion.tables.outcome import read_outcome

    ends: list[tuple[float, float]] = []

    def told(function: Any) -> Any:
        """Note when an epoch has been computed."""

        def epoch(*arguments: Any) -> Any:
            found = function(*arguments)
            keras.tree.map_structure(np.asarray, found)
            ends.append((time.monotonic(), time.process_time()))
            return found

        return epoch

    def compiled_and_told(function: Any) -> Any:
        run = compiled(function)
        return told(run) if function.__name__ == "train_epochs" else run

    training.EPOCHS_AT_ONCE = 1
    training.MAX_EPOCHS = int(n_epochs)
    training.compiled = compiled_and_told
    shuffled_buffers = streaming.shuffled_buffers
    trained_rows: list[int] = []

    def first_buffers(*arguments: Any) -> Any:
        buffers = shuffled_buffers(*arguments)[: int(n_buffers) or None]
        trained_rows.append(sum(map(len, buffers)))
        return buffers

    streaming.shuffled_buffers = first_buffers
    streaming.keep_best = told(streaming.keep_best)
    shapes.MEMORY_LIMIT = 1 if way == "disk" else 10**15
    here = Path(folder)
    reader = GroupReader(sorted(here.glob("*.matrices.h5")), read_splits(here / "splits.tsv"))
    request = TrainingRequest(
        ModelSpec("fused", "fused", ("rna",)),
        read_outcome(here / "samples.tsv", "classification"),
        [],
        seed=1,
        ensemble=MEMBERS,
    )
    started = time.monotonic()
    [fit] = fused.train(request, reader)
    if fit.record["status"] != "ok" or fit.save is None:
        raise ValueError(f"The fit says {dict(fit.record)}.")
    fit.save(here / "model")
    seconds, cpu = (np.array(ends[-1]) - np.array(ends[0])) / (len(ends) - 1)
    rows = trained_rows[-1] if trained_rows else reader.role_counts(fit.scope)["train"]
    truth = request.outcome.table.loc[list(fit.samples), "truth"].to_numpy()
    print(
        json.dumps(
            {
                "way": way,
                "rows_of_epoch": rows,
                "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
                "seconds_first_epoch": ends[0][0] - started,
                "seconds_epoch": float(seconds),
                "cpu_seconds_epoch": float(cpu),
                "rows_per_second": round(rows / seconds),
                "accuracy": float(((fit.columns["p_b"] > 0.5) == (truth == "b")).mean()),
            }
        )
    )


if __name__ == "__main__":
    main()
