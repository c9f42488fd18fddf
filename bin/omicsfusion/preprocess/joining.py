"""Fitted steps put together from blocks of columns, and cut down to some columns."""

from collections.abc import Sequence
from copy import copy

import numpy as np
from sklearn.base import clone

from omicsfusion.preprocess.step import Step


class NotJoinableError(ValueError):
    """A step, fitted on blocks, did not come out the same in all; the text names it."""


def join_steps(parts: Sequence[Step]) -> Step:
    """Join a step's parts, fitted on blocks of columns, in the order of the blocks.

    Raises
    ------
    NotJoinableError
        What is not per feature differs between the parts.
    """
    first = parts[0]
    if hasattr(type(first), "joined"):
        return type(first).joined(parts)
    whole = clone(first)
    whole.n_features_in_ = sum(part.n_features_in_ for part in parts)
    for name in first.state:
        values = [getattr(part, name) for part in parts]
        if name in first.feature_state:
            setattr(whole, name, np.concatenate(values))
        elif not isinstance(getattr(type(first), name, None), property):
            if any(value != values[0] for value in values[1:]):
                raise NotJoinableError(
                    f"{type(first).__name__}: {name} is not the same in all blocks of features."
                )
            setattr(whole, name, values[0])
    return whole


def restrict_step(step: Step, columns: np.ndarray) -> Step:
    """Return a fitted step for some of its columns (positions, ascending)."""
    narrow = copy(step)
    narrow.n_features_in_ = len(columns)
    for name in step.feature_state:
        setattr(narrow, name, getattr(step, name)[columns])
    return narrow


def restrict_steps(steps: Sequence[Step], n_features: int, kept: np.ndarray) -> list[Step]:
    """Return the steps for those of the layer's features that the last of them passes on."""
    narrow = []
    here = np.arange(n_features, dtype=object)
    for step in steps:
        narrow.append(restrict_step(step, np.flatnonzero(np.isin(here.astype(np.int64), kept))))
        here = step.get_feature_names_out(here)
    return narrow
