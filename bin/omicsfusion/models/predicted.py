"""What networks of one fit predict together, or one of them by itself."""

from dataclasses import dataclass

import numpy as np

from omicsfusion.models.cohort import ScopeData
from omicsfusion.models.heads.base import Head, Targets
from omicsfusion.models.links import average_members


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
    """Average networks of one scope and turn their outputs into predictions.

    Parameters
    ----------
    raw
        Outputs for all samples of the scope, networks x samples x units.
    targets
        The scope's outcome, as the head encodes it.
    """
    offset, scale = head.unit(raw, data, targets)
    together = np.asarray(average_members(raw, head.link, offset, scale), np.float64)
    return Predicted(offset, scale, head.columns(raw, together, data, targets))
