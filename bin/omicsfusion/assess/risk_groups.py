"""Groups of high and low risk, their survival curves, and how far apart they lie.

The cut of a fold is the median of the out-of-fold risks of its training samples, so no test sample
takes part in choosing it. The log-rank test and the hazard ratio **describe** the groups: the
groups of all folds are looked at together although their models differ, and samples of one patient
count as independent.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from omicsfusion.assess.held_out import time_and_event
from omicsfusion.assess.kaplan_meier import kaplan_meier

HIGH, LOW = "high", "low"
COX_PRECISION = {"precision": 1e-14, "r_precision": 1e-14}
"""With its defaults lifelines stopped up to 1e-5 away from the optimum."""


def cut_points(entry: pd.DataFrame) -> pd.DataFrame:
    """Return ``repeat, fold, cut`` of one model: the median of each fold's inner risks.

    Parameters
    ----------
    entry
        All rows of one model.
    """
    inner = entry[entry["scope"] == "inner"]
    return inner.groupby(["repeat", "fold"])["risk"].median().rename("cut").reset_index()


def risk_groups(entry: pd.DataFrame) -> pd.DataFrame:
    """Put each test sample of one model in the group of high or of low risk.

    In each outer fold a sample is high when its risk exceeds the fold's :func:`cut_points`. Over
    repeats it is high when it was in at least half of them.

    Parameters
    ----------
    entry
        All rows of one model.

    Returns
    -------
    ``model, sample, patient, risk_group, share_high``, sorted by sample. Both are missing for a
    sample that no repeat has a risk or a cut for.
    """
    test = entry[entry["scope"] == "test"]
    test = test.merge(cut_points(entry), on=["repeat", "fold"], how="left")
    known = test["risk"].notna() & test["cut"].notna()
    test["share_high"] = (test["risk"] > test["cut"]).where(known).astype(float)
    groups = test.groupby(["model", "sample", "patient"])["share_high"].mean().reset_index()
    named = np.where(groups["share_high"] >= 0.5, HIGH, LOW)
    groups.insert(3, "risk_group", pd.Series(named).where(groups["share_high"].notna()))
    return groups.sort_values("sample", ignore_index=True)


def group_outcomes(entry: pd.DataFrame, groups: pd.DataFrame) -> pd.DataFrame:
    """Join to each grouped sample its outcome: ``sample, risk_group, time, event``.

    Samples without a group or an outcome are left out.
    """
    test = entry[entry["scope"] == "test"].drop_duplicates("sample")
    joined = groups[["sample", "risk_group"]].merge(test[["sample", "time", "event"]], on="sample")
    return joined.dropna().reset_index(drop=True)


def group_curves(model: str, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Estimate the survival curve of each group.

    Parameters
    ----------
    outcomes
        As :func:`group_outcomes` returns it.

    Returns
    -------
    ``model, risk_group, time, survival, ci_low, ci_high, at_risk, events``: per group a row for
    time 0 and for each time at which someone had the event or was censored. The interval is
    pointwise, 95 %, log-log. A group without samples has no rows.
    """
    parts = []
    for name in (HIGH, LOW):
        time, event = time_and_event(outcomes[outcomes["risk_group"] == name])
        if len(time):
            curve = kaplan_meier(time, event)
            low, high = curve.interval()
            start = [0.0, 1.0, 1.0, 1.0, float(len(time)), 0.0]
            steps = [curve.time, curve.survival, low, high, curve.at_risk, curve.events]
            parts += [(name, row) for row in [start, *np.column_stack(steps)]]
    columns = ["time", "survival", "ci_low", "ci_high", "at_risk", "events"]
    table = pd.DataFrame([row for _, row in parts], columns=columns)
    table = table.astype({"at_risk": int, "events": int})
    table.insert(0, "risk_group", [name for name, _ in parts])
    table.insert(0, "model", model)
    return table


def group_difference(model: str, outcomes: pd.DataFrame) -> Mapping[str, object]:
    """Compare the survival of the two groups.

    Parameters
    ----------
    outcomes
        As :func:`group_outcomes` returns it.

    Returns
    -------
    ``model, statistic, p`` of the log-rank test, ``n_low, n_high`` (samples), ``hazard_ratio,
    hr_low, hr_high``: high against low, Cox regression with Efron's ties, 95 % Wald interval.
    NaN where a group is empty; the hazard ratio also where it has no finite estimate: while both
    groups are under observation only one of them has events.
    """
    high = outcomes["risk_group"] == HIGH
    statistic, p = _logrank(outcomes, high) if high.any() and not high.all() else (np.nan, np.nan)
    finite = _has_finite_hazard_ratio(outcomes, high)
    ratio = _hazard_ratio(outcomes, high) if finite else (np.nan, np.nan, np.nan)
    return {
        "model": model,
        "statistic": statistic,
        "p": p,
        "n_low": int((~high).sum()),
        "n_high": int(high.sum()),
        **dict(zip(("hazard_ratio", "hr_low", "hr_high"), ratio, strict=True)),
    }


def _logrank(outcomes: pd.DataFrame, high: pd.Series) -> tuple[float, float]:
    from lifelines.statistics import multivariate_logrank_test

    result = multivariate_logrank_test(outcomes["time"], high.astype(int), outcomes["event"])
    return float(result.test_statistic), float(result.p_value)


def _has_finite_hazard_ratio(outcomes: pd.DataFrame, high: pd.Series) -> bool:
    both_at_risk = outcomes["time"] <= outcomes.groupby(high)["time"].max().min()
    return high[both_at_risk & (outcomes["event"] == 1)].nunique() == 2


def _hazard_ratio(outcomes: pd.DataFrame, high: pd.Series) -> tuple[float, float, float]:
    from lifelines import CoxPHFitter

    frame = outcomes[["time", "event"]].assign(high=high.astype(float))
    fitted = CoxPHFitter().fit(frame, "time", "event", fit_options=COX_PRECISION)
    row = fitted.summary.loc["high"]
    low, high_end = row["exp(coef) lower 95%"], row["exp(coef) upper 95%"]
    return float(row["exp(coef)"]), float(low), float(high_end)
