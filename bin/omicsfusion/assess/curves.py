"""ROC curves and confusion matrices of the test predictions, averaged over folds and repeats."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from omicsfusion.assess.classification import confusion_matrices, probabilities, truth_codes
from omicsfusion.assess.held_out import HeldOut
from omicsfusion.assess.predictions import classes_of

GRID = np.arange(101) / 100
"""False positive rates at which the curves of the folds are averaged."""


def roc_curve(is_class: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return false and true positive rates, from (0, 0) to (1, 1), a point for each distinct score.

    ``is_class`` (boolean) has members and others; samples of equal score enter together.
    """
    distinct, position = np.unique(-score, return_inverse=True)
    members = np.bincount(position, weights=is_class, minlength=len(distinct))
    others = np.bincount(position, weights=~is_class, minlength=len(distinct))
    rates = [np.concatenate([[0], np.cumsum(x)]) / x.sum() for x in (others, members)]
    return rates[0], rates[1]


def roc_on_grid(is_class: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Return the true positive rate at each false positive rate of the grid.

    Where the curve rises vertically the upper end counts; between its points it is straight.
    """
    false_rate, true_rate = roc_curve(is_class, score)
    left = np.searchsorted(false_rate, GRID, side="right") - 1
    right = np.minimum(left + 1, len(false_rate) - 1)
    width = false_rate[right] - false_rate[left]
    part = np.divide(GRID - false_rate[left], width, out=np.zeros_like(GRID), where=width > 0)
    return true_rate[left] + part * (true_rate[right] - true_rate[left])


def mean_roc(model: str, sets: Sequence[HeldOut]) -> pd.DataFrame:
    """Average the ROC curves of one model's folds, each class against the rest.

    Vertical averaging (Fawcett, Pattern Recogn. Lett. 27, 2006, 861-874, section 8): scores of
    different folds are not pooled. Folds without the class, or with nothing else, are left out.

    Returns
    -------
    ``model, class, fpr, tpr``; each curve starts at (0, 0). A class that no fold shows has
    no rows.
    """
    classes = classes_of(sets[0].rows)
    parts = []
    for code, name in enumerate(classes):
        curves = []
        for held in sets:
            is_class = truth_codes(held, classes) == code
            if is_class.any() and not is_class.all():
                curves.append(roc_on_grid(is_class, probabilities(held, classes)[:, code]))
        if curves:
            fpr, tpr = np.append(0.0, GRID), np.append(0.0, np.mean(curves, axis=0))
            parts.append(pd.DataFrame({"model": model, "class": name, "fpr": fpr, "tpr": tpr}))
    empty = pd.DataFrame(columns=["model", "class", "fpr", "tpr"])
    return pd.concat(parts, ignore_index=True) if parts else empty


def mean_confusion(model: str, sets: Sequence[HeldOut]) -> pd.DataFrame:
    """Count truths by predictions of one model, averaged over repeats.

    Returns
    -------
    ``model, truth, predicted, n``: every pair of classes; ``n`` sums to the number of samples.
    """
    classes = classes_of(sets[0].rows)
    weights = np.ones((1, 1 + max(int(held.patients.max()) for held in sets)))
    counts = sum(confusion_matrices(held, classes, weights)[0] for held in sets)
    counts = counts / len({held.pool for held in sets})
    cells = [(truth, predicted) for truth in classes for predicted in classes]
    table = pd.DataFrame(cells, columns=["truth", "predicted"])
    table.insert(0, "model", model)
    return table.assign(n=np.asarray(counts).ravel())
