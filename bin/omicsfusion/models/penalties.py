"""The grid of penalties from which inner folds choose."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from omicsfusion.models.coefficients import Coefficients
from omicsfusion.models.grid_edges import edge_words

# Ridge penalties as shares of the summed variance of the columns, which makes them mean the same
# for three covariates and for thousands of genes. On the PAM50 classes of TCGA-BRCA the optimum
# lies at 1e-3, on three covariates at 1e-1.
RIDGE_SHARES = tuple(10.0 ** np.arange(0.5, -5.1, -0.5))
# Elastic-net penalties as shares of the smallest one at which all weights are zero.
NET_SHARES = tuple(10.0 ** np.arange(-0.5, -2.1, -0.5))


@dataclass(frozen=True)
class Penalty:
    """One candidate.

    Attributes
    ----------
    l1_ratio
        Share of the l1 penalty; 0 is ridge.
    strength
        Multiplies the penalty; the loss is a mean over samples.
    share
        The strength relative to what the grid is built on (see ``RIDGE_SHARES``, ``NET_SHARES``).
    at_edge
        Whether no candidate of the same kind is stronger, or none weaker.
    """

    l1_ratio: float
    strength: float
    share: float
    at_edge: bool

    def __str__(self) -> str:
        edge = edge_words(["penalty"] if self.at_edge else [])
        words = [f"l1_ratio={self.l1_ratio:g}", f"penalty={self.strength:.4g}"]
        return "; ".join([*words, f"share={self.share:.3g}", *edge])


def grid(l1_ratio: float, unit: float, shares: Sequence[float]) -> list[Penalty]:
    """List candidates of one kind from strong to weak; ``unit`` is the strength of share 1."""
    edges = (shares[0], shares[-1])
    return [Penalty(l1_ratio, unit * share, share, share in edges) for share in shares]


def ridge_grid(x: np.ndarray) -> list[Penalty]:
    """List ridge candidates for a training set (rows x columns)."""
    return grid(0.0, float(x.var(axis=0).sum()), RIDGE_SHARES)


def path_by_kind(
    penalties: Sequence[Penalty],
    fit: Callable[[float, list[float]], list[Coefficients]],
) -> list[Coefficients]:
    """Fit candidates, those of one ``l1_ratio`` together so that each starts from the one before.

    Parameters
    ----------
    penalties
        Candidates of one kind stand together, from strong to weak.
    fit
        ``fit(l1_ratio, strengths)`` returns one fit per strength.
    """
    path: list[Coefficients] = []
    for l1_ratio in dict.fromkeys(penalty.l1_ratio for penalty in penalties):
        strengths = [p.strength for p in penalties if p.l1_ratio == l1_ratio]
        path.extend(fit(l1_ratio, strengths))
    return path
