"""The whole rule on simulated cohorts, with quick models in the place of networks.

benchmarks/verdict.py asks the same of the networks themselves.
"""

import numpy as np
import pandas as pd
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import RidgeClassifier
from sklearn.svm import SVC

from omicsfusion.assess.comparison.judging import compare
from omicsfusion.assess.comparison.verdict import Margins

SEEDS = range(20)
FOLDS, REPEATS = 5, 2
FEATURES, INFORMATIVE = 20, 8


def cohort(signal, seed, n):
    """Two layers side by side, each with a factor, and a class that hangs on both or on neither."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(2, n))
    x = rng.normal(size=(n, 2 * FEATURES))
    for place, factor in zip((0, FEATURES), z, strict=True):
        informative = slice(place, place + INFORMATIVE)
        x[:, informative] = factor[:, None] + 0.5 * x[:, informative]
    if signal == "interaction":
        return x, z[0] * z[1] > 0
    odds = 1.5 * z.sum(axis=0) if signal == "linear" else np.zeros(n)
    return x, rng.random(n) < 1 / (1 + np.exp(-odds))


def verdict_of(signal, seed, network, n=300, linear=None):
    """Cross-validate a model in the place of the network beside a linear one."""
    x, is_case = cohort(signal, seed, n)
    models = {"fused": network, "linear": RidgeClassifier(alpha=100) if linear is None else linear}
    parts = []
    for repeat in range(1, REPEATS + 1):
        fold_of = np.random.default_rng((seed, repeat)).permutation(n) % FOLDS
        for fold in range(FOLDS):
            held = np.flatnonzero(fold_of == fold)
            for name, model in models.items():
                model.fit(x[fold_of != fold], is_case[fold_of != fold])
                p = 1 / (1 + np.exp(-model.decision_function(x[held])))
                ids = [f"S{number:03d}" for number in held]
                where = {"permutation": 0, "target": "t", "model": name, "scope": "test"}
                where |= {"repeat": repeat, "fold": fold + 1, "inner": "outer"}
                rows = {**where, "sample": ids, "patient": ids, "p_no": 1 - p, "p_yes": p}
                parts.append(pd.DataFrame({**rows, "truth": np.where(is_case[held], "yes", "no")}))
    record = compare(pd.concat(parts), ["fused"], "classification", seed, Margins())[2]
    return record["targets"][0]["verdict"]


def quadratic():
    """Return a model that sees products of features, as a network does."""
    return SVC(kernel="poly", degree=2, coef0=1.0)


def test_where_there_is_no_signal_nothing_is_said_to_help():
    found = [verdict_of("none", seed, quadratic()) for seed in SEEDS]
    assert "helped" not in found
    assert found.count("no usable signal") >= 16


def test_of_two_models_that_are_equal_but_for_luck_none_helped():
    """The same linear model, twice, each on nine tenths of the training samples of its own."""
    network, other = (
        BaggingClassifier(
            RidgeClassifier(alpha=100), 1, max_samples=0.9, bootstrap=False, random_state=number
        )
        for number in (1, 2)
    )
    found = [verdict_of("linear", seed, network, linear=other) for seed in SEEDS]
    assert found.count("did not help") >= 16
    assert found.count("helped") <= 1


def test_an_interaction_that_only_one_model_sees_helped():
    found = [verdict_of("interaction", seed, quadratic()) for seed in SEEDS]
    assert found.count("helped") >= 19


def test_too_few_patients_of_a_class_tell_nothing():
    assert verdict_of("interaction", 0, quadratic(), n=45) == "cannot tell"
