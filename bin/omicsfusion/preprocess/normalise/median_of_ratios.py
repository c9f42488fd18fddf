"""Step: size factors by the median of ratios to stored geometric means."""

from typing import ClassVar

import numpy as np

from omicsfusion.preprocess.normalise.count_rows import (
    Rows,
    Tally,
    as_counts,
    counted,
    geometric_mean,
    library_size,
)
from omicsfusion.preprocess.normalise.library_size import CountNormaliser
from omicsfusion.preprocess.normalise.tmm import Reference

# The median of 50 ratios that scatter by a factor of 2 is right within 12 %.
FEWEST_RATIOS = 50


class SizeFactors(CountNormaliser):
    """Divides counts by DESeq's size factors, which subclasses follow up.

    Anders & Huber, Genome Biol. 11:R106 (2010), equation 5: the median, over the features, of a
    sample's count over the geometric mean of the training samples' counts. Only features that are
    above 0 in every training sample have such a mean. Of a new sample, those that are 0 or missing
    give no ratio, as in the R package DESeq2 (PyDESeq2 takes a ratio of 0). Where fewer than
    ``FEWEST_RATIOS`` features have a mean, the size factor is the TMM-effective library size over
    the geometric mean of the training samples', and ``did_`` says so.

    Attributes
    ----------
    log_means_
        Natural logarithm of the geometric mean of each feature; NaN where there is none, and
        everywhere when TMM is used.
    reference_, reference_size_
        As in :class:`omicsfusion.preprocess.normalise.tmm.TrimmedMean`; NaN when it is not used.
    unit_size_
        The library size, effective with TMM, of a sample whose size factor is 1.
    """

    state: ClassVar[tuple[str, ...]] = (
        *CountNormaliser.state,
        "log_means_",
        "reference_",
        "reference_size_",
        "unit_size_",
    )
    feature_state: ClassVar[tuple[str, ...]] = (
        *CountNormaliser.feature_state,
        "log_means_",
        "reference_",
    )

    def _forget(self) -> None:
        self.log_means_ = np.full_like(self.profile_, np.nan)
        self.reference_ = np.full_like(self.profile_, np.nan)
        self.reference_size_ = 1.0
        self.unit_size_ = 1.0

    def _learn(self, rows: Rows, tally: Tally) -> None:
        n_usable = int(tally.always_counted.sum())
        if n_usable >= FEWEST_RATIOS:
            self.log_means_ = _log_means(rows, tally)
            self.did_ = f"median of ratios over {n_usable:,} features"
        else:
            reference, position = Reference.choose(rows, self.profile_)
            self.reference_, self.reference_size_ = reference.counts, reference.size
            self.did_ = (
                f"size factors by TMM to training sample {position + 1} of {tally.n_samples} "
                f"(sorted by id): only {n_usable} features are above 0 in all training samples, "
                f"of {FEWEST_RATIOS} that the median of ratios needs"
            )
        units = [self._library(row) / (self._ratio(row) or 1.0) for row in counted(rows)]
        self.unit_size_ = geometric_mean(np.array(units))

    def _size_of(self, row: np.ndarray) -> float:
        return self._ratio(row) or self._library(row) / self.unit_size_

    def _ratio(self, row: np.ndarray) -> float:
        """Return the median ratio; 0 when the sample has none."""
        usable = (row > 0) & ~np.isnan(self.log_means_)
        if not usable.any():
            return 0.0
        return float(np.exp(np.median(np.log(row[usable]) - self.log_means_[usable])))

    def _library(self, row: np.ndarray) -> float:
        """Return the library size, effective when there is a reference for TMM."""
        reference = Reference(self.reference_, self.reference_size_, self.profile_)
        return library_size(row, self.profile_) * reference.factor(row)


class MedianOfRatios(SizeFactors):
    """log2(x / s + 1), with the size factors s of :class:`SizeFactors`."""

    def apply(self, X: np.ndarray, factors: np.ndarray) -> np.ndarray:
        """Return log2 of counts over size factors (samples x 1), plus 1."""
        return np.log2(as_counts(X) / factors + 1)

    def _learn(self, rows: Rows, tally: Tally) -> None:
        super()._learn(rows, tally)
        self.did_ += "; log2(count / size factor + 1)"


def _log_means(rows: Rows, tally: Tally) -> np.ndarray:
    """Mean logarithm of the features that are always counted, NaN elsewhere."""
    usable = tally.always_counted
    total = np.zeros(int(usable.sum()))
    for row in counted(rows):
        if (row > 0).any():
            total += np.log(row[usable])
    means = np.full(len(usable), np.nan)
    means[usable] = total / tally.n_counted
    return means
