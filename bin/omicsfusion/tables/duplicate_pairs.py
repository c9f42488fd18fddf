"""Pairs of samples that are the same material, as FIND_DUPLICATES lists them for each layer."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from omicsfusion.tables.tsv import read_tsv

COLUMNS = (
    "layer",
    "sample",
    "other",
    "cohort",
    "other_cohort",
    "patient",
    "other_patient",
    "correlation",
    "centred_correlation",
    "relation",
)
_TEXT = ("other", "other_cohort", "other_patient", "relation")


def read_duplicates(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Read the pairs of all layers (``<layer>.duplicates.tsv``), sorted by layer and samples.

    Returns
    -------
    ``COLUMNS``; one row per layer and pair.
    """
    tables = [read_tsv(path, text_columns=_TEXT) for path in paths]
    found = [table for table in tables if len(table)]
    if not found:
        return pd.DataFrame(columns=list(COLUMNS))
    pairs = pd.concat(found, ignore_index=True)[list(COLUMNS)]
    return pairs.sort_values(["layer", "sample", "other"], ignore_index=True)


def links_of(duplicates: pd.DataFrame) -> list[tuple[str, str]]:
    """List each pair of samples once, whatever the number of layers that show it, sorted."""
    pairs = zip(duplicates["sample"], duplicates["other"], strict=True)
    return sorted({(min(one, two), max(one, two)) for one, two in pairs})
