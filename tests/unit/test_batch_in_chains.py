"""Batches through the chains of a layer: refused when confounded, learnt anew when asked."""

import numpy as np
import pandas as pd
import pytest

from omicsfusion.preprocess.accounts import batch_effects
from omicsfusion.preprocess.cohorts import CohortsLayer
from omicsfusion.preprocess.fitting import fit_chains, transform_scopes
from omicsfusion.preprocess.preparing import PreparingError, refuse_confounded
from omicsfusion.preprocess.register import Register
from tests.layers import feature_names, recipe_of

N_TRAIN, N_TEST, P = 60, 12, 30
SHIFT = 4.0


def cohort(n_external, external_batch="new"):
    """Two training batches and an external one, each feature shifted in all but the first."""
    rng = np.random.default_rng(5)
    n = N_TRAIN + N_TEST + n_external
    samples = tuple(f"s{number:03d}" for number in range(n))
    batch = np.array(["a", "b"] * n, dtype=object)[:n]
    batch[N_TRAIN + N_TEST :] = external_batch
    X = rng.normal(size=(n, P)) + SHIFT * (batch != "a")[:, None]
    role = ["train"] * N_TRAIN + ["test"] * N_TEST + ["external"] * n_external
    table = pd.DataFrame(
        {"sample": samples, "batch": batch, "truth": rng.choice(["case", "control"], n)}
    )
    splits = pd.DataFrame(
        {
            **{"repeat": 1, "fold": 1, "inner": "outer"},
            **{"sample": samples, "patient": samples, "role": role},
        }
    )
    layer = CohortsLayer(
        "rna", "rna_log", samples, feature_names("rna_log", P), X.astype(np.float32)
    )
    return layer, splits, Register.of(table, "classification")


def prepared(new_batch, n_external, external_batch="new"):
    layer, splits, register = cohort(n_external, external_batch)
    options = {"new_batch": new_batch}
    recipe = recipe_of("rna_log", "batch", "combat", options)
    fitted = fit_chains(layer, splits, recipe, register)
    ((_, X, _, _),) = transform_scopes(layer, splits, fitted, register)
    table = batch_effects(layer, splits, fitted.chains, register)
    return fitted, X, table


def test_a_large_new_batch_of_an_external_cohort_is_learnt_when_asked():
    fitted, X, table = prepared("adapt", 25)
    (chain,) = fitted.chains.values()
    assert chain.batch_step().adapted_ == {"new": 25}
    external = X[N_TRAIN + N_TEST :]
    assert abs(external.mean()) < 0.1
    assert not (table["stage"] == "flagged").any()


@pytest.mark.parametrize(("new_batch", "n"), [("pass", 25), ("adapt", 19)])
def test_a_new_batch_that_is_not_learnt_passes_and_is_flagged(new_batch, n):
    fitted, X, table = prepared(new_batch, n)
    (chain,) = fitted.chains.values()
    assert chain.batch_step().adapted_ == {}
    assert X[N_TRAIN + N_TEST :].mean() > 1
    flagged = table[table["stage"] == "flagged"].iloc[0]
    assert flagged["measure"] == "batch new was not seen in training"
    assert flagged["value"] == n
    assert flagged["note"] == "external samples left as they are"


def test_what_is_learnt_of_external_samples_changes_nothing_for_the_others():
    with_them = prepared("adapt", 25)[1][: N_TRAIN + N_TEST]
    without = prepared("adapt", 0)[1]
    assert with_them.tobytes() == without.tobytes()


def confounded(force):
    layer, splits, register = cohort(0)
    table = register.table.copy()
    table["truth"] = np.where(table["batch"] == "a", "case", "control")
    recipe = recipe_of("rna_log", "batch", "combat", {"force": force})
    refuse_confounded(layer, splits, recipe, Register(table, "classification"))


def test_correction_is_refused_when_batch_and_outcome_are_the_same():
    with pytest.raises(PreparingError, match=r"(?s)'rna'.*confounded.*r1f1-outer:.*force: true"):
        confounded(force=False)


def test_correction_of_confounded_batches_can_be_forced():
    confounded(force=True)
