"""Step: values that were normalised before they came are left alone, logged or standardised."""

from typing import Any, Self

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils.validation import check_is_fitted

from omicsfusion.preprocess.normalise.earlier_scale import standardised
from omicsfusion.preprocess.normalise.sample_factors import SampleFactors
from omicsfusion.preprocess.step import Step


class AsTheyCame(OneToOneFeatureMixin, Step):
    """Leaves the values as they are.

    Attributes
    ----------
    did_
        What is known of the values.
    """

    state = ("did_",)
    per_feature = True

    def fit(self, X: Any, y: None = None) -> Self:
        """Look whether the values were standardised before: to tell, nothing depends on it."""
        evidence = standardised(self._checked(X, fitting=True))
        self.did_ = f"values as they came ({evidence})" if evidence else "values as they came"
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the values as they are."""
        check_is_fitted(self)
        return self._checked(X)


class LogTransform(OneToOneFeatureMixin, Step):
    """log2(x + 1), unless a training value is negative: then the layer was logged before.

    Attributes
    ----------
    log_
        Whether the logarithm is taken. If so, negative values of new samples count as 0.
    """

    state = ("log_", "skipped_", "did_")
    per_feature = True

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn whether the values can be logged."""
        return self.decide(self.evidence(self._checked(X, fitting=True)))

    def evidence(self, X: np.ndarray) -> np.ndarray:
        """Return what the decision rests on: numbers that add up over blocks of features."""
        return np.array([np.count_nonzero(X < 0)])

    def decide(self, evidence: np.ndarray) -> Self:
        """Learn from the evidence of all features."""
        negative = int(evidence[0])
        self.log_ = negative == 0
        self.skipped_ = (
            "" if self.log_ else f"{negative} training values are negative: logged before"
        )
        self.did_ = "log2(x + 1)" if self.log_ else ""
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return log2(x + 1), or the values as they are."""
        check_is_fitted(self)
        X = self._checked(X)
        return np.log2(np.maximum(X, 0) + 1) if self.log_ else X


class SampleZscore(SampleFactors):
    """Each sample minus its mean, over its standard deviation (divided by n).

    Left out when the training samples were standardised before, by sample or by feature.
    """

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn whether the values were standardised before."""
        self.skipped_ = standardised(self._checked(X, fitting=True))
        self.did_ = "" if self.skipped_ else "each sample to mean 0 and standard deviation 1"
        return self

    def _factors_of(self, row: np.ndarray) -> tuple[float, ...]:
        known = row[~np.isnan(row)]
        if known.size == 0:
            return 0.0, 1.0
        deviation = known.std() if known.max() > known.min() else 1.0
        return known.mean(), deviation

    def apply(self, X: np.ndarray, factors: np.ndarray) -> np.ndarray:
        """Return (x - mean) / standard deviation; a constant sample becomes 0."""
        return (X - factors[:, :1]) / factors[:, 1:]


class SampleRanks(OneToOneFeatureMixin, Step):
    """Each sample's values replaced by the normal scores of their ranks within the sample.

    The score of rank r among m values is the normal quantile of (r - 3/8) / (m + 1/4) (Blom,
    Statistical Estimates and Transformed Beta-Variables, 1958); tied values share their mean rank.
    Nothing is learnt and nothing is skipped: ranks do not ask for a scale. Of a table that was
    standardised by feature they tell how far a feature is up or down among the others, and single
    extreme values lose their weight.
    """

    state = ("did_",)

    def fit(self, X: Any, y: None = None) -> Self:
        """Look at the values, to tell whether they were standardised before."""
        evidence = standardised(self._checked(X, fitting=True))
        self.did_ = "normal scores of the ranks within each sample"
        self.did_ += f" (values were {evidence})" if evidence else ""
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the normal scores; NaN stays."""
        check_is_fitted(self)
        X = self._checked(X)
        out = np.full(X.shape, np.nan)
        for sample, row in enumerate(X):
            known = ~np.isnan(row)
            ranks = rankdata(row[known])
            out[sample, known] = ndtri((ranks - 0.375) / (ranks.size + 0.25))
        return out
