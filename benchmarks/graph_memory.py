"""Memory and time of a graph network on a whole genome.

    .tools/bin/python benchmarks/graph_memory.py [--edges 100000 1000000 10000000]
        [--genes 18000] [--samples 400] [--convolution gcn] [--folder DIR] [--out FILE]

For each number of edges it makes a network of genes (some with many more edges than others) and
two layers that measure all of them, for a classification with three classes, and trains the two
members of one fit for two epochs of three steps (64 samples a step), in a process of its own: from
the files to predictions and archive, as TRAIN does. It prints, and writes to FILE, the memory that
``estimate_bytes`` says before, the peak of resident memory, the seconds until training begins, the
seconds of the first epoch (compilation included) and of the second, and those of one of its steps
(the evaluation of the stop samples counts as a part of a step, by its samples).
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from parts import row_of, run_part

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bin"))

# Heavy libraries are imported by the parts alone: Linux counts the parent's memory to the child.

LAYERS = ("cnv", "rna")
BATCH = 64
STEPS = 3
STOP_SHARE = 0.2
MEMBERS = 2
"""Networks of the fit."""
HUBS = 1.5
"""A gene's place among all is the power of a uniform number: the first ones are drawn often."""

COLUMNS = [
    "convolution", "genes", "samples", "edges", "estimated_gb", "peak_gb", "seconds_before",
    "seconds_first_epoch", "seconds_epoch", "seconds_step",
]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edges", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--genes", type=int, default=18_000)
    parser.add_argument("--samples", type=int, default=400)
    parser.add_argument("--convolution", choices=("gcn", "sage", "gat"), default="gcn")
    parser.add_argument("--folder", type=Path, help="for the tables; default: a temporary one")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--part", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        name, *values = arguments.part
        {"make": make, "measure": measure}[name](*values)
        return
    rows = ["\t".join(COLUMNS)]
    print(rows[0], flush=True)
    for edges in arguments.edges:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            run_part(__file__, "make", folder, arguments.genes, arguments.samples, edges)
            found = run_part(__file__, "measure", folder, arguments.convolution)
        found |= {"genes": arguments.genes, "samples": arguments.samples, "edges": edges}
        rows.append(row_of(found, COLUMNS))
        print(rows[-1], flush=True)
    if arguments.out:
        arguments.out.write_text("".join(f"{row}\n" for row in rows))


def make(folder: str, n_genes: str, n_samples: str, n_edges: str) -> None:
    """Write the network, and a cohort of one outer fold."""
    import numpy as np
    import pandas as pd

    from omicsfusion.preprocess.matrices import write_matrices
    from omicsfusion.scopes import Scope
    from omicsfusion.tables.tsv import write_tsv

    rng = np.random.default_rng(0)
    genes = [f"G{number:05d}" for number in range(int(n_genes))]
    names = [f"s{number:05d}" for number in range(int(n_samples))]
    samples = pd.DataFrame({"sample": names, "patient": names, "cohort": "main", "role": "train"})
    samples = samples.assign(group=names, batch="", split="", layers=";".join(LAYERS))
    samples["truth"] = np.array(["a", "b", "c"])[rng.integers(0, 3, len(names))]
    write_tsv(samples, Path(folder) / "samples.tsv")
    scope = Scope(1, 1, "outer")
    stop = round(STOP_SHARE * len(names))
    role = np.full(len(names), "test", dtype=object)
    role[: STEPS * BATCH] = "train"
    role[STEPS * BATCH :][:stop] = "stop"
    splits = pd.DataFrame({"sample": names, "patient": names, "role": role})
    splits = splits.assign(permutation=0, repeat=1, fold=1, inner="outer", group="all")
    write_tsv(splits, Path(folder) / "splits.tsv")
    for layer in LAYERS:
        x = rng.normal(size=(len(names), len(genes))).astype(np.float32)
        path = Path(folder) / f"{layer}.all.matrices.h5"
        write_matrices(path, layer, layer, "all", [(scope, x, names, genes)])
    with (Path(folder) / "network.tsv").open("w") as out:
        for first, second in pairs(rng, len(genes), int(n_edges)):
            out.write(f"{genes[first]}\t{genes[second]}\n")


def pairs(rng: Any, n_genes: int, n_edges: int) -> Any:
    """Draw different pairs of different genes."""
    import numpy as np

    found = np.zeros(0, np.int64)
    while len(found) < n_edges:
        ends = np.sort((n_genes * rng.random((2, n_edges)) ** [[1.0], [HUBS]]).astype(int), axis=0)
        codes = ends[0] * n_genes + ends[1]
        found = np.unique(np.concatenate([found, codes[ends[0] < ends[1]]]))
    kept = rng.permutation(found)[:n_edges]
    return zip((kept // n_genes).tolist(), (kept % n_genes).tolist(), strict=True)


def measure(folder: str, convolution: str) -> None:
    """Train two epochs, and print what was measured."""
    import numpy as np

    from omicsfusion.models import training
    from omicsfusion.models.backend import compiled, keras
    from omicsfusion.models.cohort import GroupReader
    from omicsfusion.models.families import graph
    from omicsfusion.models.registry import ModelSpec
    from omicsfusion.models.request import TrainingRequest
    from omicsfusion.scopes import read_splits
    from omicsfusion.tables.outcome import read_outcome

    started = time.monotonic()
    epochs: list[tuple[float, float]] = []

    def timed(function: Any) -> Any:
        """Compile, and note when an epoch begins and ends."""
        run = compiled(function)
        if function.__name__ != "train_epochs":
            return run

        def epoch(*arguments: Any) -> Any:
            begun = time.monotonic()
            found = run(*arguments)
            keras.tree.map_structure(np.asarray, found[1])
            epochs.append((begun, time.monotonic()))
            return found

        return epoch

    training.compiled = timed
    training.EPOCHS_AT_ONCE = 1
    training.MAX_EPOCHS = 2
    here = Path(folder)
    reader = GroupReader(sorted(here.glob("*.matrices.h5")), read_splits(here / "splits.tsv"))
    request = TrainingRequest(
        ModelSpec("graph", "graph", LAYERS),
        read_outcome(here / "samples.tsv", "classification"),
        [],
        seed=1,
        network=here / "network.tsv",
        ensemble=MEMBERS,
    )
    graph.CONVOLUTION = convolution
    [fit] = graph.train(request, reader)
    if fit.record["status"] != "ok" or fit.save is None:
        raise ValueError(f"The fit says {dict(fit.record)}.")
    fit.save(here / "model")
    genes = reader.width(reader.scopes[0], LAYERS[0])
    edges = sum(1 for _ in (here / "network.tsv").open())
    estimated = graph.estimate_bytes(genes, edges, BATCH, graph.CHANNELS, members=MEMBERS)
    seconds = [end - begun for begun, end in epochs]
    steps = STEPS + reader.role_counts(fit.scope)["stop"] / BATCH
    print(
        json.dumps(
            {
                "convolution": convolution,
                "estimated_gb": estimated / 1e9,
                "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
                "seconds_before": epochs[0][0] - started,
                "seconds_first_epoch": seconds[0],
                "seconds_epoch": seconds[1],
                "seconds_step": seconds[1] / steps,
            }
        )
    )


if __name__ == "__main__":
    main()
