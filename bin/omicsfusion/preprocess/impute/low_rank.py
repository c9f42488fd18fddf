"""Step: fill in missing values by a few components that all features share."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh
from sklearn.utils.extmath import randomized_svd

from omicsfusion.preprocess.impute.median import Filler, ScaledImputer

MAX_ROUNDS = 50
# Largest share by which the squared error at known values still changes when the fit has settled.
SETTLED = 1e-4
# Beyond, the exact decomposition of the smaller side takes longer than a second.
EXACT_SIDE = 1000
# Keeps the equations of a sample with fewer known values than components solvable.
LEAST_PENALTY = 1e-8


class LowRankImputer(ScaledImputer):
    """Regularised low-rank model: values are scores times components that training samples share.

    Training: missing values start at the mean; then the filled-in matrix is replaced, at the
    missing places, by its first components with their singular values shrunk by the noise, until
    the fit settles (the regularised iterative PCA of Josse & Husson 2016, equations 2 and 3; an
    SVDimpute, Troyanskaya et al. 2001, that does not fit noise). Mean and scale stay those of the
    known values. A new sample: ridge regression of its known values on the components, each
    penalised by noise variance / variance of its scores, which is the conditional mean under
    probabilistic PCA (Tipping & Bishop 1999).

    Parameters
    ----------
    rank
        Number of components; fewer where there are fewer samples or features.

    Attributes
    ----------
    components_
        Features x rank, orthonormal columns.
    penalty_
        Of each component.
    noise_
        Variance of a scaled value around the model.
    n_rounds_
        Rounds until the fit settled.

    References
    ----------
    Troyanskaya et al., Bioinformatics 17:520, 2001. Josse & Husson, J. Stat. Softw. 70(1), 2016.
    Tipping & Bishop, J. R. Stat. Soc. B 61:611, 1999.
    """

    state = (*ScaledImputer.state, "components_", "penalty_", "noise_", "n_rounds_")

    def __init__(self, rank: int = 10) -> None:
        self.rank = rank

    def _learn(self, X: np.ndarray, Z: np.ndarray) -> None:
        missing = np.isnan(Z)
        filled = np.nan_to_num(Z)
        # One degree of freedom at least is left for the noise.
        rank = max(0, min(self.rank, len(Z) - 2, Z.shape[1] - 1))
        model = decompose(filled, rank)
        error = np.inf
        self.n_rounds_ = 1
        while missing.any() and rank and self.n_rounds_ < MAX_ROUNDS:
            fitted = model.fitted()
            before, error = error, float(((filled - fitted)[~missing] ** 2).sum())
            filled[missing] = fitted[missing]
            model = decompose(filled, rank)
            self.n_rounds_ += 1
            if abs(before - error) <= SETTLED * error:
                break
        self.components_ = model.components
        self.noise_ = model.noise
        self.penalty_ = np.maximum(model.noise / model.signal, LEAST_PENALTY)

    def _said(self) -> str:
        return (
            f"{self.components_.shape[1]} components in {self.n_rounds_} rounds, "
            f"noise variance {self.noise_:.2f} of 1"
        )

    def _filler(self) -> Filler:
        def fill(sample: np.ndarray, missing: np.ndarray) -> np.ndarray:
            known = ~np.isnan(sample)
            components = self.components_[known]
            # No matrix product of BLAS: its rounding may hang on the number of threads.
            gram = np.einsum("fi,fj->ij", components, components)
            gram[np.diag_indices_from(gram)] += self.penalty_
            score = np.linalg.solve(gram, np.einsum("fi,f->i", components, sample[known]))
            return np.einsum("fi,i->f", self.components_[missing], score)

        return fill


@dataclass(frozen=True)
class LowRank:
    """First components of samples x features.

    Attributes
    ----------
    scores
        Samples x components, their singular values in them.
    components
        Features x components, orthonormal.
    shrinkage
        By what each component's scores are multiplied, 0 to 1.
    signal
        Variance of each component's scores without noise, positive.
    noise
        Variance of a value around the model.
    """

    scores: np.ndarray
    components: np.ndarray
    shrinkage: np.ndarray
    signal: np.ndarray
    noise: float

    def fitted(self) -> np.ndarray:
        """Return samples x features as the shrunk components have them."""
        return (self.scores * self.shrinkage) @ self.components.T


def decompose(Z: np.ndarray, rank: int) -> LowRank:
    """Take the first components of a complete matrix, and the noise (Josse & Husson 2016, eq. 3).

    The noise variance is the residual sum of squares over its degrees of freedom,
    (n - 1) p - (n - 1) k - p k + k^2 for k components.
    """
    n, p = Z.shape
    scores, components = leading(Z, rank)
    variance = (scores**2).sum(axis=0) / n
    rest = max(float((Z**2).sum()) / n - float(variance.sum()), 0.0)
    noise = n * rest / max((n - 1) * p - (n - 1) * rank - p * rank + rank**2, 1)
    # What noise alone adds to the variance of a component.
    of_noise = noise * p / max(min(p, n - 1), 1)
    signal = np.maximum(variance - of_noise, 0)
    shrinkage = signal / np.where(variance > 0, variance, 1)
    # A component of noise alone gets a penalty that no data outweigh.
    floor = np.finfo(np.float64).eps * max(float(variance.max(initial=0)), 1)
    noise = max(noise, floor)
    return LowRank(scores, components, shrinkage, np.maximum(signal, floor), noise)


def leading(Z: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """Return scores (samples x rank) and orthonormal components (features x rank).

    Exact, from the smaller side's matrix of products; by Halko's randomised range finder (SIAM
    Rev. 53:217, 2011; fixed seed) where both sides are longer than 1,000.
    """
    n, p = Z.shape
    if min(n, p) > EXACT_SIDE:
        left, size, right = randomized_svd(Z, rank, n_iter=7, random_state=0)
        return left * size, np.ascontiguousarray(right.T)
    products = Z @ Z.T if n <= p else Z.T @ Z
    side = len(products)
    if rank == 0:
        return np.empty((n, 0)), np.empty((p, 0))
    size, vectors = eigh(products, subset_by_index=(side - rank, side - 1))
    size, vectors = np.sqrt(np.maximum(size[::-1], 0)), vectors[:, ::-1]
    if n > p:
        return Z @ vectors, np.ascontiguousarray(vectors)
    real = size > size[0] * 1e-7
    components = (Z.T @ vectors) / np.where(real, size, np.inf)
    return vectors * np.where(real, size, 0), np.ascontiguousarray(components)
