"""What survival adds: Kaplan-Meier curves of the groups of low and high risk."""

import math

import pandas as pd

from omicsfusion.report.blocks import Figure, Table
from omicsfusion.report.figures.lines import kaplan_meier
from omicsfusion.report.results import Results
from omicsfusion.report.verdict import main_model
from omicsfusion.report.words import MISSING, lowered, model_name, number, p_value, quantity, share

MOST_TIMES = 8
ROUND_STEPS = (1, 2, 2.5, 5, 10, 20)
SHOWN_BINS = (1, 5, 10)
"""Of predicted survival, in tenths."""


def risk_views(results: Results) -> dict[str, object]:
    """Make the views of the main model; a view without data is None."""
    main = main_model(results)
    curves = results["kaplan_meier"]
    curves = curves[curves["model"] == main]
    if not len(curves):
        return {"kaplan_meier": None, "separation": None, "calibration": None}
    return {
        "calibration": calibration_table(results),
        "kaplan_meier": _figure(main, curves),
        "at_risk": _at_risk(curves),
        "separation": _separation(results),
    }


def calibration_table(results: Results) -> Table | None:
    """Lay out the test of D-calibration, a row for each model; None for older runs."""
    known = results["d_calibration"].set_index("model")
    rows = []
    for model in results.models:
        if model in known.index:
            row = known.loc[model]
            p = f"not told: {row['reason']}" if pd.isna(row["p"]) else p_value(row["p"])
            shares = [share(row[f"share_{i}"], 1) for i in SHOWN_BINS]
            rows.append([model_name(model), number(row["statistic"]), p, *shares])
    if not rows:
        return None
    return Table(
        "D-calibration: are the predicted survival curves right as a whole?",
        [
            "Model",
            "Chi-square, 9 degrees",
            "p",
            *(f"{10 * (i - 1)} to {10 * i} %" for i in SHOWN_BINS),
        ],
        rows,
        (2,),
        "Of right curves, a tenth of the patients meets the event while the curve is between 0 and "
        "10 %, a tenth between 10 and 20 %, and so on (patients who left before are spread over "
        "the bins that they may have reached). Shown are the shares of the ends and the middle; a "
        "small p says that they are uneven: the curves are too hopeful, too grave, or too sure. "
        "A large p is no praise: a curve that is the same for everyone may be calibrated, and "
        "with many who left the test sees little. All bins: assess/d_calibration.tsv.",
    )


def at_risk(rows: pd.DataFrame, time: float) -> int:
    """Read off how many of a group are under observation just before a time."""
    later = rows[rows["time"] >= time]
    return int(later["at_risk"].iloc[0]) if len(later) else 0


def survival_at(rows: pd.DataFrame, time: float) -> float:
    """Read off the height of a curve at a time; NaN after the end of observation."""
    if time > rows["time"].max():
        return float("nan")
    return float(rows.loc[rows["time"] <= time, "survival"].iloc[-1])


def times_at_risk(curves: pd.DataFrame) -> list[float]:
    """Choose round times from 0 to the end of observation, at most ``MOST_TIMES``."""
    last = float(curves["time"].max())
    power = 10.0 ** math.floor(math.log10(last / MOST_TIMES)) if last > 0 else 1.0
    step = next(power * s for s in ROUND_STEPS if last / (power * s) < MOST_TIMES)
    return [step * i for i in range(int(last / step) + 1)]


def _figure(model: str, curves: pd.DataFrame) -> Figure:
    name = lowered(model_name(model))
    data, layout, height = kaplan_meier(curves, times_at_risk(curves))
    return Figure(
        "kaplan-meier",
        f"Kaplan-Meier curves of patients called low and high risk by the {name}, with pointwise "
        "95 % bands. Each patient was put in a group by models that had not seen them: the cut of "
        "a fold is the median of the risks that its training patients got while they were held "
        "out in the inner folds.",
        f"Survival curves of two groups. {_ends(curves)}",
        data,
        layout,
        height,
    )


def _ends(curves: pd.DataFrame) -> str:
    times = times_at_risk(curves)
    middle = times[len(times) // 2]
    said = []
    for group, rows in curves.groupby("risk_group"):
        height = survival_at(rows, middle)
        if height == height:
            said.append(f"at time {quantity(middle)}, {share(height, 1)} of the {group} risk group")
    return f"Without the event: {' and '.join(said)}." if said else ""


def _at_risk(curves: pd.DataFrame) -> Table:
    times = times_at_risk(curves)
    rows = []
    for group in ("low", "high"):
        here = curves[curves["risk_group"] == group].sort_values("time")
        if len(here):
            cells = [f"{at_risk(here, time):,}" for time in times]
            rows.append([f"{group} risk", *cells])
    return Table("Number at risk at time", ["", *(quantity(time) for time in times)], rows)


def _separation(results: Results) -> Table | None:
    known = results["logrank"].set_index("model")
    rows = []
    for model in results.models:
        if model in known.index:
            row = known.loc[model]
            ratio = MISSING
            if pd.notna(row["hazard_ratio"]):
                ends = f"{number(row['hr_low'])} to {number(row['hr_high'])}"
                ratio = f"{number(row['hazard_ratio'])} ({ends})"
            sizes = [f"{int(row['n_low']):,}", f"{int(row['n_high']):,}"]
            rows.append([model_name(model), *sizes, ratio, p_value(row["p"])])
    if not rows:
        return None
    return Table(
        "Groups of low and high risk by model",
        ["Model", "Low risk", "High risk", "Hazard ratio (95 % interval)", "Log-rank, descriptive"],
        rows,
        note="Descriptive: the groups come from different models in different folds, so p and the "
        "interval describe the picture and are no test of the model.",
    )
