"""Metrics of a classification, as functions of patient weights.

What counts pairs (AUROC) does so within held-out sets. What counts labels or probabilities is
computed per pool (a repeat: each sample once) and averaged over pools: labels of different folds
are on one scale.

Models weigh classes equally, whatever their shares: the class of the highest probability is the
choice that balanced accuracy rewards. Before a probability is judged as one (log loss, Brier), it
is corrected for the shares of the classes among the samples of the fit.

A sample without a prediction (its fit failed) counts as chance: all classes equally probable. A
tie for the highest probability is split evenly among the tied classes, so such a sample is right
with probability 1/K, and no class is favoured for its name.
"""

from collections.abc import Sequence

import numpy as np

from omicsfusion.assess.average_precision import precision_sums
from omicsfusion.assess.bootstrap import Metrics
from omicsfusion.assess.calibration_slope import Answers, logistic_slope
from omicsfusion.assess.held_out import HeldOut
from omicsfusion.assess.pairs import class_pairs, no_pairs
from omicsfusion.assess.predictions import classes_of
from omicsfusion.assess.undefined import mean_of_defined, ratio

SMALLEST_PROBABILITY = float(np.finfo(float).eps)
"""A log loss takes no smaller probability (as scikit-learn): a sure error would be infinite."""


def classification_metrics(sets: Sequence[HeldOut], weights: np.ndarray) -> Metrics:
    """Compute all metrics of a classification.

    Parameters
    ----------
    sets
        The held-out sets of one model and scope.
    weights
        Replicates x patients.

    Returns
    -------
    For each metric an array of length replicates, NaN where not defined:
    ``balanced_accuracy`` (mean recall of the classes that occur), ``auroc`` (one against the rest,
    pairs within folds, mean of the classes), ``auprc`` (average precision, one against the rest,
    within folds, mean of the classes) and ``auprc_base`` (what equal probabilities reach: the
    shares of the classes), ``macro_f1`` (mean of the classes that occur as truth
    or prediction), ``accuracy``, ``log_loss`` (natural logarithm), ``brier`` (sum over classes of
    squared differences, 0 to 2; Brier 1950), both of :func:`corrected_probabilities`, as is
    ``calibration_slope`` (one against the rest, mean of the classes;
    :mod:`omicsfusion.assess.calibration_slope`), ``mcc`` (Gorodkin, Comput. Biol. Chem. 28, 2004,
    367-374; 0 when all truths or all predictions are one class), for each class
    ``recall:<class>`` and ``mean_calibration:<class>`` (mean corrected probability minus share of
    the class; Van Calster et al., J. Clin. Epidemiol. 74, 2016, 167-176).
    """
    classes = classes_of(sets[0].rows)
    pools = [_pool_metrics(pool, classes, weights) for pool in _pools(sets)]
    by_name = {name: np.stack([pool[name] for pool in pools], axis=-1) for name in pools[0]}
    averaged = {name: mean_of_defined(values) for name, values in by_name.items()}
    slope = _calibration_slope(sets, classes, weights)
    return {
        "balanced_accuracy": balanced_accuracy(sets, classes, weights),
        "auroc": auroc(sets, classes, weights),
        **_auprc(sets, classes, weights),
        **{name: averaged.pop(name) for name in ("macro_f1", "accuracy", "log_loss", "brier")},
        "calibration_slope": slope,
        **averaged,
    }


def balanced_accuracy(
    sets: Sequence[HeldOut], classes: Sequence[str], weights: np.ndarray
) -> np.ndarray:
    """Average the recalls of the classes that occur, by pool; ``weights`` replicates x patients."""
    recalls = [_recalls(_counts(pool, classes, weights)) for pool in _pools(sets)]
    return mean_of_defined(np.stack([mean_of_defined(of_pool) for of_pool in recalls], axis=-1))


def probabilities(held: HeldOut, classes: Sequence[str]) -> np.ndarray:
    """Return samples x classes; a sample without a prediction has the same for every class."""
    values = held.rows[[f"p_{name}" for name in classes]].to_numpy(dtype=float)
    missing = np.isnan(values).any(axis=1, keepdims=True)
    return np.where(missing, 1 / len(classes), values)


def corrected_probabilities(held: HeldOut, classes: Sequence[str]) -> np.ndarray:
    """Return the probabilities, samples x classes, in the population of the fit's samples.

    Those that models give belong to a population in which all classes are equally common. They are
    multiplied by the class's share among the training samples, and made to sum to one (Saerens,
    Latinne and Decaestecker, Neural Computation 14, 2002, 21-41, equation 2.4). Nothing is changed
    for a sample without a prediction, or where the training samples are not known.
    """
    values = probabilities(held, classes)
    predicted = held.rows[f"p_{classes[0]}"].notna().to_numpy()[:, None]
    counts = held.training["truth"].value_counts().reindex(list(classes), fill_value=0)
    if not counts.sum():
        return values
    joint = values * (counts.to_numpy(float) / counts.sum())
    total = joint.sum(axis=1, keepdims=True)
    # Sure of a class that no training sample has: there is nothing to correct by.
    return np.where(predicted & (total > 0), joint / np.where(total > 0, total, 1.0), values)


def truth_codes(held: HeldOut, classes: Sequence[str]) -> np.ndarray:
    """Return the position of each sample's class in ``classes``."""
    position = {name: code for code, name in enumerate(classes)}
    return np.array([position[name] for name in held.rows["truth"]], dtype=int)


def confusion_matrices(held: HeldOut, classes: Sequence[str], weights: np.ndarray) -> np.ndarray:
    """Count truths by predictions.

    Parameters
    ----------
    weights
        Replicates x patients.

    Returns
    -------
    Replicates x classes (truth) x classes (predicted).
    """
    values = probabilities(held, classes)
    best = values == values.max(axis=1, keepdims=True)
    predicted = best / best.sum(axis=1, keepdims=True)
    truth = np.eye(len(classes))[truth_codes(held, classes)]
    cells = (truth[:, :, None] * predicted[:, None, :]).reshape(len(values), -1)
    counts = weights[:, held.patients] @ cells
    return counts.reshape(len(weights), len(classes), len(classes))


def _pools(sets: Sequence[HeldOut]) -> list[list[HeldOut]]:
    names = sorted({held.pool for held in sets})
    return [[held for held in sets if held.pool == name] for name in names]


def _pool_metrics(sets: Sequence[HeldOut], classes: Sequence[str], weights: np.ndarray) -> Metrics:
    counts = _counts(sets, classes, weights)
    truths, predictions = counts.sum(axis=2), counts.sum(axis=1)
    hits, total = np.diagonal(counts, axis1=1, axis2=2), counts.sum(axis=(1, 2))
    recalls = _recalls(counts)
    return {
        "macro_f1": mean_of_defined(ratio(2 * hits, truths + predictions)),
        "accuracy": ratio(hits.sum(axis=1), total),
        "mcc": _mcc(hits.sum(axis=1), total, truths, predictions),
        **{f"recall:{name}": recalls[:, code] for code, name in enumerate(classes)},
        **_probability_metrics(sets, classes, weights),
    }


def _counts(sets: Sequence[HeldOut], classes: Sequence[str], weights: np.ndarray) -> np.ndarray:
    return sum(
        (confusion_matrices(held, classes, weights) for held in sets),
        start=np.zeros((len(weights), len(classes), len(classes))),
    )


def _recalls(counts: np.ndarray) -> np.ndarray:
    return ratio(np.diagonal(counts, axis1=1, axis2=2), counts.sum(axis=2))


def _probability_metrics(
    sets: Sequence[HeldOut], classes: Sequence[str], weights: np.ndarray
) -> Metrics:
    log_losses, briers, total = np.zeros((3, len(weights)))
    excess = np.zeros((len(weights), len(classes)))
    for held in sets:
        values, truth = corrected_probabilities(held, classes), truth_codes(held, classes)
        of_truth = values[np.arange(len(values)), truth]
        here = weights[:, held.patients]
        log_losses += here @ -np.log(np.clip(of_truth, SMALLEST_PROBABILITY, 1.0))
        apart = values - np.eye(len(classes))[truth]
        briers += here @ (apart**2).sum(axis=1)
        excess += here @ apart
        total += here.sum(axis=1)
    means = ratio(excess, total[:, None])
    return {
        "log_loss": ratio(log_losses, total),
        "brier": ratio(briers, total),
        **{f"mean_calibration:{name}": means[:, code] for code, name in enumerate(classes)},
    }


def _mcc(
    hits: np.ndarray, total: np.ndarray, truths: np.ndarray, predictions: np.ndarray
) -> np.ndarray:
    covariance = hits * total - (truths * predictions).sum(axis=1)
    spread = (total**2 - (truths**2).sum(axis=1)) * (total**2 - (predictions**2).sum(axis=1))
    result = ratio(covariance, np.sqrt(np.maximum(spread, 0)))
    return np.where((total > 0) & np.isnan(result), 0.0, result)


def auroc(sets: Sequence[HeldOut], classes: Sequence[str], weights: np.ndarray) -> np.ndarray:
    """Average over classes the share of rightly ordered pairs, one class against the rest.

    Pairs are counted within held-out sets; ``weights``: replicates x patients.
    """
    sums = [no_pairs(len(weights)) for _ in classes]
    for held in sets:
        values, truth = probabilities(held, classes), truth_codes(held, classes)
        here = weights[:, held.patients]
        for code in range(len(classes)):
            sums[code] = sums[code] + class_pairs(truth == code, values[:, code], here)
    return mean_of_defined(np.stack([pairs.share for pairs in sums], axis=-1))


def _auprc(sets: Sequence[HeldOut], classes: Sequence[str], weights: np.ndarray) -> Metrics:
    sums = np.zeros((len(classes), 3, len(weights)))
    for held in sets:
        values, truth = probabilities(held, classes), truth_codes(held, classes)
        here = weights[:, held.patients]
        for code in range(len(classes)):
            sums[code] += precision_sums(truth == code, values[:, code], here)
    of_classes = ratio(sums[:, :2], sums[:, 2:])
    reached, base = (mean_of_defined(of_classes[:, part].T) for part in (0, 1))
    return {"auprc": reached, "auprc_base": base}


def _calibration_slope(
    sets: Sequence[HeldOut], classes: Sequence[str], weights: np.ndarray
) -> np.ndarray:
    """Average the slopes of the classes; the second of two has that of the first."""
    codes = range(1 if len(classes) == 2 else len(classes))
    log_odds = [_log_odds(held, classes) for held in sets]
    truths = [truth_codes(held, classes) for held in sets]
    parts = [weights[:, held.patients] for held in sets]
    slopes = [
        logistic_slope(
            [
                Answers(odds[:, code], truth == code, part)
                for odds, truth, part in zip(log_odds, truths, parts, strict=True)
            ]
        )
        for code in codes
    ]
    return mean_of_defined(np.stack(slopes, axis=-1))


def _log_odds(held: HeldOut, classes: Sequence[str]) -> np.ndarray:
    """Return the log odds of the corrected probabilities; NaN for a sample without a prediction.

    To twelve decimals, so that probabilities which differ by rounding only are equal.
    """
    predicted = held.rows[f"p_{classes[0]}"].notna().to_numpy()[:, None]
    values = corrected_probabilities(held, classes)
    values = np.clip(values, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    return np.where(predicted, (np.log(values) - np.log1p(-values)).round(12), np.nan)
