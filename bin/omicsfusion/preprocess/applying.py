"""One step of a chain, fitted on or applied to samples with what is known of them."""

import numpy as np
import pandas as pd

from omicsfusion.preprocess.annotations import Annotations
from omicsfusion.preprocess.step import Step


def fitted(step: Step, X: np.ndarray, names: np.ndarray, annotations: Annotations) -> Step:
    """Fit a step on training samples; one that learns from the outcome, on those that have it.

    Parameters
    ----------
    names
        Of the columns of X; the annotations' own features are not looked at.
    """
    here = annotations.of_features(tuple(names))
    if not step.supervised or here.outcome is None:
        return step.fit(X, None, **here.named(step.needs))
    missing = pd.isna(here.outcome)
    known = np.flatnonzero(~(missing.any(axis=1) if missing.ndim == 2 else missing))
    if len(known) < len(X):
        X, here = X[known], here.of_rows(known)
    return step.fit(X, here.outcome, **here.named(step.needs))


def transformed(
    step: Step, X: np.ndarray, names: np.ndarray, annotations: Annotations
) -> tuple[np.ndarray, np.ndarray]:
    """Return what a fitted step makes of samples, and the names of the columns."""
    here = annotations.of_features(tuple(names))
    return (
        step.transform(X, **here.named(step.transform_needs)),
        step.get_feature_names_out(names),
    )
