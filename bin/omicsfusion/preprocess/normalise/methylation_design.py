"""Step: type II probes of Infinium arrays on the scale of the type I probes of the same sample."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
from scipy.special import betainc, betaincinv, gammaln
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils.validation import check_is_fitted

from omicsfusion.preprocess.normalise.methylation import (
    OFFSET,
    SHARE_OUTSIDE,
    beta_of_m,
    m_of_beta,
    m_values_before,
    share_outside,
)
from omicsfusion.preprocess.step import Step, UnusableInputError

DESIGNS = ("I", "II")
BINS = 400
# Starting states: unmethylated below the one, fully methylated above the other.
STARTING_CUTS = (0.2, 0.75)
ITERATIONS = 60
# A mixture of three states from fewer probes of one design is not worth the name.
FEWEST_PROBES = 60
FEWEST_IN_STATE = 10
SMALLEST_VARIANCE = 1e-5


class States(NamedTuple):
    """A mixture of three beta distributions: unmethylated, in between, methylated."""

    a: np.ndarray
    b: np.ndarray
    weight: np.ndarray


class DesignCorrection(OneToOneFeatureMixin, Step):
    """Maps the type II probes of each sample onto the distribution of its type I probes.

    Like BMIQ (Teschendorff et al., Bioinformatics 29:189, 2013): per sample, a mixture of three
    beta distributions is fitted to the probes of either design; type II values in the unmethylated
    and in the methylated state get the quantile of the type I state at their own probability, and
    those between are stretched linearly to meet both. Not BMIQ's: the mixtures are fitted to a
    histogram of 400 bins by moments (all probes count, nothing is drawn at random, the cost does
    not grow with the array); states are the intervals between the points where neighbouring
    components weigh the same, so that the map is continuous and never falls.

    A sample with fewer than 60 probes of a design, or a state of fewer than 10, stays as it is.
    The correction learns nothing from training samples: each sample is its own reference.

    Parameters
    ----------
    designs
        Per probe ``I`` or ``II``; probes that are not named stay as they are.
    scale
        ``m`` (M-values) or ``beta``: what comes out.
    offset
        Of the M-values.

    Attributes
    ----------
    design_
        1, 2 or 0 (not known) for each column.
    already_
        Whether the table holds M-values: they are turned into beta values first.
    """

    state = ("design_", "already_", "skipped_", "did_")
    feature_state = ("design_",)
    needs = ("features",)

    def __init__(
        self,
        designs: Mapping[str, str] | None = None,
        scale: str = "m",
        offset: float = OFFSET,
    ) -> None:
        self.designs = designs
        self.scale = scale
        self.offset = offset

    def fit(self, X: Any, y: None = None, features: Any = None) -> Self:
        """Learn which columns are of which design."""
        if self.scale not in ("m", "beta"):
            raise ValueError(f"The scale {self.scale!r} is not one of m, beta.")
        X = self._checked(X, fitting=True)
        designs = self.designs or {}
        strange = sorted({word for word in designs.values() if word not in DESIGNS})
        if strange:
            raise UnusableInputError(
                f"A design of a probe is {strange[0]!r}; it must be one of {', '.join(DESIGNS)}."
            )
        names = [""] * X.shape[1] if features is None else list(features)
        codes = {"I": 1, "II": 2}
        self.design_ = np.array([codes.get(designs.get(name, ""), 0) for name in names], dtype=int)
        first, second = (int((self.design_ == code).sum()) for code in (1, 2))
        share = share_outside(X)
        self.already_ = share > SHARE_OUTSIDE
        self.skipped_ = ""
        if min(first, second) < FEWEST_PROBES:
            self.skipped_ = (
                f"no design correction: {first} probes of type I and {second} of type II are in "
                f"the layer, fewer than {FEWEST_PROBES}"
            )
        unit = "M-values" if self.scale == "m" else "beta values"
        self.did_ = f"{unit}, {second} type II probes mapped onto {first} of type I"
        if self.skipped_:
            self.did_ = f"{unit} only"
        if self.already_:
            self.did_ += f" ({m_values_before(share)})"
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return corrected M-values, or beta values."""
        check_is_fitted(self)
        X = self._checked(X)
        beta = beta_of_m(X) if self.already_ else np.clip(X, 0, 1)
        if not self.skipped_:
            beta = np.array([self._corrected(row) for row in beta]).reshape(X.shape)
        return m_of_beta(beta, self.offset) if self.scale == "m" else beta

    def _corrected(self, row: np.ndarray) -> np.ndarray:
        known = ~np.isnan(row)
        target = known & (self.design_ == 2)
        curve = design_map(row[known & (self.design_ == 1)], row[target])
        out = row.copy()
        if curve is not None:
            out[target] = np.interp(row[target], np.linspace(0, 1, BINS + 1), curve)
        return out


def design_map(first: np.ndarray, second: np.ndarray) -> np.ndarray | None:
    """Return where type II values go, at 0, 1/400, … 1; None when it cannot be told.

    Parameters
    ----------
    first, second
        Beta values of the type I and of the type II probes of one sample.
    """
    if min(first.size, second.size) < FEWEST_PROBES:
        return None
    one, two = _fit_states(first), _fit_states(second)
    if one is None or two is None:
        return None
    grid = np.linspace(0, 1, BINS + 1)
    low, high = _cuts(two)
    lower = betaincinv(one.a[0], one.b[0], betainc(two.a[0], two.b[0], grid))
    # The upper tail by the mirrored distribution: 1 - p would lose its digits near 1.
    upper = 1 - betaincinv(one.b[2], one.a[2], betainc(two.b[2], two.a[2], 1 - grid))
    bottom, top = np.interp(low, grid, lower), np.interp(high, grid, upper)
    if not bottom < top:
        return None
    between = bottom + (grid - low) / (high - low) * (top - bottom)
    curve = np.where(grid <= low, lower, np.where(grid >= high, upper, between))
    return np.maximum.accumulate(np.clip(curve, 0, 1))


def _fit_states(values: np.ndarray) -> States | None:
    """Fit three beta distributions by expectation and moments; None when a state stays empty."""
    counts, _ = np.histogram(values, bins=BINS, range=(0, 1))
    centres = (np.arange(BINS) + 0.5) / BINS
    edges = np.searchsorted(centres, STARTING_CUTS)
    share = np.zeros((3, BINS))
    for state, part in enumerate(np.split(np.arange(BINS), edges)):
        share[state, part] = 1
    states = _moments(share * counts, centres)
    for _ in range(ITERATIONS):
        if states is None:
            return None
        density = _log_density(states, centres)
        share = np.exp(density - density.max(axis=0))
        states = _moments(share / share.sum(axis=0) * counts, centres)
    # Components that have changed places are no states any more.
    if states is None or not (np.diff(states.a / (states.a + states.b)) > 0).all():
        return None
    return states


def _moments(mass: np.ndarray, centres: np.ndarray) -> States | None:
    """Beta distributions of the mean and variance of each row of ``mass`` (3 x bins)."""
    total = mass.sum(axis=1)
    if (total < FEWEST_IN_STATE).any():
        return None
    mean = (mass * centres).sum(axis=1) / total
    variance = (mass * (centres - mean[:, None]) ** 2).sum(axis=1) / total
    # a + b of at least 2: no state may have a mode at either end.
    variance = np.clip(variance, SMALLEST_VARIANCE, mean * (1 - mean) / 3)
    size = mean * (1 - mean) / variance - 1
    return States(mean * size, (1 - mean) * size, total / total.sum())


def _log_density(states: States, centres: np.ndarray) -> np.ndarray:
    """Logarithm of weight times density of each state at the centres, 3 x bins."""
    a, b = states.a[:, None], states.b[:, None]
    scale = gammaln(a + b) - gammaln(a) - gammaln(b) + np.log(states.weight[:, None])
    return scale + (a - 1) * np.log(centres) + (b - 1) * np.log1p(-centres)


def _cuts(states: States) -> tuple[float, float]:
    """Return where, between the means of neighbouring states, the upper one begins to weigh more.

    Where it does so at once, or never, the cut is at that mean.
    """
    centres = (np.arange(BINS) + 0.5) / BINS
    density = _log_density(states, centres)
    means = states.a / (states.a + states.b)
    found = []
    for lower in (0, 1):
        inside = (centres >= means[lower]) & (centres <= means[lower + 1])
        over = inside & (density[lower + 1] >= density[lower])
        found.append(centres[over.argmax()] if over.any() else means[lower + 1])
    low, high = found
    return float(low), float(max(high, low + 1 / BINS))
