"""A small cohort with inner folds, as shallow models meet it: one factor moves what there is."""

from pathlib import Path

import numpy as np
import pandas as pd

from omicsfusion.models.cohort import GroupReader
from omicsfusion.preprocess.matrices import write_matrices
from omicsfusion.scopes import OUTER, Scope
from omicsfusion.tables.outcome import Outcome

N = 72
FOLDS = 3
HORIZONS = (5.0, 10.0)
SAMPLES = tuple(f"S{i:02d}" for i in range(N))
LAYERS = {
    "clinical": ("age", "stage=II", "stage=III"),
    "protein": tuple(f"P{i}" for i in range(8)),
    "rna": tuple(f"G{i:02d}" for i in range(120)),
}
LACK_PROTEIN = slice(0, N, 5)
OUTER_SCOPE = Scope(1, 1, OUTER)

Values = dict[str, np.ndarray]


def values() -> Values:
    """A factor that moves ten genes and three proteins; nobody of the first rows has proteins."""
    rng = np.random.default_rng(8)
    x = {name: rng.normal(size=(N, len(features))) for name, features in LAYERS.items()}
    x["rna"][:, :10] += 1.5 * factor()[:, None]
    x["protein"][:, :3] += 1.5 * factor()[:, None]
    x["protein"][LACK_PROTEIN] = np.nan
    return x


def factor() -> np.ndarray:
    return np.random.default_rng(4).normal(size=N)


def outcome(task: str) -> Outcome:
    rng = np.random.default_rng(6)
    if task == "classification":
        names = np.array(["a", "b", "c"])[np.digitize(factor(), [-0.5, 0.5])]
        return Outcome(task, table(truth=names), ("a", "b", "c"))
    if task == "survival":
        time = np.round(10 * rng.exponential(size=N) / np.exp(1.5 * factor()), 2) + 0.01
        return Outcome(task, table(time=time, event=(rng.uniform(size=N) < 0.7).astype(float)))
    return Outcome(task, table(truth=3 * factor() + rng.normal(size=N)))


def table(**columns: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(columns, index=pd.Index(SAMPLES, name="sample"))


def splits() -> pd.DataFrame:
    """One outer scope with two inner folds; roles by the position of the sample."""
    rows = []
    for inner in (OUTER, "0", "1"):
        for i, sample in enumerate(SAMPLES):
            if i % FOLDS == 0:
                role = "test" if inner == OUTER else ""
            elif inner != OUTER and i % 4 // 2 == int(inner):
                role = "test"
            else:
                role = "stop" if i % 7 == 0 else "train"
            rows.append((0, 1, 1, inner, "all", sample, sample, role))
    names = ["permutation", "repeat", "fold", "inner", "group", "sample", "patient", "role"]
    return pd.DataFrame(rows, columns=names).query("role != ''").reset_index(drop=True)


def reader_of(folder: Path, x: Values) -> GroupReader:
    """Write matrices as PREPROCESS would, without rows of samples that lack the layer."""
    folder.mkdir(exist_ok=True)
    roles = splits()
    paths = []
    for name, features in LAYERS.items():
        blocks = []
        for inner in (OUTER, "0", "1"):
            here = roles.loc[roles["inner"] == inner, "sample"]
            rows = [SAMPLES.index(s) for s in here if not np.isnan(x[name][SAMPLES.index(s)]).any()]
            names = [SAMPLES[row] for row in rows]
            blocks.append((Scope(1, 1, inner), x[name][rows], names, features))
        paths.append(folder / f"{name}.matrices.h5")
        write_matrices(paths[-1], name, "rna_log", "all", blocks)
    return GroupReader(paths, roles)
