"""All layers of a scope side by side, as linear models see them."""

from dataclasses import dataclass

import numpy as np

from omicsfusion.models.cohort import ScopeData
from omicsfusion.scopes import TRAINING_ROLES

ABSENT = "(layer absent)"


class NoCovariateError(ValueError):
    """A model of one covariate was asked for, and the layer does not have it."""


@dataclass(frozen=True)
class Design:
    """The design matrix of a scope.

    Attributes
    ----------
    x
        float64, samples of the scope x columns, in the order of ``ScopeData.samples``.
    layers, features
        Of each column. The feature of an indicator of a missing layer is ``ABSENT``.
    """

    x: np.ndarray
    layers: tuple[str, ...]
    features: tuple[str, ...]


def design_of(data: ScopeData, covariate: str = "") -> Design:
    """Put the layers of a scope side by side.

    A sample that lacks a layer has zeros there: the layers are scaled, so zero is the centre of the
    training samples. A layer that some, but not all, training samples lack gets one more column, 1
    where it is absent.

    Parameters
    ----------
    data
        The layers of one scope.
    covariate
        Keep only this covariate: the column of this name, or those that start with it and ``=``.

    Raises
    ------
    NoCovariateError
        When no column belongs to ``covariate``.
    """
    training = data.rows(*TRAINING_ROLES)
    blocks, layers, features = [np.empty((len(data.samples), 0))], [], []
    for name, block in sorted(data.layers.items()):
        columns = _columns_of(block.features, covariate)
        blocks.append(block.x[:, columns].astype(np.float64))
        names = [block.features[column] for column in columns]
        if columns and not block.present[training].all() and block.present[training].any():
            blocks.append((~block.present)[:, None].astype(np.float64))
            names.append(ABSENT)
        layers.extend([name] * len(names))
        features.extend(names)
    if covariate and not features:
        known = sorted({f.split("=")[0] for block in data.layers.values() for f in block.features})
        raise NoCovariateError(
            f"There is no covariate {covariate!r} in scope {data.scope.key}; "
            f"there are: {', '.join(known) or 'none'}."
        )
    return Design(np.hstack(blocks), tuple(layers), tuple(features))


def _columns_of(features: tuple[str, ...], covariate: str) -> list[int]:
    return [
        column
        for column, feature in enumerate(features)
        if not covariate or feature == covariate or feature.startswith(f"{covariate}=")
    ]
