"""How missing values were filled in, where ways to do so were compared."""

from typing import Any

import pandas as pd

from omicsfusion.report.blocks import Table
from omicsfusion.report.words import count, number, times, told

ALL_VALUES = "both"
MECHANISMS = {"random": "hidden at random", "lowest": "hidden for being low"}
SCOPE = ["repeat", "fold", "inner"]


def imputation_views(imputation: pd.DataFrame) -> dict[str, Any]:
    """Lay out the errors of the compared methods, those of the outer folds; None without any."""
    outer = imputation[imputation["inner"] == "outer"]
    rows = outer if len(outer) else imputation
    if not len(rows):
        return {"imputation": None}
    mechanisms = rows["mechanism"].map(told)
    whole = rows[mechanisms == ALL_VALUES] if (mechanisms == ALL_VALUES).any() else rows
    parts = [name for name in MECHANISMS if (mechanisms == name).any()]
    # One mechanism alone is the whole.
    parts = parts if len(parts) > 1 else []
    n = len(rows[SCOPE].drop_duplicates())
    order = whole.groupby("method")["error"].median().sort_values(kind="stable").index
    cells = []
    for method in order:
        of_method = whole[whole["method"] == method]
        chosen = of_method[of_method["chosen"].map(is_yes)][SCOPE].drop_duplicates()
        spread = of_method["se"].median()
        errors = [
            number(rows.loc[(rows["method"] == method) & (mechanisms == name), "error"].median())
            for name in parts
        ]
        line = f"\nstandard error {number(spread, 2)}" if spread == spread else ""
        cells.append(
            [
                str(method),
                f"{number(of_method['error'].median())}{line}",
                *errors,
                times(len(chosen), n) if len(chosen) else "none",
            ]
        )
    header = ["Method", "Error", *(f"Values {MECHANISMS[name]}" for name in parts), "Chosen in"]
    masks = int(rows["mask"].nunique())
    note = (
        f"Known training values were hidden {count(masks, 'time')}, and each method restored "
        "them: root mean square error in standard deviations of the feature, median over "
        f"{count(n, 'training set')}. Taken is the cheapest method within one standard error of "
        "the best."
    )
    return {"imputation": Table("Ways to fill in missing values", header, cells, note=note)}


def is_yes(value: object) -> bool:
    """Whether a cell of a yes-or-no column says yes."""
    return told(value).lower() in ("yes", "true", "1", "1.0")
