"""What networks of one fit predict together, or one of them by itself."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from omicsfusion.models.cohort import ScopeData
from omicsfusion.models.heads.base import Head, Targets
from omicsfusion.models.links import average_members
from omicsfusion.scopes import TRAINING_ROLES, Scope

Outputs = tuple[np.ndarray, ScopeData, Targets]
"""Outputs for all samples of a scope (networks x samples x units), the scope, and its outcome as
the head encodes it."""


@dataclass(frozen=True)
class Predicted:
    """Predictions, and what their link needed.

    Attributes
    ----------
    offset
        One per output.
    scale
        One per unit.
    columns
        Prediction columns by name, each of shape (samples that the fit predicts,).
    """

    offset: np.ndarray
    scale: np.ndarray
    columns: dict[str, np.ndarray]


def predicted(head: Head, raw: np.ndarray, data: ScopeData, targets: Targets) -> Predicted:
    """Average networks of one scope, by itself, and turn their outputs into predictions.

    Parameters
    ----------
    raw, data, targets
        See ``Outputs``.
    """
    return predicted_scopes(head, {data.scope: (raw, data, targets)})[data.scope]


def predicted_scopes(head: Head, outputs: Mapping[Scope, Outputs]) -> dict[Scope, Predicted]:
    """Do so for several scopes, which tell each other what networks say of samples left out.

    Samples that a network was fitted on, or that told it when to stop, lie closer to what it says
    than new ones do. How far these lie from it is learnt from training samples, each as the
    networks of the inner fold judge it that left it out.
    """
    units = {scope: head.unit(*of_scope) for scope, of_scope in outputs.items()}
    said = {
        scope: np.asarray(average_members(raw, head.link, *units[scope]), np.float64)
        for scope, (raw, _, _) in outputs.items()
    }
    found = {}
    for scope, (raw, data, targets) in outputs.items():
        columns = head.columns(raw, said[scope], data, targets)
        columns |= head.columns_by_left_out(_unseen(data, outputs, said), data, targets)
        found[scope] = Predicted(*units[scope], columns)
    return found


def _unseen(
    data: ScopeData, outputs: Mapping[Scope, Outputs], said: Mapping[Scope, np.ndarray]
) -> np.ndarray:
    """Return what networks that left a training sample out predict of it.

    They are those of the inner folds of the same training set. An inner fold itself has none: its
    siblings were trained on the samples that it holds out.

    Returns
    -------
    Samples x outputs; NaN where nobody left a sample out, and for samples not trained on.
    """
    found = np.full_like(said[data.scope], np.nan)
    if data.scope.is_inner:
        return found
    place = {data.samples[row]: row for row in data.rows(*TRAINING_ROLES)}
    for scope, (_, inner, _) in outputs.items():
        if scope.is_inner and scope.parent == data.scope.parent:
            rows = [row for row in inner.rows("test") if inner.samples[row] in place]
            found[[place[inner.samples[row]] for row in rows]] = said[scope][rows]
    return found
