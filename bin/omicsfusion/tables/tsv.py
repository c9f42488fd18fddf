"""The one way in which tables are written to and read from disk between processes."""

from pathlib import Path

import pandas as pd

MISSING = ("", "NA", "NaN", "nan")


def write_tsv(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table as TSV, whole or not at all.

    Floats get the shortest text that reads back to the same number, missing values are empty, and
    the index is not written. The file appears under its name only when it is complete.
    """
    path = Path(path)
    partial = path.with_name(path.name + ".partial")
    table.to_csv(partial, sep="\t", index=False, lineterminator="\n")
    partial.replace(path)


def read_tsv(path: str | Path, text_columns: tuple[str, ...] = ()) -> pd.DataFrame:
    """Read a table that :func:`write_tsv` wrote.

    Parameters
    ----------
    path
        The file.
    text_columns
        Columns to keep as text even when they look like numbers. Ids (``sample``, ``patient``,
        ``feature`` and other id columns of the contracts) are always text, so that ``007`` stays
        ``007``; classes (``truth`` of a classification) are named here by the caller.
    """
    text = {*text_columns, "sample", "patient", "feature", "cohort", "layer", "model", "inner"}
    header = pd.read_csv(path, sep="\t", nrows=0).columns
    return pd.read_csv(
        path,
        sep="\t",
        dtype={column: str for column in header if column in text},
        keep_default_na=False,
        na_values={column: [""] if column in text else list(MISSING) for column in header},
        float_precision="round_trip",
    )
