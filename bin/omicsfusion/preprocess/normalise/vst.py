"""Step: variance stabilising transformation with the training samples' dispersion trend."""

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from omicsfusion.preprocess.normalise.count_rows import Rows, Tally, as_counts, counted
from omicsfusion.preprocess.normalise.median_of_ratios import SizeFactors

# As DESeq2's vst(): dispersions of this many features, with a mean above this, tell the trend.
TREND_FEATURES = 1000
LEAST_MEAN = 5.0
# With fewer features above LEAST_MEAN, those below it are asked too.
FEWEST_FEATURES = 50
# Of fewer samples no dispersion can be told.
FEWEST_SAMPLES = 3
# The dispersions that PyDESeq2 takes for real are above ten times its smallest one.
SMALLEST_DISPERSION = 1e-7


class VarianceStabiliser(SizeFactors):
    """log2-like values whose variance does not depend on the mean.

    Anders & Huber, Genome Biol. 11:R106 (2010), in the closed forms of DESeq2's vignette 'vst.pdf'
    (Love, Huber & Anders, Genome Biol. 15:550, 2014). With q = count / size factor and the trend
    dispersion(mean) = a0 + a1 / mean:
    log2((1 + a1 + 2 a0 q + 2 sqrt(a0 q (1 + a1 + a0 q))) / (4 a0)); with one dispersion a for all:
    (2 asinh(sqrt(a q)) - ln a - ln 4) / ln 2. Both tend to log2(q) for large q.

    PyDESeq2 estimates the dispersions without regard to any group, of at most ``TREND_FEATURES``
    features that stand evenly in the order of their means, none missing; it fits the trend, or
    takes their trimmed mean when the fit fails. When no dispersion is above
    ``SMALLEST_DISPERSION``, the transformation is log2(q + 1).

    Attributes
    ----------
    trend_
        ``{"a0", "a1"}``, ``{"a"}``, or empty.
    """

    state: ClassVar[tuple[str, ...]] = (*SizeFactors.state, "trend_")

    def apply(self, X: np.ndarray, factors: np.ndarray) -> np.ndarray:
        """Return the stabilised values of samples with size factors ``factors`` (samples x 1)."""
        q = as_counts(X) / factors
        if "a0" in self.trend_:
            a0, a1 = self.trend_["a0"], self.trend_["a1"]
            root = np.sqrt(a0 * q * (1 + a1 + a0 * q))
            return np.log2((1 + a1 + 2 * a0 * q + 2 * root) / (4 * a0))
        if "a" in self.trend_:
            a = self.trend_["a"]
            return (2 * np.arcsinh(np.sqrt(a * q)) - np.log(a) - np.log(4)) / np.log(2)
        return np.log2(q + 1)

    def _forget(self) -> None:
        super()._forget()
        self.trend_: dict[str, float] = {}

    def _learn(self, rows: Rows, tally: Tally) -> None:
        super()._learn(rows, tally)
        sampled = SampledCounts.draw(rows, np.array([self._size_of(row) for row in counted(rows)]))
        self.trend_ = sampled.dispersion_trend()
        n = sampled.counts.shape[1]
        if "a0" in self.trend_:
            told = "dispersion {a0:.3g} + {a1:.3g} / mean".format(**self.trend_)
        elif "a" in self.trend_:
            told = "the trend could not be fitted, mean dispersion {a:.3g}".format(**self.trend_)
        else:
            told = "no dispersion could be estimated: log2(count / size factor + 1)"
        self.did_ += f"; VST from {n:,} features, {told}"


@dataclass(frozen=True)
class SampledCounts:
    """Training counts of the features that tell the trend.

    Attributes
    ----------
    counts
        Samples x features, whole numbers without NaN.
    sizes
        Size factor of each sample, above 0.
    """

    counts: np.ndarray
    sizes: np.ndarray

    @classmethod
    def draw(cls, rows: Rows, sizes: np.ndarray) -> "SampledCounts":
        """Take the features evenly over the order of their means; samples without size not."""
        usable = sizes > 0
        paired = zip(counted(rows), sizes, strict=True)
        mean = sum(row / size for row, size in paired if size > 0) / max(usable.sum(), 1)
        columns = evenly(np.asarray(mean, dtype=float))
        counts = np.array(
            [row[columns] for row, there in zip(counted(rows), usable, strict=True) if there]
        )
        return cls(np.rint(counts), sizes[usable])

    def dispersion_trend(self) -> dict[str, float]:
        """Return ``{"a0", "a1"}``, ``{"a"}``, or nothing: see :class:`VarianceStabiliser`."""
        if len(self.counts) < FEWEST_SAMPLES or self.counts.shape[1] == 0:
            return {}
        from pydeseq2.dds import DeseqDataSet
        from pydeseq2.default_inference import DefaultInference

        samples = [str(row) for row in range(len(self.counts))]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = DeseqDataSet(
                counts=pd.DataFrame(self.counts, index=samples).rename(columns=str),
                metadata=pd.DataFrame(index=samples),
                design=pd.DataFrame({"Intercept": 1}, index=samples),
                inference=DefaultInference(n_cpus=1),
                quiet=True,
            )
            # Those of the whole table: PyDESeq2 would find others from these features.
            data.obs["size_factors"] = self.sizes
            data.layers["normed_counts"] = self.counts / self.sizes[:, None]
            data.var["_normed_means"] = data.layers["normed_counts"].mean(axis=0)
            data.vst_fit_type = "parametric"
            data.fit_genewise_dispersions(vst=True)
            if not (data.var["vst_genewise_dispersions"] > SMALLEST_DISPERSION).any():
                return {}
            data.fit_dispersion_trend(vst=True)
        if data.vst_fit_type == "parametric":
            return {name: float(data.uns["vst_trend_coeffs"][name]) for name in ("a0", "a1")}
        return {"a": float(data.uns["mean_disp"])}


def evenly(mean: np.ndarray, n: int = TREND_FEATURES) -> np.ndarray:
    """Return the positions, ascending, of at most n features, evenly over the order of their means.

    Parameters
    ----------
    mean
        Normalised mean of each feature; one that is not above ``LEAST_MEAN`` (above 0, when there
        are few of those) or NaN is not taken.
    """
    candidates = np.flatnonzero(mean > LEAST_MEAN)
    if len(candidates) < FEWEST_FEATURES:
        candidates = np.flatnonzero(mean > 0)
    ordered = candidates[np.argsort(mean[candidates], kind="stable")]
    if len(ordered) > n:
        ordered = ordered[np.rint(np.linspace(0, len(ordered) - 1, n)).astype(np.int64)]
    return np.sort(ordered)
