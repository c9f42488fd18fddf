"""``--covariates``: columns of samples.tsv that become the layer ``clinical``."""

from collections.abc import Sequence

import pandas as pd

from omicsfusion.tables.clinical import clinical_column
from omicsfusion.tables.ids import shown
from omicsfusion.tables.numbers import is_number
from omicsfusion.tables.problems import Problems
from omicsfusion.tables.samples import SampleTable, require_column

RESERVED = ("sample", "cohort")
# A copy of the outcome is looked for where at least this share of samples has both.
MIN_COMPARED = 0.5


def check_covariates(
    samples: SampleTable,
    used: pd.Index,
    names: Sequence[str],
    outcome: pd.DataFrame | None,
    outcome_columns: Sequence[str],
    problems: Problems,
) -> pd.DataFrame | None:
    """Check the covariates and return them clean.

    Parameters
    ----------
    samples, used
        All samples, and those that are used.
    names
        Columns asked for.
    outcome
        Clean outcome of the used samples, to find its copies.
    outcome_columns
        The columns of samples.tsv that hold the outcome.

    Returns
    -------
    Index: used samples; the covariates as text, empty where missing. None when a column lacks.
    """
    twice = sorted({name for name in names if list(names).count(name) > 1})
    if twice:
        problems.error(f"--covariates names {shown(twice)} more than once.", "Name it once.")
    before = len(problems.errors)
    for name in sorted(set(names)):
        if name in RESERVED:
            problems.error(
                f"The column {name!r} cannot be a covariate.", "Leave it out of --covariates."
            )
        elif name in outcome_columns:
            problems.error(
                f"The covariate {name!r} is the outcome that is to be predicted.",
                "Leave it out of --covariates.",
            )
        else:
            require_column(samples, name, "--covariates", problems)
    if len(problems.errors) > before:
        return None
    clean = pd.DataFrame(index=used)
    for name in dict.fromkeys(names):
        clean[name] = _covariate(samples, used, name, outcome, problems)
    return clean


def _covariate(
    samples: SampleTable,
    used: pd.Index,
    name: str,
    outcome: pd.DataFrame | None,
    problems: Problems,
) -> list[str]:
    lines = [samples.line(sample) for sample in used]
    cells = list(samples.table.loc[used, name])
    column = clinical_column(name, cells, lines, problems, file=samples.name)
    known = {cell for cell in column.cells if cell}
    where = {"file": samples.name, "column": name}
    if not known:
        problems.warn("No used sample has a value of this covariate.", "Leave it out.", **where)
    elif len(known) == 1:
        problems.warn(
            f"The covariate has the same value ({next(iter(known))}) for all used samples.",
            "It can tell nothing: leave it out.",
            **where,
        )
    elif outcome is not None and _copies_outcome(pd.Series(column.cells, index=used), outcome):
        problems.error(
            "The covariate says the same as the outcome, sample by sample.",
            "With it a model would be asked what it is told: leave it out of --covariates.",
            **where,
        )
    return list(column.cells)


def _copies_outcome(cells: pd.Series, outcome: pd.DataFrame) -> bool:
    """Whether a covariate and a column of the outcome say the same, where both are known.

    Classes (and events) may be written otherwise (Basal as 1); numbers must be equal.
    """
    return any(_copies(cells, outcome.loc[cells.index, name]) for name in outcome.columns)


def _copies(cells: pd.Series, truth: pd.Series) -> bool:
    both = (cells != "") & truth.notna() & (truth.astype(str) != "")
    if both.sum() < MIN_COMPARED * len(cells):
        return False
    mine = cells[both].map(lambda cell: float(cell) if is_number(cell) else cell)
    pairs = pd.DataFrame({"mine": mine, "truth": truth[both]}).drop_duplicates()
    levels = pairs["truth"].nunique()
    if levels > 2 and truth.dtype.kind == "f":
        return bool((pairs["mine"] == pairs["truth"]).all())
    return bool(1 < levels == len(pairs) == pairs["mine"].nunique())
