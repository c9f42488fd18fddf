"""How much a model would rely on the batch label if it were given it beside the layers."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.metrics import r2_score

from omicsfusion.guard.components import LayerValues, components
from omicsfusion.guard.findings import OK, WARNING, Finding, not_checked
from omicsfusion.guard.outcome_parts import (
    OuterFold,
    martingale_residuals,
    outer_folds,
    target_of,
)
from omicsfusion.seeds import seed_for
from omicsfusion.tables.outcome import Outcome

NAME = "batch_importance"
TREES = 100
SMALLEST_LEAF = 5
PERMUTATIONS = 10
MOST_FOLDS = 5
# A batch among the first three of some tens of features, by more than two standard errors.
LAST_RANK = 3
STANDARD_ERRORS = 2
ADVICE = (
    "The batch tells of the outcome beyond what the layers tell: see batch_predicts_outcome, and "
    "judge the model on batches it has not seen (--split leave_out:BATCH)."
)


def batch_importance(
    splits: pd.DataFrame,
    samples: pd.DataFrame,
    outcome: Outcome,
    layers: Sequence[LayerValues],
    seed: int,
) -> Finding:
    """Rank the batch label among the principal components of the layers by permutation importance.

    In at most ``MOST_FOLDS`` outer folds of the first repeat, a forest of ``TREES`` trees is fitted
    on the training part, on the components of all layers and the batch (one column per
    batch); on the test part, the fall of its score is measured when one component, or the whole
    batch label, is permuted (Breiman, Machine Learning 45, 2001, 5-32; mean of ``PERMUTATIONS``).
    Score: balanced accuracy; R2 for numbers, and for survival of the martingale residuals of the
    model without covariates.
    """
    batch = samples.set_index("sample")["batch"]
    known = set(batch.index[batch.notna()]) & set(samples.loc[samples["role"] == "train", "sample"])
    labels = sorted(set(batch[sorted(known)].astype(str)))
    if len(labels) < 2:
        return not_checked(NAME, f"{len(labels)} batches are named (--batch); two are needed.")
    folds = [
        fold
        for fold in list(outer_folds(splits, known))[:MOST_FOLDS]
        if len(fold.train) >= 2 * SMALLEST_LEAF and len(fold.test) >= 2
    ]
    falls = [
        _falls(fold, batch, labels, outcome, layers, seed_for(seed, "guard", NAME, number))
        for number, fold in enumerate(folds)
    ]
    if not falls:
        return not_checked(NAME, "No outer fold has enough samples with a batch.")
    n_components = min(fall.shape[0] for fall in falls) - 1
    mean = np.mean([fall.mean(axis=1)[[*range(n_components), -1]] for fall in falls], axis=0)
    own = np.concatenate([fall[-1] for fall in falls])
    # Permutations of one fold share its forest: folds are the independent units where there are
    # several.
    by_fold = np.array([fall[-1].mean() for fall in falls]) if len(falls) > 1 else own
    error = float(by_fold.std(ddof=1) / np.sqrt(len(by_fold)))
    rank = 1 + int((mean[:-1] > mean[-1]).sum())
    detail = (
        f"Permuting the batch label costs a forest {mean[-1]:.4f} of its score on held-out samples "
        f"(standard error {error:.4f}); it is number {rank} of {len(mean)}, beside {n_components} "
        f"principal components of {len(layers)} layers."
    )
    relied = rank <= LAST_RANK and mean[-1] > STANDARD_ERRORS * error and mean[-1] > 0
    if relied:
        return Finding(NAME, "", WARNING, rank, LAST_RANK, detail, ADVICE)
    return Finding(NAME, "", OK, rank, LAST_RANK, detail)


def _falls(
    fold: OuterFold,
    batch: pd.Series,
    labels: list[str],
    outcome: Outcome,
    layers: Sequence[LayerValues],
    seed: int,
) -> np.ndarray:
    """Falls of the score: components, then the batch x permutations."""
    parts = [components(layer, fold.train, fold.test, seed) for layer in layers]
    blocks = [np.concatenate([part[which] for part in parts], axis=1) for which in (0, 1)]
    n = blocks[0].shape[1]
    one_hot = [
        (batch[ids].astype(str).to_numpy()[:, None] == np.array(labels)).astype(float)
        for ids in (fold.train, fold.test)
    ]
    X, X_test = (np.hstack(pair) for pair in zip(blocks, one_hot, strict=True))
    y, y_test = target_of(outcome, fold.train), target_of(outcome, fold.test)
    if outcome.task == "survival":
        y, y_test = martingale_residuals(y, y), martingale_residuals(y, y_test)
    is_class = outcome.task == "classification"
    kind = RandomForestClassifier if is_class else RandomForestRegressor
    options = {"class_weight": "balanced"} if is_class else {}
    forest = kind(
        n_estimators=TREES,
        min_samples_leaf=SMALLEST_LEAF,
        max_features="sqrt",
        random_state=seed,
        n_jobs=1,
        **options,
    ).fit(X, y)
    score = _balanced if is_class else r2_score
    whole = score(y_test, forest.predict(X_test))
    rng = np.random.default_rng(seed)
    columns = [[column] for column in range(n)] + [list(range(n, X.shape[1]))]
    falls = np.empty((len(columns), PERMUTATIONS))
    for row, block in enumerate(columns):
        # One call for all permutations: a call costs more than its rows.
        changed = np.tile(X_test, (PERMUTATIONS, 1, 1))
        for repeat in range(PERMUTATIONS):
            changed[repeat][:, block] = X_test[rng.permutation(len(X_test))][:, block]
        predicted = forest.predict(changed.reshape(-1, X.shape[1])).reshape(PERMUTATIONS, -1)
        falls[row] = [whole - score(y_test, one) for one in predicted]
    return falls


def _balanced(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Mean recall of the classes that are there (sklearn's warns of others that are predicted)."""
    return float(np.mean([(predicted[truth == name] == name).mean() for name in np.unique(truth)]))
