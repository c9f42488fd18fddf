"""The whole rule on simulated cohorts, with quick models in the place of networks.

benchmarks/verdict.py asks the same of the networks themselves. Where there is nothing to be gained
'helped' may be the verdict of 4 in 200 cohorts; of the few here it may be that of one.
"""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.svm import SVC

from omicsfusion.assess.comparison.judging import Background, compare
from omicsfusion.assess.comparison.verdict import Margins

SEEDS = range(20)
MOST_HELPED = 1
FOLDS, REPEATS = 5, 2
FEATURES, INFORMATIVE, COVARIATES = 20, 8, 3

RNA, OMICS = slice(FEATURES), slice(2 * FEATURES)
CLINICAL, EVERYTHING = slice(2 * FEATURES, None), slice(None)
"""Columns: one layer after the other, then the covariates."""


def cohort(signal, seed, n):
    """Two layers, each with a factor, covariates, and a class that hangs on some of it or none."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(2, n))
    x = rng.normal(size=(n, 2 * FEATURES))
    for place, factor in zip((0, FEATURES), z, strict=True):
        informative = slice(place, place + INFORMATIVE)
        x[:, informative] = factor[:, None] + 0.5 * x[:, informative]
    drawn, covariates = rng.random(n), rng.normal(size=(n, COVARIATES))
    x = np.hstack([x, covariates])
    if signal == "interaction":
        return x, z[0] * z[1] > 0
    odds = {"none": np.zeros(n), "linear": z.sum(axis=0), "clinical": covariates[:, 0]}
    return x, drawn < 1 / (1 + np.exp(-1.5 * odds[signal]))


def verdicts_of(signal, seed, models, n=300):
    """Cross-validate models, each on its columns, and give the verdict of each question."""
    x, is_case = cohort(signal, seed, n)
    people = np.array([f"S{number:03d}" for number in range(n)])
    truth = np.where(is_case, "yes", "no")
    parts = []
    for repeat in range(1, REPEATS + 1):
        fold_of = np.random.default_rng((seed, repeat)).permutation(n) % FOLDS
        for fold in range(FOLDS):
            held = fold_of == fold
            for name, (model, columns) in models.items():
                model.fit(x[~held, columns], is_case[~held])
                p = 1 / (1 + np.exp(-model.decision_function(x[held, columns])))
                where = {"permutation": 0, "target": "t", "model": name, "scope": "test"}
                where |= {"repeat": repeat, "fold": fold + 1, "inner": "outer"}
                who = {"sample": people[held], "patient": people[held]}
                rows = {**where, **who, "p_no": 1 - p, "p_yes": p, "truth": truth[held]}
                parts.append(pd.DataFrame(rows))
    table = pd.concat(parts)
    _, _, record = compare(table, ["fused"], "classification", seed, Margins(), Background())
    return {found["question"]: found["verdict"] for found in record["targets"][0]["questions"]}


def quadratic():
    """Return a model that sees products of features, as a network does."""
    return SVC(kernel="poly", degree=2, coef0=1.0)


def line():
    return RidgeClassifier(alpha=100)


def sparse():
    """Return a model that leaves most of what tells nothing aside, so that it costs nothing."""
    return LogisticRegression(l1_ratio=1, C=0.1, solver="liblinear")


def headline():
    return {"fused": (quadratic(), OMICS), "linear": (line(), OMICS)}


def all_questions(with_covariates):
    """Return the models that all questions need; the best single layer is that of one."""
    return {
        **headline(),
        "linear-only-rna": (line(), RNA),
        "clinical": (line(), CLINICAL),
        "fused+clinical": (with_covariates, EVERYTHING),
    }


@pytest.fixture(scope="module")
def answers():
    """The verdicts of all questions, a row for each cohort, where omics tell nothing."""
    models = {"none": all_questions(quadratic()), "clinical": all_questions(sparse())}
    return {
        signal: pd.DataFrame([verdicts_of(signal, seed, own) for seed in SEEDS])
        for signal, own in models.items()
    }


@pytest.mark.parametrize("signal", ["none", "clinical"])
def test_where_omics_tell_nothing_helped_answers_no_question(answers, signal):
    assert sorted(answers[signal]) == ["best_layer", "omics", "shallow"]
    assert (answers[signal] == "helped").sum().max() <= MOST_HELPED


def test_where_nothing_tells_anything_mostly_no_signal_is_found(answers):
    # Not always: a bootstrap of patients leaves out what training on others would change.
    no_signal = (answers["none"] == "no usable signal").sum()
    assert no_signal["shallow"] >= 16
    assert no_signal.min() > len(SEEDS) / 2


def test_where_covariates_alone_tell_omics_did_not_help(answers):
    assert (answers["clinical"]["omics"] == "did not help").sum() >= 16


def test_of_two_models_that_are_equal_but_for_luck_none_helped():
    """The same linear model, twice, each on nine tenths of the training samples of its own."""
    network, other = (
        BaggingClassifier(line(), 1, max_samples=0.9, bootstrap=False, random_state=number)
        for number in (1, 2)
    )
    models = {"fused": (network, OMICS), "linear": (other, OMICS)}
    found = [verdicts_of("linear", seed, models)["shallow"] for seed in SEEDS]
    assert found.count("did not help") >= 16
    assert found.count("helped") <= MOST_HELPED


def test_an_interaction_that_only_one_model_sees_helped():
    found = [verdicts_of("interaction", seed, headline())["shallow"] for seed in SEEDS]
    assert found.count("helped") >= 19


def test_too_few_patients_of_a_class_tell_nothing():
    assert verdicts_of("interaction", 0, headline(), n=45) == {"shallow": "cannot tell"}
