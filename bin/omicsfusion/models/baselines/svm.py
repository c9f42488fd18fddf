"""Support vector machines for classes (Cortes and Vapnik 1995) and numbers, linear and radial.

Kernels are scaled by the training samples, so that a cost means the same however many columns there
are: the linear one has a mean diagonal of 1, the radial one is exp(-d / mean d) of squared
distances d. A machine's decision is no probability: ridge regression turns the decisions on
training samples, by machines of the other parts of the training set, into logits, in which each
class weighs the same (Platt 1999, for many classes at once).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from omicsfusion.models.baselines.candidates import Family, train_candidates
from omicsfusion.models.baselines.crossfit import PARTS, parts_of
from omicsfusion.models.baselines.offset_ridge import offset_ridge_path
from omicsfusion.models.baselines.training_set import Axis, Fitted, Setting, TrainingSet, grid
from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.fit import Fit
from omicsfusion.models.request import TrainingRequest

GRID = grid(kernel=("linear", "radial"), cost=Axis((0.1, 1.0, 10.0, 100.0)))
RIDGE_OF_LOGITS = 1e-3
EPSILON = 0.1  # of the standard deviation of the outcome: errors below it cost nothing

Decide = Callable[[np.ndarray], np.ndarray]
"""From kernel values (rows x training samples) to decisions (rows x outputs)."""


def kernel_of(name: str, x: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return the kernel between any rows and training samples ``x``, scaled by ``x``."""
    centre = x.mean(axis=0)
    z = x - centre
    lengths = (z**2).sum(axis=1)
    unit = float(lengths.mean()) or 1.0

    def linear(rows: np.ndarray) -> np.ndarray:
        return (rows - centre) @ z.T / unit

    def radial(rows: np.ndarray) -> np.ndarray:
        moved = rows - centre
        squared = (moved**2).sum(axis=1)[:, None] + lengths - 2 * moved @ z.T
        # The mean squared distance between two training samples is twice the mean length.
        return np.exp(-np.maximum(squared, 0.0) / (2 * unit))

    return linear if name == "linear" else radial


def _fit(training: TrainingSet, candidates: Sequence[Setting]) -> list[Fitted]:
    parts = parts_of(training) if training.kind == "classification" else np.zeros(0)
    kernels, fits = {}, []
    for one in candidates:
        name = str(one.values["kernel"])
        if name not in kernels:
            kernel = kernel_of(name, training.x)
            kernels[name] = (kernel, kernel(training.x))
        kernel, known = kernels[name]
        if training.kind == "classification":
            fits.append(_classes(training, parts, kernel, known, one["cost"]))
        else:
            fits.append(_numbers(training, kernel, known, one["cost"]))
    return fits


def _classes(
    training: TrainingSet,
    parts: np.ndarray,
    kernel: Callable[[np.ndarray], np.ndarray],
    known: np.ndarray,
    cost: float,
) -> Fitted:
    for inside, _ in _inside_outside(parts):
        training.task.check(training.y[inside])
    held_out = [
        (outside, _machine(known[np.ix_(inside, inside)], training.y[inside], cost), inside)
        for inside, outside in _inside_outside(parts)
    ]
    decisions = np.concatenate(
        [decide(known[np.ix_(outside, inside)]) for outside, decide, inside in held_out]
    )
    order = np.argsort(np.concatenate([outside for outside, _, _ in held_out]))
    (logits,) = offset_ridge_path(replace(training, x=decisions[order]), [RIDGE_OF_LOGITS])
    decide = _machine(known, training.y, cost)
    return Fitted(lambda x: logits.scores(decide(kernel(x))))


def _inside_outside(parts: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    return [
        (np.flatnonzero(parts != part), np.flatnonzero(parts == part))
        for part in range(1, PARTS + 1)
    ]


def _machine(known: np.ndarray, codes: np.ndarray, cost: float) -> Decide:
    from sklearn.svm import SVC

    model = SVC(C=cost, kernel="precomputed", class_weight="balanced").fit(known, codes)
    return lambda values: model.decision_function(values).reshape(len(values), -1)


def _numbers(
    training: TrainingSet,
    kernel: Callable[[np.ndarray], np.ndarray],
    known: np.ndarray,
    cost: float,
) -> Fitted:
    from sklearn.svm import SVR

    mean, spread = training.y.mean(), training.y.std() or 1.0
    model = SVR(C=cost, kernel="precomputed", epsilon=EPSILON)
    model.fit(known, (training.y - mean) / spread)
    return Fitted(lambda x: (mean + spread * model.predict(kernel(x)))[:, None])


def _candidates(training: TrainingSet) -> list[Setting]:
    return GRID


SVM = Family(_candidates, _fit)


def train(request: TrainingRequest, reader: GroupReader) -> list[Fit]:
    """Train support vector machines on every scope of a group."""
    return train_candidates(SVM, request, reader)
