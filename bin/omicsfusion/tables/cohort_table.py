"""The files of a layer, one per cohort: which samples are used, and their values by columns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from omicsfusion.tables.layer import LayerHeader, read_columns, read_header

CLINICAL = "clinical"  # the kind whose values are codes of words
# Values in a block: 16 MB of float32. Working copies in float64 make some 150 MB of it.
BLOCK_VALUES = 4_000_000


class LayerFilesError(ValueError):
    """The files do not hold one layer of the cohorts in samples.tsv; the text says why."""


@dataclass(frozen=True)
class CohortTable:
    """The used samples of a layer in one cohort's file.

    Attributes
    ----------
    path, header
        The file.
    rows
        Its rows that hold used samples, in the order of their ids.
    is_training
        Whether the cohort is trained on (the others are external).
    """

    path: Path
    header: LayerHeader
    rows: np.ndarray
    is_training: bool

    @property
    def samples(self) -> tuple[str, ...]:
        """Ids of the used samples, sorted."""
        return tuple(self.header.samples[row] for row in self.rows)

    def blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield ``(first column, float32 block of the used samples)`` from left to right."""
        for start, X in column_blocks(self.path, self.header):
            yield start, X[self.rows]

    def columns(self, features: Sequence[str]) -> np.ndarray:
        """Read some features; those that the file lacks are NaN.

        Returns
        -------
        float32 array, used samples x ``features``.
        """
        out = np.full((len(self.rows), len(features)), np.nan, dtype=np.float32)
        for targets, X in self.blocks_of(features):
            out[:, targets] = X
        return out

    def blocks_of(self, features: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield some features: their positions in ``features``, and the used samples' values."""
        position = {feature: column for column, feature in enumerate(self.header.features)}
        source = np.array([position.get(feature, -1) for feature in features], dtype=np.int64)
        for start, X in self.blocks():
            here = np.flatnonzero((source >= start) & (source < start + X.shape[1]))
            if len(here):
                yield here, X[:, source[here] - start]


def open_tables(paths: Sequence[str | Path], samples: pd.DataFrame) -> list[CohortTable]:
    """Find the used samples in the files of a layer.

    Parameters
    ----------
    paths
        Layer files (``tables/layer.py``) of one layer, one per cohort, in any order.
    samples
        The clean ``samples.tsv``: ``sample, cohort, role``.

    Returns
    -------
    One table per cohort, sorted by its name.

    Raises
    ------
    LayerFilesError
        When the files hold different layers or kinds, or two hold the same cohort.
    """
    opened = []
    role = dict(zip(samples["sample"], samples["role"], strict=True))
    cohort = dict(zip(samples["sample"], samples["cohort"], strict=True))
    for path in paths:
        header = read_header(path)
        used = [row for row, name in enumerate(header.samples) if cohort.get(name) == header.cohort]
        used.sort(key=header.samples.__getitem__)
        is_training = any(role[header.samples[row]] == "train" for row in used)
        opened.append(CohortTable(Path(path), header, np.array(used, dtype=np.int64), is_training))
    opened.sort(key=lambda table: table.header.cohort)
    _refuse_strangers([table.header for table in opened])
    return opened


def _refuse_strangers(headers: Sequence[LayerHeader]) -> None:
    found = sorted({(header.layer, header.kind) for header in headers})
    if len(found) > 1:
        named = ", ".join(f"{layer} ({kind})" for layer, kind in found)
        raise LayerFilesError(f"These files should hold one layer of one kind, but hold {named}.")
    cohorts = [header.cohort for header in headers]
    twice = sorted({cohort for cohort in cohorts if cohorts.count(cohort) > 1})
    if twice:
        raise LayerFilesError(
            f"Two files hold the cohort {twice[0]!r} of the layer {found[0][0]!r}. Give one."
        )


def column_blocks(path: str | Path, header: LayerHeader) -> Iterator[tuple[int, np.ndarray]]:
    """Yield ``(first column, float32 samples x some features)`` of a file from left to right."""
    width = max(BLOCK_VALUES // max(len(header.samples), 1), 1)
    for start in range(0, len(header.features), width):
        yield start, read_columns(path, start, min(start + width, len(header.features)))
