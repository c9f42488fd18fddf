"""Steps for mutation tables: filter with the burden beside the genes, calls, allele fractions."""

from abc import abstractmethod
from typing import Any, Self

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from omicsfusion.preprocess.step import Step

BURDEN = "mutation burden"
MIN_FREQUENCY = 0.01
MAX_MISSING = 0.5


class MutationFilter(Step):
    """Leave out rarely mutated genes, but count all of them in a sample's burden.

    A gene is mutated where its value is above 0 (a call, a number of variants, an allele fraction).
    The burden, a column after the genes, is log2(1 + mutated genes), over *all* genes that come in:
    those that are left out below, too. Where calls are missing, their number is scaled by all genes
    over the known ones.

    Parameters
    ----------
    min_frequency
        Smallest share of the training samples whose call is known that have the gene mutated, 0 to
        1.
    max_missing
        Largest share of missing values with which a gene is kept, 0 to 1.
    burden
        Whether the column ``mutation burden`` is appended. It is not when it is the same for all
        training samples.

    Attributes
    ----------
    support_
        Which genes are kept.
    burden_
        Whether there is a burden column.
    dropped_
        Reason -> number of genes left out.
    """

    state = ("support_", "burden_", "dropped_", "did_")
    feature_state = ("support_",)

    def __init__(
        self,
        min_frequency: float = MIN_FREQUENCY,
        max_missing: float = MAX_MISSING,
        burden: bool = True,
    ) -> None:
        self.min_frequency = min_frequency
        self.max_missing = max_missing
        self.burden = burden

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn which genes to keep."""
        X = self._checked(X, fitting=True)
        missing = np.isnan(X).mean(axis=0)
        enough = (missing <= self.max_missing) & (missing < 1)
        varies = np.fmax.reduce(X, axis=0) > np.fmin.reduce(X, axis=0)
        known = np.maximum((~np.isnan(X)).sum(axis=0), 1)
        frequent = (X > 0).sum(axis=0) / known >= self.min_frequency
        self.support_ = enough & varies & frequent
        left_out = {
            f"missing in more than {self.max_missing:.0%}": ~enough,
            "constant": enough & ~varies,
            f"mutated in fewer than {self.min_frequency:.1%}": enough & varies & ~frequent,
        }
        self.dropped_ = {
            reason: int(which.sum()) for reason, which in left_out.items() if which.any()
        }
        burden = _burden(X)
        self.burden_ = self.burden and bool(np.fmax.reduce(burden) > np.fmin.reduce(burden))
        self.did_ = f"{int(self.support_.sum())} of {X.shape[1]} genes"
        if self.burden_:
            middle = 2 ** np.nanmedian(burden) - 1
            self.did_ += f", burden of {middle:.3g} in the median training sample"
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the kept genes and, as the last column, the burden."""
        check_is_fitted(self)
        X = self._checked(X)
        kept = X[:, self.support_]
        return np.column_stack([kept, _burden(X)]) if self.burden_ else kept

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the kept genes, and of the burden."""
        names = _check_feature_names_in(self, input_features)[self.support_]
        return np.asarray([*names, *([BURDEN] if self.burden_ else [])], dtype=object)


class GeneValues(OneToOneFeatureMixin, Step):
    """Changes the values of genes, each by itself, and leaves the column ``mutation burden`` alone.

    Attributes
    ----------
    gene_
        Which columns are genes.
    """

    state = ("gene_", "did_")
    feature_state = ("gene_",)
    needs = ("features",)
    per_feature = True

    def fit(self, X: Any, y: None = None, features: Any = None) -> Self:
        """Learn which columns are genes."""
        X = self._checked(X, fitting=True)
        names = [""] * X.shape[1] if features is None else list(features)
        self.gene_ = np.array([name != BURDEN for name in names], dtype=bool)
        self.did_ = self._said(X[:, self.gene_])
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the changed values; NaN stays."""
        check_is_fitted(self)
        X = self._checked(X)
        return np.where(self.gene_, self._changed(X), X)

    @abstractmethod
    def _changed(self, X: np.ndarray) -> np.ndarray:
        """Return the values of genes, changed."""

    @abstractmethod
    def _said(self, X: np.ndarray) -> str:
        """Say what was done to the training values X."""


class BinaryCalls(GeneValues):
    """1 where a gene is mutated (its value is above 0), else 0."""

    def _changed(self, X: np.ndarray) -> np.ndarray:
        return np.where(np.isnan(X), np.nan, X > 0)

    def _said(self, X: np.ndarray) -> str:
        return "mutated or not"


class AlleleFractions(GeneValues):
    """Variant allele fractions, clipped to 0..1."""

    def _changed(self, X: np.ndarray) -> np.ndarray:
        return np.clip(X, 0, 1)

    def _said(self, X: np.ndarray) -> str:
        above = int((X > 1).sum())
        return "allele fractions" + (f" ({above} training values above 1 clipped)" if above else "")


def _burden(X: np.ndarray) -> np.ndarray:
    """Return log2(1 + mutated genes) of each sample, NaN where no call is known."""
    known = (~np.isnan(X)).sum(axis=1)
    mutated = (X > 0).sum(axis=1)
    # Sums of whole numbers: the same bits in whatever order.
    share = np.where(known > 0, mutated / np.maximum(known, 1), np.nan)
    return np.log2(1 + share * X.shape[1])
