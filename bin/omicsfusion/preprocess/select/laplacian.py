"""Step: keep the features that follow the neighbourhoods of the training samples."""

from typing import Any, Self

import numpy as np
from scipy.sparse import csr_array
from sklearn.neighbors import kneighbors_graph

from omicsfusion.preprocess.order_statistics import SortedFeatures
from omicsfusion.preprocess.select.spread import MAX_FEATURES, Selector, best, winsor_limits

NEIGHBOURS = 5


class LaplacianSelector(Selector):
    """Keep the features with the smallest Laplacian score among the training samples.

    He, Cai & Niyogi, NeurIPS 18, 2005, section 2: samples are joined when one is among the nearest
    neighbours of the other, with the weight S = exp(-squared distance / t); with D the row sums of
    S and L = D - S, the score of a feature f, centred to f~ = f - (f' D 1) / (1' D 1), is
    f~' L f~ / f~' D f~. It is small for a feature that is alike in samples that are alike.

    Here distances are those of winsorised, standardised features, t is the mean squared distance of
    the joined pairs, and missing values count as the median.

    Parameters
    ----------
    max_features
        How many to keep at most.
    n_neighbours
        Number of nearest neighbours.

    Attributes
    ----------
    scores_
        Laplacian score of each feature; infinite for a constant one.
    """

    state = (*Selector.state, "scores_")
    feature_state = (*Selector.feature_state, "scores_")

    def __init__(self, max_features: int = MAX_FEATURES, n_neighbours: int = NEIGHBOURS) -> None:
        self.max_features = max_features
        self.n_neighbours = n_neighbours

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn which features to keep."""
        X = self._checked(X, fitting=True)
        median = np.nan_to_num(SortedFeatures.of(X).median())
        filled = np.where(np.isnan(X), median, X)
        self.scores_ = laplacian_scores(filled, neighbourhood(filled, self.n_neighbours))
        support = best((-self.scores_,), self.max_features)
        did = f"smallest Laplacian score, {self.n_neighbours} neighbours of each sample"
        return self._keep(support, {"larger Laplacian score": (~support).sum()}, did)


def neighbourhood(X: np.ndarray, n_neighbours: int) -> csr_array:
    """Return the weights S between samples; without any when there are fewer than two.

    Parameters
    ----------
    X
        Samples x features, no missing values.
    """
    n_neighbours = min(n_neighbours, len(X) - 1)
    if n_neighbours < 1:
        return csr_array((len(X), len(X)))
    ordered = SortedFeatures.of(X)
    low, high = winsor_limits(ordered)
    deviation = np.sqrt(ordered.variance(low, high))
    Z = (np.clip(X, low, high) - ordered.mean()) / np.where(deviation > 0, deviation, 1)
    near = csr_array(kneighbors_graph(Z, n_neighbours, mode="distance"))
    # Twins are at distance 0 and joined none the less: what is stored is what is joined.
    near.data = near.data**2
    width = near.data.mean()
    near.data = np.exp(-near.data / (width if width > 0 else 1))
    return near.maximum(near.T)


def laplacian_scores(X: np.ndarray, S: csr_array) -> np.ndarray:
    """Return the Laplacian score of each feature; infinite for a constant one.

    Parameters
    ----------
    X
        Samples x features, no missing values.
    S
        Weights between samples, symmetric.
    """
    degree = np.asarray(S.sum(axis=1)).ravel()
    if not degree.any():
        return np.full(X.shape[1], np.inf)
    # Centred once more before: weighted means of large values lose digits.
    f = X - X.mean(axis=0)
    f = f - (degree @ f) / degree.sum()
    power = degree @ f**2
    smooth = power - (f * (S @ f)).sum(axis=0)
    varies = (X.max(axis=0) > X.min(axis=0)) & (power > 0)
    return np.where(
        varies, np.divide(smooth, power, out=np.zeros_like(power), where=varies), np.inf
    )
