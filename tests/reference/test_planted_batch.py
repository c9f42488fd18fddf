"""A planted batch effect is taken away from new samples, and the classes stay.

Two batches, classes 70/30 against 30/70, 2,400 samples of which the first half is for training, 200
features, 20 of which differ between the classes by half a standard deviation of their noise. Shifts
of the batches are normal with the given deviation, scales log-normal (0.3). Correction and scaling
are fitted on the training half; figures are means over six simulations, on the other half, but for
the silhouette, which is the worst of the six.
"""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score, silhouette_score
from sklearn.preprocessing import StandardScaler

from omicsfusion.preprocess.batch.combat import ComBat
from omicsfusion.preprocess.batch.linear_removal import LinearRemoval

N, P, INFORMATIVE = 2400, 200, 20
TRAIN, TEST = slice(0, N // 2), slice(N // 2, N)
SEEDS = range(6)


def simulate(shift, rank, seed):
    """Return values with and without the batch, batch and class; rank: shared factors."""
    rng = np.random.default_rng(seed)
    number = np.arange(N) % 2
    outcome = (rng.random(N) < np.where(number == 0, 0.7, 0.3)).astype(int)
    factors = rng.normal(size=(N, rank)) @ rng.normal(0, 0.6, (rank, P))
    free = factors + rng.normal(size=(N, P))
    free[:, :INFORMATIVE] += (outcome - 0.5)[:, None] * 0.5 * rng.choice([-1, 1], INFORMATIVE)
    seen = free * np.exp(rng.normal(0, 0.3, P)) + rng.normal(0, shift, P)
    X = np.where(number[:, None] == 1, seen, free)
    return X, free, np.array(["a", "b"], dtype=object)[number], outcome


def scaled(X):
    return StandardScaler().fit(X[TRAIN]).transform(X)


def auc(X, y, rows=TEST, model=None):
    model = LogisticRegression(C=0.01, max_iter=3000) if model is None else model
    scores = model.fit(X[TRAIN], y[TRAIN]).predict_proba(X)[:, 1]
    return roc_auc_score(y[rows], scores[rows])


def class_auc(X, outcome, batch):
    of_test = np.arange(N) >= N // 2
    return np.mean([auc(X, outcome, np.flatnonzero(of_test & (batch == b))) for b in "ab"])


def measure(step, shift, rank, seed):
    """Worst silhouette, batch AUC, loss of class AUC against the batch-free simulation."""
    X, free, batch, outcome = simulate(shift, rank, seed)
    step.fit(X[TRAIN], batch=batch[TRAIN])
    out, free = scaled(step.transform(X, batch=batch)), scaled(free)
    parts = PCA(20, random_state=0).fit(out[TRAIN]).transform(out)
    return (
        max(abs(silhouette_score(values[TEST], batch[TEST])) for values in (out, parts)),
        auc(out, batch == "b", model=LogisticRegression(max_iter=3000)),
        class_auc(free, outcome, batch) - class_auc(out, outcome, batch),
    )


@pytest.mark.parametrize("rank", [0, 5], ids=["independent", "correlated"])
@pytest.mark.parametrize("shift", [1.0, 3.0])
@pytest.mark.parametrize("step", [ComBat(), LinearRemoval()], ids=["combat", "linear"])
def test_the_batch_goes_and_the_classes_stay(step, shift, rank):
    silhouettes, batch_aucs, losses = zip(
        *(measure(step, shift, rank, seed) for seed in SEEDS), strict=True
    )
    assert max(silhouettes) < 0.02
    assert np.mean(batch_aucs) < 0.55
    assert abs(np.mean(losses)) < 0.02


def test_the_planted_batch_shows_before_correction():
    X, _, batch, _ = simulate(1.0, 5, 0)
    X = scaled(X)
    assert abs(silhouette_score(X[TEST], batch[TEST])) > 0.07
    assert auc(X, batch == "b") > 0.99


def test_a_classifier_that_is_not_linear_finds_no_batch_either():
    forest = RandomForestClassifier(50, random_state=0)
    X, _, batch, _ = simulate(1.0, 5, 0)
    out = ComBat().fit(X[TRAIN], batch=batch[TRAIN]).transform(X, batch=batch)
    assert auc(X, batch == "b", model=forest) > 0.95
    assert auc(out, batch == "b", model=forest) < 0.55


def test_shrinkage_leaves_a_weak_shift_of_correlated_features_to_be_found():
    """Each shift shrinks by little, but all of them in the direction of the batch."""
    found = {
        shrink: np.mean([measure(ComBat(shrink=shrink), 0.3, 5, seed)[1] for seed in SEEDS])
        for shrink in (True, False)
    }
    assert found[True] == pytest.approx(0.60, abs=0.01)
    assert found[False] < 0.55
