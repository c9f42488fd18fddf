"""From fits of single layers to the stack of a scope, learnt from decisions out of fold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import softmax

from omicsfusion.models.cohort import GroupReader, ScopeData
from omicsfusion.models.fit import (
    Fit,
    class_columns,
    predicted_rows,
    regression_columns,
    survival_columns,
)
from omicsfusion.models.heads.base import Head, Targets, UntrainableError
from omicsfusion.models.heads.numbers import SMALLEST_SD, GaussianHead, HuberHead
from omicsfusion.models.stacking import (
    Stack,
    class_decisions,
    stack_classes,
    stack_hazards,
    stack_numbers,
    stack_numbers_robustly,
)
from omicsfusion.scopes import TRAINING_ROLES, Scope
from omicsfusion.tables.outcome import Outcome

LayerFits = Mapping[str, Mapping[Scope, Fit]]
"""Layer -> scope -> the fit of that layer alone, on the samples that have it."""

Decisions = Mapping[str, Mapping[Scope, pd.DataFrame]]
"""Layer -> scope -> decisions on the samples that the fit predicts (index: sample) per output."""


@dataclass(frozen=True)
class ScopeStack:
    """The stack of one scope, and what it says of the scope's samples.

    Attributes
    ----------
    targets
        The outcome of the scope's samples.
    layers
        The layers that take part, in the order of the stack's weights.
    left_out
        The other layers -> why they take no part.
    shares
        How much the layers move the scores of the training samples: the root mean square of what
        each adds to them, made to sum to 1. A layer whose decisions are all near 0 may have a large
        weight and says little.
    scores
        All rows of the scope x outputs. Training samples are judged by the networks of the inner
        fold that left them out, the others by those of this scope.
    """

    targets: Targets
    layers: Sequence[str]
    left_out: Mapping[str, str]
    stack: Stack
    shares: np.ndarray
    scores: np.ndarray


def decisions_of(fits: LayerFits, head: Head, reader: GroupReader) -> Decisions:
    """Return what each fit that did not fail decides."""
    return {
        layer: {
            scope: _decisions(fit, head, head.targets(reader.load(scope, ())).offset)
            for scope, fit in of_layer.items()
            if fit.record["status"] == "ok"
        }
        for layer, of_layer in fits.items()
    }


def _decisions(fit: Fit, head: Head, centre: float) -> pd.DataFrame:
    if head.link == "softmax":
        columns = np.column_stack([fit.columns[f"p_{name}"] for name in head.names])
        return pd.DataFrame(class_decisions(columns), index=list(fit.samples))
    return pd.DataFrame({0: fit.columns[head.names[0]] - centre}, index=list(fit.samples))


def stack_of(
    data: ScopeData,
    fits: LayerFits,
    decisions: Decisions,
    head: Head,
    outcome: Outcome,
) -> ScopeStack:
    """Learn the stack of a scope.

    The stack of an inner fold is learnt from decisions on the samples of its siblings only: neither
    the samples that it holds out nor their outcomes take part.

    Parameters
    ----------
    data
        The scope; values of layers are not needed.
    fits
        Asked for nothing but why a layer's fit failed.

    Raises
    ------
    UntrainableError
        When the outcome cannot be learnt, or no layer can take part.
    """
    targets = head.targets(data)
    training = [data.samples[row] for row in data.rows(*TRAINING_ROLES)]
    unseen = {
        layer: _held_out(of_layer, data.scope.parent) for layer, of_layer in decisions.items()
    }
    left_out = {
        layer: reason
        for layer in sorted(fits)
        if (reason := _why_not(layer, data.scope, fits, unseen[layer], training))
    }
    layers = [layer for layer in sorted(fits) if layer not in left_out]
    if not layers:
        told = "; ".join(f"{layer}: {reason}" for layer, reason in left_out.items())
        raise UntrainableError(f"No layer can take part. {told}")
    outputs = len(head.names)
    judged = _array([unseen[layer] for layer in layers], training, outputs)
    stack = _fitted(judged, training, head, targets, outcome)
    scores = np.zeros((len(data.samples), outputs))
    scores[data.rows(*TRAINING_ROLES)] = stack.scores(judged)
    rows = predicted_rows(data)
    own = [decisions[layer][data.scope] for layer in layers]
    scores[rows] = stack.scores(_array(own, [data.samples[row] for row in rows], outputs))
    return ScopeStack(targets, layers, left_out, stack, _shares(stack, judged), scores)


def stacked_columns(
    data: ScopeData,
    stacked: ScopeStack,
    head: Head,
    outcome: Outcome,
    horizons: Sequence[float],
) -> dict[str, np.ndarray]:
    """Turn scores into the prediction columns of the samples that the fit predicts.

    The baseline hazard, and the standard deviation around a predicted number, are those of the
    training samples, judged out of fold. (The stack was learnt from them, one weight per layer.)
    """
    rows = predicted_rows(data)
    if outcome.task == "classification":
        return class_columns(softmax(stacked.scores[rows], axis=1), outcome)
    if not isinstance(head, GaussianHead):
        return survival_columns(data, stacked.scores[:, 0], outcome, horizons)
    training = data.rows(*TRAINING_ROLES)
    known = outcome.table.loc[[data.samples[row] for row in training], "truth"].to_numpy(float)
    spread = head.spread(known - stacked.scores[training, 0])
    return regression_columns(
        stacked.scores[rows, 0], max(spread, SMALLEST_SD * stacked.targets.scale)
    )


def _held_out(of_layer: Mapping[Scope, pd.DataFrame], parent: Scope) -> pd.DataFrame:
    """Return a layer's decisions on the samples that the inner folds of ``parent`` held out."""
    inner = [scope for scope in sorted(of_layer) if scope.is_inner and scope.parent == parent]
    return pd.concat([of_layer[scope] for scope in inner]) if inner else pd.DataFrame()


def _why_not(
    layer: str, scope: Scope, fits: LayerFits, unseen: pd.DataFrame, training: Sequence[str]
) -> str:
    """Say why a layer takes no part in a scope; empty when it does."""
    fit = fits[layer].get(scope)
    if fit is None:
        return "No sample to fit on has the layer."
    if fit.record["status"] != "ok":
        return str(fit.record["reason"])
    if not unseen.index.isin(training).any():
        return "No network of an inner fold judged a training sample."
    return ""


def _array(tables: Sequence[pd.DataFrame], samples: Sequence[str], outputs: int) -> np.ndarray:
    """Return decisions as samples x layers x outputs, 0 where a layer says nothing."""
    if not samples:
        return np.zeros((0, len(tables), outputs))
    found = [table.reindex(samples, fill_value=0.0).to_numpy(float) for table in tables]
    return np.stack(found, axis=1)


def _shares(stack: Stack, judged: np.ndarray) -> np.ndarray:
    moved = stack.weights * np.sqrt(np.mean(judged**2, axis=(0, 2)))
    return moved / moved.sum() if moved.any() else moved


def _fitted(
    judged: np.ndarray, samples: Sequence[str], head: Head, targets: Targets, outcome: Outcome
) -> Stack:
    if outcome.task == "classification":
        return stack_classes(judged, outcome.class_codes(list(samples)))
    known = outcome.table.loc[list(samples)]
    if outcome.task == "survival":
        risks = stack_hazards(judged, known["time"].to_numpy(float), known["event"].to_numpy(float))
        # A risk has no zero of its own: it is 0 at the training samples' mean.
        return Stack(risks.weights, -risks.scores(judged).mean(axis=0))
    stack = stack_numbers_robustly if isinstance(head, HuberHead) else stack_numbers
    return stack(judged, known["truth"].to_numpy(float), targets.scale)
