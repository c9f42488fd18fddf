"""What the batch label alone says about the outcome."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from omicsfusion.guard.findings import OK, WARNING, Finding, not_checked
from omicsfusion.guard.outcome_parts import (
    METRICS,
    cumulative_hazard,
    one_per_patient,
    outer_folds,
    target_of,
)
from omicsfusion.preprocess.batch.confounding import MAX_ONE_CLASS, confounding
from omicsfusion.seeds import seed_for
from omicsfusion.tables.outcome import Outcome

PERMUTATIONS = 199
SIGNIFICANT = 0.05
# Test samples of a fold whose survival times are compared with one another.
MOST_COMPARED = 1000
ADVICE = (
    "A model may learn the batch and pass for one that learned biology: compare it with the batch "
    "alone, correct for the batch, or hold out whole batches (--split leave_out:BATCH)."
)


@dataclass(frozen=True)
class _Fold:
    """Positions of training and test samples among all, and what does not change with labels."""

    train: np.ndarray
    test: np.ndarray
    expected: np.ndarray
    comparable: np.ndarray


def batch_predicts_outcome(
    splits: pd.DataFrame, samples: pd.DataFrame, outcome: Outcome, seed: int
) -> Finding:
    """Predict the outcome from the batch label alone, and compare with permuted labels.

    One sample per patient, out of fold over the outer folds of the first repeat. Classes: the class
    with the largest share of its members in the batch; numbers: the batch's mean; survival: the
    ratio of observed to expected events. Figures: balanced accuracy, R2, and Harrell's C within
    folds. The p-value is (1 + permutations at least as good) / (1 + ``PERMUTATIONS``) (Phipson &
    Smyth, Stat. Appl. Genet. Mol. Biol. 9, 2010, 39). A sample whose batch no training sample has
    gets the mean.
    """
    name = "batch_predicts_outcome"
    batch = samples.set_index("sample")["batch"]
    known = [sample for sample in one_per_patient(samples) if not pd.isna(batch[sample])]
    if not known:
        return not_checked(name, "No batches were named (--batch).")
    labels, codes = np.unique(batch[known].to_numpy(dtype=str), return_inverse=True)
    folds = _folds(splits, known, outcome)
    if len(labels) < 2 or not folds:
        return not_checked(name, f"{len(labels)} batch among {len(known)} patients.")
    y = target_of(outcome, known)
    seen = np.mean(np.concatenate([np.isin(codes[fold.test], codes[fold.train]) for fold in folds]))
    if seen < 0.5:
        return not_checked(
            name, f"{1 - seen:.0%} of the test samples are of batches that are not trained on."
        )
    rng = np.random.default_rng(seed_for(seed, "guard", name))
    value = _score(codes, y, folds, outcome, len(labels))
    permuted = [
        _score(rng.permutation(codes), y, folds, outcome, len(labels)) for _ in range(PERMUTATIONS)
    ]
    p = (1 + sum(other >= value - 1e-12 for other in permuted)) / (1 + PERMUTATIONS)
    limit = float(np.quantile(permuted, 1 - SIGNIFICANT))
    detail = (
        f"The batch label alone ({len(labels)} batches) predicts the outcome of {len(known)} "
        f"patients with a {METRICS[outcome.task]} of {value:.3f} out of fold; permuted labels "
        f"reach {np.mean(permuted):.3f} on average (p = {p:.3f})."
    )
    if p > SIGNIFICANT:
        return Finding(name, "", OK, value, limit, detail)
    return Finding(name, "", WARNING, value, limit, detail, ADVICE)


def _folds(splits: pd.DataFrame, known: list[str], outcome: Outcome) -> list[_Fold]:
    position = {sample: row for row, sample in enumerate(known)}
    y = target_of(outcome, known)
    folds = []
    for fold in outer_folds(splits, set(known)):
        train = np.array([position[sample] for sample in fold.train], dtype=np.int64)
        test = np.array([position[sample] for sample in fold.test], dtype=np.int64)
        expected, comparable = np.empty(0), np.empty((0, 0), dtype=bool)
        if outcome.task == "survival" and len(train) and len(test):
            test = test[:MOST_COMPARED]
            time, event = y[train].T
            expected = cumulative_hazard(time, event, time)
            time, event = y[test].T
            later = time > time[:, None]
            tied = (time == time[:, None]) & (event == 0)
            comparable = (event > 0)[:, None] & (later | tied)
        if len(train) and len(test):
            folds.append(_Fold(train, test, expected, comparable))
    return folds


def _score(
    batch: np.ndarray, y: np.ndarray, folds: list[_Fold], outcome: Outcome, n_batches: int
) -> float:
    if outcome.task == "classification":
        return _balanced_accuracy(batch, y, folds, n_batches, len(outcome.classes))
    if outcome.task == "regression":
        return _r_squared(batch, y, folds, n_batches)
    return _concordance(batch, y, folds, n_batches)


def _balanced_accuracy(
    batch: np.ndarray, y: np.ndarray, folds: list[_Fold], n_batches: int, n_classes: int
) -> float:
    hits, members = np.zeros(n_classes), np.zeros(n_classes)
    for fold in folds:
        counts = np.zeros((n_batches, n_classes))
        np.add.at(counts, (batch[fold.train], y[fold.train]), 1)
        # Half a sample more in each class and batch, so that an empty batch prefers none.
        share = (counts + 0.5) / (counts.sum(axis=0) + 0.5 * n_batches)
        preferred = share.argmax(axis=1)
        preferred[counts.sum(axis=1) == 0] = counts.sum(axis=0).argmax()
        truth = y[fold.test]
        np.add.at(members, truth, 1)
        np.add.at(hits, truth, preferred[batch[fold.test]] == truth)
    there = members > 0
    return float((hits[there] / members[there]).mean())


def _r_squared(batch: np.ndarray, y: np.ndarray, folds: list[_Fold], n_batches: int) -> float:
    errors, spread = 0.0, 0.0
    for fold in folds:
        mean = y[fold.train].mean()
        size = np.bincount(batch[fold.train], minlength=n_batches)
        sums = np.bincount(batch[fold.train], weights=y[fold.train] - mean, minlength=n_batches)
        predicted = mean + sums / (size + 1)  # as if each batch had one more sample, at the mean
        errors += np.square(y[fold.test] - predicted[batch[fold.test]]).sum()
        spread += np.square(y[fold.test] - mean).sum()
    return float(1 - errors / spread) if spread > 0 else 0.0


def _concordance(batch: np.ndarray, y: np.ndarray, folds: list[_Fold], n_batches: int) -> float:
    right, pairs = 0.0, 0
    for fold in folds:
        observed = np.bincount(batch[fold.train], weights=y[fold.train, 1], minlength=n_batches)
        expected = np.bincount(batch[fold.train], weights=fold.expected, minlength=n_batches)
        risk = ((observed + 0.5) / (expected + 0.5))[batch[fold.test]]
        higher = (risk[:, None] > risk) + 0.5 * (risk[:, None] == risk)
        right += higher[fold.comparable].sum()
        pairs += int(fold.comparable.sum())
    return float(right / pairs) if pairs else 0.5


def batch_decides_outcome(samples: pd.DataFrame, outcome: Outcome) -> Finding:
    """How many patients lie in batches whose patients all have one class (or no event)."""
    name = "batch_decides_outcome"
    known = one_per_patient(samples)
    batch = samples.set_index("sample")["batch"][known].fillna("").to_numpy(dtype=str)
    if not (batch != "").any():
        return not_checked(name, "No batches were named (--batch).")
    y = target_of(outcome, known)
    # Classes by name: the sentences of confounding() are for people.
    y = np.array(outcome.classes, dtype=object)[y] if outcome.task == "classification" else y
    found = confounding(batch, y, outcome.task)
    if found.n_batches < 2:
        return not_checked(name, f"{found.n_batches} batch among {len(known)} patients.")
    detail = f"{found.one_class_sentence()} {found.association()}."
    status = WARNING if found.aliased or found.share_one_class > MAX_ONE_CLASS else OK
    advice = (
        "In these batches, batch and outcome cannot be told apart: no correction can help, only "
        "samples of the other classes from the same batches."
    )
    return Finding(
        name,
        "",
        status,
        found.share_one_class,
        MAX_ONE_CLASS,
        detail,
        advice if status == WARNING else "",
    )
