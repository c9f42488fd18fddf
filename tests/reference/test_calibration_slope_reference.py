"""Calibration slopes against statsmodels and lifelines, and Antolini's C against its definition."""

import numpy as np
import pandas as pd
import pytest

from omicsfusion.assess.calibration_slope import Answers, logistic_slope
from omicsfusion.assess.classification import classification_metrics
from omicsfusion.assess.cox_slope import cox_slope, stratum
from omicsfusion.assess.held_out import held_out_sets, time_and_event
from omicsfusion.assess.regression import regression_metrics
from omicsfusion.assess.survival import survival_metrics
from tests.predictions_table import CLASSES, HORIZONS, predictions_table

SEEDS = (0, 1, 2)


def sets_of(task, seed, patients=150):
    """Return the held-out sets of a model and weights that count every patient once."""
    table = predictions_table(task, patients=patients, seed=seed, models=("fused",))
    names = sorted(table["patient"].unique())
    return held_out_sets(table, "test", names), np.ones((1, patients))


def cox_of_lifelines(table, near):
    """Return the slope of a Cox regression with a stratum for each fold, sought beside ``near``.

    From 0 lifelines stops up to 1.5e-8 away from the root of the score, however precise it is
    asked to be; from 0.001 away it comes within 1e-11.
    """
    from lifelines import CoxPHFitter

    options = {"precision": 1e-14, "r_precision": 1e-14}
    columns = {"duration_col": "time", "event_col": "event", "strata": "fold"}
    start = np.array([(near + 0.001) * table["risk"].std(ddof=1)])
    fitter = CoxPHFitter().fit(table, **columns, initial_point=start, fit_options=options)
    return fitter.params_["risk"]


def logit_of_statsmodels(log_odds, truth, fold):
    """Return the slope of a logistic regression with an intercept for each fold."""
    from statsmodels.api import Logit

    design = np.column_stack([log_odds, pd.get_dummies(fold).to_numpy(float)])
    fitted = Logit(np.asarray(truth, dtype=float), design).fit(
        method="newton", tol=1e-12, maxiter=100, disp=False
    )
    return fitted.params[0]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_slope_of_classes_is_that_of_statsmodels_with_an_intercept_per_fold(seed):
    sets, weights = sets_of("classification", seed)
    slopes = []
    for name in CLASSES:
        odds, truth, fold = [], [], []
        for number, held in enumerate(sets):
            shares = [(held.training["truth"] == other).mean() for other in CLASSES]
            p = held.rows[[f"p_{other}" for other in CLASSES]].to_numpy() * shares
            p = p[:, CLASSES.index(name)] / p.sum(axis=1)
            odds += list(np.log(p / (1 - p)))
            truth += list(held.rows["truth"] == name)
            fold += [number] * len(p)
        slopes.append(logit_of_statsmodels(odds, truth, fold))
    ours = classification_metrics(sets, weights)["calibration_slope"][0]
    assert ours == pytest.approx(np.mean(slopes), abs=1e-8)


@pytest.mark.parametrize("seed", SEEDS)
def test_replicates_have_the_logistic_slope_of_statsmodels_on_repeated_rows(seed):
    rng = np.random.default_rng(seed)
    sets, rows = [], []
    times = rng.integers(0, 4, (20, 5, 30))
    for fold in range(5):
        x = rng.normal(fold, 1 + fold, 30)
        truth = rng.random(30) < 1 / (1 + np.exp(1 - 0.7 * x))
        sets.append(Answers(x, truth, times[:, fold].astype(float)))
        rows.append(pd.DataFrame({"x": x, "truth": truth, "fold": fold}))
    ours = logistic_slope(sets)
    for replicate, drawn in enumerate(times):
        table = pd.concat([r.loc[r.index.repeat(t)] for r, t in zip(rows, drawn, strict=True)])
        mixed = table.groupby("fold")["truth"].transform("nunique") == 2
        table = table[mixed]
        theirs = logit_of_statsmodels(table["x"], table["truth"], table["fold"])
        assert ours[replicate] == pytest.approx(theirs, abs=1e-8)


@pytest.mark.parametrize("decimals", [4, 0])
@pytest.mark.parametrize("seed", SEEDS)
def test_replicates_have_the_stratified_cox_slope_of_lifelines_on_repeated_rows(seed, decimals):
    rng = np.random.default_rng(seed)
    strata, rows = [], []
    times = rng.integers(0, 4, (6, 3, 40))
    for fold in range(3):
        risk = rng.normal(5 * fold, 1, 40)
        time = (5 * rng.exponential(size=40) * np.exp(-0.6 * (risk - 5 * fold))).round(decimals)
        time, event = time + 1, rng.random(40) < 0.6
        strata.append(stratum(time, event, risk, times[:, fold].astype(float)))
        rows.append(pd.DataFrame({"risk": risk, "time": time, "event": event, "fold": fold}))
    ours = cox_slope(strata)
    for replicate, drawn in enumerate(times):
        table = pd.concat([r.loc[r.index.repeat(t)] for r, t in zip(rows, drawn, strict=True)])
        theirs = cox_of_lifelines(table, ours[replicate])
        assert ours[replicate] == pytest.approx(theirs, abs=1e-8)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_slope_of_risks_is_that_of_lifelines_with_a_stratum_per_fold(seed):
    sets, weights = sets_of("survival", seed)
    rows = [held.rows[["risk", "time", "event"]].assign(fold=n) for n, held in enumerate(sets)]
    ours = survival_metrics(sets, weights)["calibration_slope"][0]
    assert ours == pytest.approx(cox_of_lifelines(pd.concat(rows), ours), abs=1e-8)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_slope_of_values_is_that_of_statsmodels_with_an_intercept_per_fold(seed):
    from statsmodels.api import OLS

    sets, weights = sets_of("regression", seed)
    rows = pd.concat([held.rows.assign(set=n) for n, held in enumerate(sets)])
    design = np.column_stack([rows["mean"], pd.get_dummies(rows["set"]).to_numpy(float)])
    theirs = OLS(rows["truth"].to_numpy(), design).fit().params[0]
    ours = regression_metrics(sets, weights)["calibration_slope"][0]
    assert ours == pytest.approx(theirs, abs=1e-8)


@pytest.mark.parametrize("seed", SEEDS)
def test_antolinis_c_is_what_his_definition_gives_pair_by_pair(seed):
    """Antolini, Boracchi and Biganzoli 2005, section 3, survival taken from the grid."""
    sets, weights = sets_of("survival", seed, patients=60)
    rng = np.random.default_rng(seed)
    concordant = comparable = 0.0
    for held in sets:
        # Curves that cross, so that the order depends on the time.
        held.rows["s_3.0"] = held.rows["s_3.0"] * rng.uniform(0.2, 1, len(held.rows)).round(1)
        (time, event), curves = time_and_event(held.rows), held.rows
        for i in np.flatnonzero(event):
            later = [h for h in HORIZONS if float(h) >= time[i]]
            survival = curves[f"s_{(later or HORIZONS[-1:])[0]}"].to_numpy()
            for j in range(len(time)):
                if time[j] > time[i] or (time[j] == time[i] and not event[j]):
                    comparable += 1
                    concordant += (survival[i] < survival[j]) + (survival[i] == survival[j]) / 2
    ours = survival_metrics(sets, weights)
    assert ours["antolini_c"][0] == pytest.approx(concordant / comparable, abs=1e-12)
    assert abs(ours["antolini_c"][0] - ours["c_index"][0]) > 1e-3
