"""The metrics of ASSESS against those of scikit-learn, scikit-survival, lifelines and scipy."""

import numpy as np
import pytest

from omicsfusion.assess.censoring import TAU_QUANTILE
from omicsfusion.assess.classification import classification_metrics
from omicsfusion.assess.curves import roc_curve
from omicsfusion.assess.held_out import HeldOut, held_out_sets, time_and_event
from omicsfusion.assess.kaplan_meier import censoring_distribution, kaplan_meier
from omicsfusion.assess.predictions import classes_of
from omicsfusion.assess.regression import regression_metrics
from omicsfusion.assess.risk_groups import group_difference, group_outcomes, risk_groups
from omicsfusion.assess.survival import survival_metrics
from tests.predictions_table import HORIZONS, predictions_table

SEEDS = (0, 1, 2)
METRICS = {
    "classification": classification_metrics,
    "survival": survival_metrics,
    "regression": regression_metrics,
}


def first_fold(task, seed):
    """Return the first held-out set of a model, and our metrics of it alone."""
    table = predictions_table(task, patients=150, seed=seed, models=("fused",))
    patients = sorted(table["patient"].unique())
    held = held_out_sets(table, "test", patients)[0]
    metrics = METRICS[task]([held], np.ones((1, len(patients))))
    return held, {name: values[0] for name, values in metrics.items()}


@pytest.mark.parametrize("seed", SEEDS)
def test_classification_metrics_agree_with_scikit_learn(seed):
    from sklearn import metrics

    held, ours = first_fold("classification", seed)
    classes = list(classes_of(held.rows))
    p, truth = held.rows[[f"p_{name}" for name in classes]].to_numpy(), held.rows["truth"]
    label = np.array(classes)[p.argmax(axis=1)]
    # Rows whose highest probability is tied are split by us and given to one class by argmax.
    clear = (p == p.max(axis=1, keepdims=True)).sum(axis=1) == 1
    # Judged as probabilities, they belong to the population of the training samples.
    shares = [(held.training["truth"] == name).mean() for name in classes]
    of_population = (p * shares) / (p @ shares)[:, None]
    brier = metrics.brier_score_loss(truth, of_population, labels=classes, scale_by_half=False)
    theirs = {
        "auroc": metrics.roc_auc_score(truth, p, multi_class="ovr", labels=classes),
        "auprc": metrics.average_precision_score(truth, p, average="macro"),
        "auprc_base": np.mean([(truth == name).mean() for name in classes]),
        "log_loss": metrics.log_loss(truth, of_population, labels=classes),
        "brier": brier,
    }
    assert {name: ours[name] for name in theirs} == pytest.approx(theirs, abs=1e-10)
    held = HeldOut(1, 1, (1, 0), held.rows[clear], held.training, held.patients[clear])
    ours = {k: v[0] for k, v in classification_metrics([held], np.ones((1, 150))).items()}
    truth, label = truth[clear], label[clear]
    theirs = {
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, label),
        "macro_f1": metrics.f1_score(truth, label, average="macro"),
        "accuracy": metrics.accuracy_score(truth, label),
        "mcc": metrics.matthews_corrcoef(truth, label),
        "recall:her2": metrics.recall_score(truth, label, labels=["her2"], average="macro"),
    }
    assert {name: ours[name] for name in theirs} == pytest.approx(theirs, abs=1e-10)


@pytest.mark.parametrize("seed", SEEDS)
def test_survival_metrics_agree_with_scikit_survival(seed):
    from sksurv import metrics
    from sksurv.util import Surv

    held, ours = first_fold("survival", seed)
    time, event = time_and_event(held.rows)
    train_time, train_event = time_and_event(held.training)
    train = Surv.from_arrays(train_event, train_time)
    risk = held.rows["risk"].to_numpy()
    theirs = metrics.concordance_index_censored(event, time, risk)[0]
    assert ours["c_index"] == pytest.approx(theirs, abs=1e-10)
    # scikit-survival refuses test times beyond the training follow-up.
    inside = time < train_time.max()
    part = HeldOut(1, 1, (1, 0), held.rows[inside], held.training, held.patients[inside])
    ours = {k: v[0] for k, v in survival_metrics([part], np.ones((1, 150))).items()}
    test = Surv.from_arrays(event[inside], time[inside])
    tau = np.quantile(train_time, TAU_QUANTILE)
    times, curves = [float(t) for t in HORIZONS], part.rows[[f"s_{t}" for t in HORIZONS]].to_numpy()
    briers = metrics.brier_score(train, test, curves, times)[1]
    aucs = metrics.cumulative_dynamic_auc(train, test, 1 - curves, times)[0]
    theirs = {
        "uno_c": metrics.concordance_index_ipcw(train, test, risk[inside], tau)[0],
        "ibs": metrics.integrated_brier_score(train, test, curves, times),
        **{f"brier@{t}": value for t, value in zip(HORIZONS, briers, strict=True)},
        **{f"auc@{t}": value for t, value in zip(HORIZONS, aucs, strict=True)},
    }
    assert {name: ours[name] for name in theirs} == pytest.approx(theirs, abs=1e-10)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_mean_calibration_of_survival_agrees_with_lifelines(seed):
    from lifelines import KaplanMeierFitter

    held, ours = first_fold("survival", seed)
    observed = KaplanMeierFitter().fit(*time_and_event(held.rows))
    for horizon in HORIZONS:
        expected = held.rows[f"s_{horizon}"].mean() - observed.predict(float(horizon))
        assert ours[f"mean_calibration@{horizon}"] == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("seed", SEEDS)
def test_regression_metrics_agree_with_scikit_learn_and_scipy(seed):
    from scipy import stats
    from sklearn import metrics

    held, ours = first_fold("regression", seed)
    truth, mean = held.rows["truth"], held.rows["mean"]
    theirs = {
        "r2": metrics.r2_score(truth, mean),
        "rmse": metrics.root_mean_squared_error(truth, mean),
        "mae": metrics.mean_absolute_error(truth, mean),
        "pearson": stats.pearsonr(truth, mean).statistic,
        "spearman": stats.spearmanr(truth, mean).statistic,
        "calibration_slope": stats.linregress(mean, truth).slope,
    }
    assert ours == pytest.approx(theirs, abs=1e-10)


@pytest.mark.parametrize("seed", SEEDS)
def test_survival_curves_and_their_intervals_agree_with_lifelines(seed):
    from lifelines import KaplanMeierFitter

    held, _ = first_fold("survival", seed)
    time, event = time_and_event(held.rows)
    ours = kaplan_meier(time, event)
    theirs = KaplanMeierFitter().fit(time, event)
    low, high = ours.interval()
    table = theirs.event_table.loc[ours.time]
    survival = theirs.survival_function_at_times(ours.time).to_numpy()
    assert ours.survival == pytest.approx(survival, abs=1e-10)
    assert ours.at_risk == pytest.approx(table["at_risk"].to_numpy(), abs=1e-10)
    assert ours.events == pytest.approx(table["observed"].to_numpy(), abs=1e-10)
    inside = (ours.survival > 0) & (ours.survival < 1)
    interval = theirs.confidence_interval_.loc[ours.time].to_numpy()[inside]
    assert np.column_stack([low, high])[inside] == pytest.approx(interval, abs=1e-10)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_censoring_distribution_agrees_with_scikit_survival(seed):
    from sksurv.nonparametric import CensoringDistributionEstimator
    from sksurv.util import Surv

    held, _ = first_fold("survival", seed)
    time, event = time_and_event(held.training)
    theirs = CensoringDistributionEstimator().fit(Surv.from_arrays(event, time))
    at = np.unique(time)
    expected = theirs.predict_proba(at)
    assert censoring_distribution(time, event).at(at) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_roc_curve_agrees_with_scikit_learn(seed):
    from sklearn.metrics import roc_curve as sklearn_roc_curve

    held, _ = first_fold("classification", seed)
    is_her2, score = (held.rows["truth"] == "her2").to_numpy(), held.rows["p_her2"].to_numpy()
    fpr, tpr, _ = sklearn_roc_curve(is_her2, score, drop_intermediate=False)
    ours = roc_curve(is_her2, score)
    assert ours[0] == pytest.approx(fpr, abs=1e-10)
    assert ours[1] == pytest.approx(tpr, abs=1e-10)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_difference_of_risk_groups_agrees_with_scikit_survival(seed):
    """Ours is by lifelines, so that another test of lifelines would say nothing."""
    from sksurv.compare import compare_survival
    from sksurv.linear_model import CoxPHSurvivalAnalysis
    from sksurv.util import Surv

    table = predictions_table("survival", patients=150, seed=seed, models=("fused",))
    outcomes = group_outcomes(table, risk_groups(table))
    ours = group_difference("fused", outcomes)
    time, event = time_and_event(outcomes)
    high = (outcomes["risk_group"] == "high").to_numpy()
    known = Surv.from_arrays(event, time)
    statistic, p = compare_survival(known, high)
    assert ours["statistic"] == pytest.approx(statistic, abs=1e-10)
    assert ours["p"] == pytest.approx(p, rel=1e-10, abs=0)  # p is down to 5e-11
    cox = CoxPHSurvivalAnalysis(ties="efron").fit(high[:, None].astype(float), known)
    assert ours["hazard_ratio"] == pytest.approx(np.exp(cox.coef_[0]), rel=1e-8)
