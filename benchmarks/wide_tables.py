"""Tables wider than memory: speed and memory of IMPORT, and of a chain fitted in blocks.

    .tools/bin/python benchmarks/wide_tables.py [--features 250000 500000 1000000]
        [--samples 1000] [--forms h5ad h5ad_features parquet text] [--repeats 5]
        [--folder DIR] [--out FILE]

For each number of features it makes beta values (one in a hundred missing) in a temporary folder,
one form of table after the other, and measures, each in a process of its own:

- importing the table (HDF5 with samples in its rows, as AnnData has them, or features; Parquet and
  text with features in their rows) beside a plain block-by-block copy of the same data as it lies
  (HDF5, Parquet) or pandas' chunked reader alone (text), in turns;
- fitting filter, M-values, median imputation, selection of 5,000 features by variance and scaling
  on four fifths of the samples, and transforming all of them, from the imported layer.

What is written counts when it is on disk: time runs until the system has written it back, from a
state in which nothing is left to be written. (Without that, a copy of 4 GB ran at 0.3 to 1.6 GB/s,
whichever memory it was given.) It prints, and writes to FILE, the seconds and the speed over that
of the plain copy of the same turn (medians of the turns; and the lowest and highest speed), and
the peak of resident memory. A million features need 16 GB of disk.
Two forms are there for fewer features: text with samples in its rows (``text_samples``), for which
pandas takes hours, and such Parquet (``parquet_samples``), of which Arrow holds 3 KB for each
column (3 GB for a million).
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from parts import run_part

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bin"))

# Heavy libraries are imported by the parts alone: Linux counts the parent's memory to the child.

Part = Callable[..., None]
FORMS = ("h5ad", "h5ad_features", "parquet", "text", "parquet_samples", "text_samples")
DEFAULT_FORMS = FORMS[:4]
MISSING = 0.01
BLOCK = 2_000_000
PIECE = 250_000
KEPT = 5_000
COLUMNS = ("features", "samples", "part", "seconds", "speed_over_plain", "from_to", "peak_mb")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--features", type=int, nargs="+", default=[250_000, 500_000, 1_000_000])
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--forms", nargs="+", choices=FORMS, default=DEFAULT_FORMS)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--out", type=Path, default=Path("wide_tables.tsv"))
    parser.add_argument("--part", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part:
        measure(*given.part)
        return
    rows = []
    for n_features in given.features:
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            rows += bench(Path(folder), n_features, given.samples, given.forms, given.repeats)
    text = ["\t".join(COLUMNS), *("\t".join(map(str, row)) for row in rows)]
    given.out.write_text("".join(f"{line}\n" for line in text))


def bench(
    folder: Path, n_features: int, n_samples: int, forms: list[str], repeats: int
) -> list[tuple[Any, ...]]:
    """Measure all parts for one number of features; print and return their rows."""
    rows: list[tuple[Any, ...]] = []

    def add(part: str, measured: list[tuple[float, float]], speeds: list[float]) -> None:
        seconds = median(seconds for seconds, _ in measured)
        peak = max(peak for _, peak in measured)
        speed = f"{median(speeds):.2f}" if speeds else ""
        from_to = f"{min(speeds):.2f} to {max(speeds):.2f}" if speeds else ""
        rows.append((n_features, n_samples, part, f"{seconds:.1f}", speed, from_to, f"{peak:.0f}"))
        print("\t".join(map(str, rows[-1])), flush=True)

    layer = folder / "main.m.h5ad"
    for form in forms:
        table = folder / f"table.{form}"
        alone("make", form, table, n_features, n_samples)
        found: dict[str, list[tuple[float, float]]] = {"plain": [], "import": []}
        for _ in range(repeats):
            for what, measured in found.items():
                # Freeing their gigabytes is not part of either.
                layer.unlink(missing_ok=True)
                plain_copy(layer).unlink(missing_ok=True)
                measured.append(alone(what, form, table, layer))
        table.unlink()
        turns = zip(found["plain"], found["import"], strict=True)
        speeds = [plain / own for (plain, _), (own, _) in turns]
        add(f"{form} plain", found["plain"], [])
        add(f"{form} import", found["import"], speeds)
    add("chain in blocks", [alone("chain", "layer", layer)], [])
    return rows


def plain_copy(layer: str | Path) -> Path:
    """Where a plain copy is written."""
    return Path(f"{layer}.plain")


def alone(what: str, form: str, *arguments: object) -> tuple[float, float]:
    """Run a part in a process of its own; return its seconds and its peak of memory in MB."""
    os.sync()
    seconds, peak = run_part(__file__, what, form, *arguments)
    return seconds, peak


def measure(what: str, form: str, *arguments: str) -> None:
    """Run a part, and print its seconds and its peak of resident memory in MB."""
    part = PARTS[what, form] if (what, form) in PARTS else PARTS[what, ""]
    started = time.monotonic()
    part(form, *arguments)
    os.sync()
    seconds = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([seconds, peak]))


# Making the data ---------------------------------------------------------------------------------


def samples_of(n: int) -> list[str]:
    """Ids of samples."""
    return [f"S{index:05d}" for index in range(n)]


def features_of(n: int) -> list[str]:
    """Ids of features."""
    return [f"cg{index:08d}" for index in range(n)]


def codes(n_rows: int, n_columns: int) -> Iterator[Any]:
    """Yield blocks of rows of whole numbers: 0 to 9999 for a beta value, 10000 where missing."""
    import numpy as np

    rows = max(1, BLOCK // n_columns)
    for start in range(0, n_rows, rows):
        rng = np.random.default_rng([n_rows, n_columns, start])
        block = rng.integers(0, 10_000, (min(rows, n_rows - start), n_columns))
        block[rng.random(block.shape, dtype="f4") < MISSING] = 10_000
        yield block


def beta_of_codes() -> Any:
    """Return the beta value of each code."""
    import numpy as np

    return np.append(np.arange(10_000) / 10_000, np.nan).astype("f4")


def make_h5ad(form: str, path: str, n_features: str, n_samples: str) -> None:
    """Write X as anndata does, contiguous: samples in rows, or features."""
    from omicsfusion.tables.layer import LayerHeader, new_layer

    samples, features = samples_of(int(n_samples)), features_of(int(n_features))
    rows, columns = (samples, features) if form == "h5ad" else (features, samples)
    beta, start = beta_of_codes(), 0
    header = LayerHeader("m", "methylation_beta", "main", tuple(rows), tuple(columns))
    with new_layer(path, header) as x:
        for block in codes(len(rows), len(columns)):
            x[start : start + len(block)] = beta[block]
            start += len(block)


def make_parquet(form: str, path: str, n_features: str, n_samples: str) -> None:
    """Write features in rows, in groups of 50,000; or samples in rows, in one group."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    samples, features = samples_of(int(n_samples)), features_of(int(n_features))
    beta = beta_of_codes()
    rows, columns = (samples, features) if form == "parquet_samples" else (features, samples)
    schema = pa.schema([("id", pa.string()), *((name, pa.float32()) for name in columns)])
    group = len(rows) if form == "parquet_samples" else 50_000
    writer = pq.ParquetWriter(path, schema, use_dictionary=False, write_statistics=False)
    for start in range(0, len(rows), group):
        ids = rows[start : start + group]
        block = np.concatenate([beta[part] for part in codes(len(ids), len(columns))])
        arrays = [pa.array(ids), *(pa.array(column) for column in block.T)]
        writer.write_table(pa.Table.from_arrays(arrays, schema=schema), row_group_size=group)
    writer.close()


def make_text(form: str, path: str, n_features: str, n_samples: str) -> None:
    """Write tab-separated text: features in rows, or samples."""
    import numpy as np

    samples, features = samples_of(int(n_samples)), features_of(int(n_features))
    rows, columns = (samples, features) if form == "text_samples" else (features, samples)
    cells = np.array([*(f"\t{code / 10_000:.4f}" for code in range(10_000)), "\tNA"], dtype="S7")
    with Path(path).open("wb") as out:
        out.write("\t".join(["id", *columns]).encode() + b"\n")
        ids = iter(rows)
        for block in codes(len(rows), len(columns)):
            for line in cells[block]:
                out.write(next(ids).encode() + line.tobytes().replace(b"\0", b"") + b"\n")


# Plain copies ------------------------------------------------------------------------------------


def copy_h5ad(form: str, path: str, layer: str) -> None:
    """Copy X by blocks of 1 MB, faster than larger ones (see ``layer_writer.PIECE``)."""
    import h5py

    with h5py.File(path) as source, h5py.File(plain_copy(layer), "w") as target:
        x = source["X"]
        out = target.create_dataset("X", x.shape, dtype="f4")
        rows, columns = max(1, PIECE // x.shape[1]), PIECE
        for start in range(0, len(x), rows):
            for left in range(0, x.shape[1], columns):
                block = slice(start, start + rows), slice(left, left + columns)
                out[block] = x[block]


def copy_parquet(form: str, path: str, layer: str) -> None:
    """Copy groups of rows, as they lie."""
    import h5py
    import numpy as np
    import pyarrow.parquet as pq

    source = pq.ParquetFile(path)
    names = source.schema_arrow.names[1:]
    shape = source.metadata.num_rows, len(names)
    with h5py.File(plain_copy(layer), "w") as target:
        out, start = target.create_dataset("X", shape, dtype="f4"), 0
        for group in range(source.num_row_groups):
            part = source.read_row_group(group, columns=names, use_threads=False)
            out[start : start + len(part)] = np.column_stack(part.columns)
            start += len(part)


def copy_parquet_samples(form: str, path: str, layer: str) -> None:
    """Copy blocks of columns, as they lie."""
    import h5py
    import pyarrow.parquet as pq

    source = pq.ParquetFile(path)
    names = source.schema_arrow.names[1:]
    n_rows = source.metadata.num_rows
    with h5py.File(plain_copy(layer), "w") as target:
        out, width = target.create_dataset("X", (n_rows, len(names)), dtype="f4"), BLOCK // n_rows
        for start in range(0, len(names), width):
            part = source.read(columns=names[start : start + width], use_threads=False)
            out[:, start : start + width] = part.to_pandas().to_numpy()


def read_text(form: str, path: str, layer: str) -> None:
    """Read with pandas, some rows at a time, and throw them away."""
    import pandas as pd

    rows = 5_000 if form == "text" else 100
    for _ in pd.read_csv(path, sep="\t", index_col=0, chunksize=rows):
        pass


# What is measured --------------------------------------------------------------------------------


def import_table(form: str, path: str, layer: str) -> None:
    """Import as the pipeline does."""
    from omicsfusion.tables.importing import ImportRequest, import_layer

    lies = "features" if form in ("text", "parquet", "h5ad_features") else "samples"
    request = ImportRequest("m", "methylation_beta", "main", lies, (Path(path),))
    problems = import_layer(request, Path(layer))
    if problems.found:
        raise ValueError(str(problems.found[0]))


def fit_chain(form: str, layer: str) -> None:
    """Fit a chain on four fifths of the samples, and transform them all."""
    import numpy as np
    import pandas as pd

    from omicsfusion.preprocess.annotations import Annotations
    from omicsfusion.preprocess.blocks import fit_in_blocks
    from omicsfusion.preprocess.cohorts import open_cohorts
    from omicsfusion.preprocess.filter import FeatureFilter
    from omicsfusion.preprocess.impute.median import MedianImputer
    from omicsfusion.preprocess.normalise.methylation import MValues
    from omicsfusion.preprocess.scale import FeatureScaler
    from omicsfusion.preprocess.select.spread import VarianceSelector
    from omicsfusion.tables.layer import read_header

    samples = pd.DataFrame({"sample": read_header(layer).samples})
    opened = open_cohorts([layer], samples.assign(cohort="main", role="train"))
    steps = [FeatureFilter(), MValues(), MedianImputer(), VarianceSelector(KEPT), FeatureScaler()]
    everyone = np.arange(len(opened.samples))
    annotations = Annotations(opened.features)
    wide = fit_in_blocks(steps, opened, everyone[everyone % 5 > 0], annotations)
    X = wide.transform(opened, everyone, annotations)
    if X.shape != (len(everyone), min(KEPT, len(opened.features))) or not np.isfinite(X).all():
        raise ValueError(f"The chain gave {X.shape}.")


PARTS: dict[tuple[str, str], Part] = {
    ("make", "h5ad"): make_h5ad,
    ("make", "h5ad_features"): make_h5ad,
    ("make", "parquet"): make_parquet,
    ("make", "parquet_samples"): make_parquet,
    ("make", ""): make_text,
    ("plain", "h5ad"): copy_h5ad,
    ("plain", "h5ad_features"): copy_h5ad,
    ("plain", "parquet"): copy_parquet,
    ("plain", "parquet_samples"): copy_parquet_samples,
    ("plain", ""): read_text,
    ("import", ""): import_table,
    ("chain", ""): fit_chain,
}

if __name__ == "__main__":
    main()
