"""One penalty per layer: ridge regression with penalty factors.

One penalty for all columns drowns a small layer that tells much in a large one that tells little.
IPF-lasso (Boulesteix, De Bin, Jiang and Fuchs 2017, Comput Math Methods Med 7691937) tries a few
factors for each layer and chooses by cross-validation; here they multiply a ridge penalty, as in
multiridge (van de Wiel, van Nee and Rauschenberger 2021, J Comput Graph Stat 30:835).

A ridge penalty times ``factor`` on a column is the same as one penalty on the column divided by
the root of ``factor``, so each set of factors is one path of fits on rescaled columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from omicsfusion.models.baselines.candidates import Family, train_candidates
from omicsfusion.models.baselines.offset_ridge import offset_ridge_path
from omicsfusion.models.baselines.training_set import Axis, Fitted, TrainingSet, linear_fit
from omicsfusion.models.coefficients import Coefficients
from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.fit import Fit
from omicsfusion.models.grid_edges import edge_words
from omicsfusion.models.request import TrainingRequest

# Of the penalty of all other layers.
FACTORS = (0.1, 10.0)
# Of the summed variance of the rescaled columns; each set of factors tries all of them.
SHARES = (1.0, 0.1, 0.01, 0.001)
FACTOR_AXIS = Axis((FACTORS[0], 1.0, FACTORS[1]))
SHARE_AXIS = Axis(SHARES[::-1])
MOST_CANDIDATES = 40


@dataclass(frozen=True)
class Factors:
    """A candidate: how much more than the others one layer is penalised, and how much all are.

    Attributes
    ----------
    layer
        The one whose penalty differs; empty: none.
    """

    layer: str
    factor: float
    share: float

    def __str__(self) -> str:
        words = [f"penalty of {self.layer} x {self.factor:g}" if self.layer else "equal penalties"]
        edges = ["factor"] if FACTOR_AXIS.at_edge(self.factor) else []
        edges += ["share"] if SHARE_AXIS.at_edge(self.share) else []
        return "; ".join([*words, f"share={self.share:g}", *edge_words(edges)])


def candidates_of(training: TrainingSet) -> list[Factors]:
    """List equal penalties, then each layer penalised less and more, as far as the budget goes.

    Of two layers, one less is the other more. Where layers are many, none is penalised more; where
    they are more still, only the smaller ones are tried by themselves.
    """
    blocks = training.blocks()
    names = sorted(blocks, key=lambda name: (len(blocks[name]), name))
    room = MOST_CANDIDATES // len(SHARES) - 1
    single = [(name, factor) for factor in FACTORS for name in names] if len(names) > 2 else []
    if len(names) == 2:
        single = [(name, FACTORS[0]) for name in names]
    kinds = [("", 1.0), *single[:room]]
    return [Factors(layer, factor, share) for layer, factor in kinds for share in SHARES]


def fit(training: TrainingSet, candidates: Sequence[Factors]) -> list[Fitted]:
    """Fit the candidates, those with the same factors on one path."""
    path: list[Fitted] = []
    for layer, factor in dict.fromkeys((one.layer, one.factor) for one in candidates):
        shares = [one.share for one in candidates if (one.layer, one.factor) == (layer, factor)]
        path.extend(_path(training, layer, factor, shares))
    return path


def _path(
    training: TrainingSet, layer: str, factor: float, shares: Sequence[float]
) -> list[Fitted]:
    unit = np.where(np.array(training.layers) == layer, 1 / np.sqrt(factor), 1.0)
    scaled = replace(training, x=training.x * unit)
    variance = float(scaled.x.var(axis=0).sum())
    fits = offset_ridge_path(scaled, [share * variance for share in shares])
    return [
        linear_fit(Coefficients(fitted.weights * unit[:, None], fitted.intercept))
        for fitted in fits
    ]


IPF = Family(candidates_of, fit)


def train(request: TrainingRequest, reader: GroupReader) -> list[Fit]:
    """Train ridge regression with a penalty per layer on every scope of a group."""
    return train_candidates(IPF, request, reader)
