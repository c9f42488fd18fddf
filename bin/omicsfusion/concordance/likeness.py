"""How well each sample's profile in one layer fits each sample's profile in another."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

from omicsfusion.concordance.feature_pairs import FeaturePairs, choose_pairs
from omicsfusion.concordance.layers import CohortLayer
from omicsfusion.seeds import seed_for

FEWEST_SAMPLES = 20
FEWEST_PAIRS = 10
# Covariances among the chosen features are shrunk this far towards none before they are undone.
# Tried .1 to .8 on five cohorts: flat between .6 and .8, worse below with few samples.
SHRINKAGE = 0.7
MOST_COMPONENTS = 20
# Times that patients are halved. Of 288 samples exchanged in nine pairs of real layers, one halving
# named 138 and the mean of five 182, and small cohorts in order had fewer flags.
HALVINGS = 5
# Features of a layer among which pairs are sought: each halving correlates all with all, twice.
MOST_FEATURES = 2000


@dataclass(frozen=True)
class Likeness:
    """Two layers of a cohort compared.

    Attributes
    ----------
    samples
        Ids of the rows (first layer) and columns (second layer) of ``score``, sorted.
    same_patient
        Whether two samples are of one patient; such are not compared with one another.
    score
        Samples x samples, in standard deviations above the mean of samples of other patients.
    n_pairs
        Pairs of features used, in the half that had fewest.
    """

    samples: tuple[str, ...]
    same_patient: np.ndarray
    score: np.ndarray
    n_pairs: int

    @property
    def own(self) -> np.ndarray:
        """Score of each sample with itself."""
        return self.score.diagonal().copy()

    def others(self) -> np.ndarray:
        """Scores with the samples of other patients; minus infinity for the same patient."""
        return np.where(self.same_patient, -np.inf, self.score)

    @property
    def own_rank(self) -> np.ndarray:
        """1 where no sample of another patient fits better."""
        return 1 + (self.others() > self.own[:, None]).sum(axis=1)

    @property
    def auc(self) -> float:
        """Probability that a sample fits itself better than it fits one of another patient."""
        others = self.others()
        below = (others < self.own[:, None]) & ~self.same_patient
        equal = others == self.own[:, None]
        n = np.maximum((~self.same_patient).sum(axis=1), 1)
        return float(((below.sum(axis=1) + equal.sum(axis=1) / 2) / n).mean())


def compare(
    one: CohortLayer, two: CohortLayer, patients: dict[str, str], seed: int
) -> Likeness | None:
    """Score how well each sample of one layer fits each of another.

    After Yoo et al. (PLoS Comput. Biol. 10, 2014, e1003790: similarity of profiles over correlated
    pairs of features) and Westra et al. (Bioinformatics 27, 2011, 2104-2111), with three additions.
    *Cross-fitting*: patients are halved by hashed name; pairs of features, covariances and weights
    are learnt in one half and score the samples of the other, so that no sample is judged by what
    it taught; the scores of ``HALVINGS`` halvings are averaged. *Decorrelation*: the chosen
    features are multiplied by the inverse square root of their shrunk covariance, so that 50 genes
    of one pathway do not count 50 times. *Two views*: the correlation over pairs, weighted by their
    squared correlations, and the correlation over the first ``MOST_COMPONENTS`` canonical variates
    of the decorrelated features (Hotelling, Biometrika 28, 1936, 321-377); their mean is taken. The
    score is Fisher's z of it, standardised by row and by column over samples of other patients,
    since some samples look like many.

    Parameters
    ----------
    one, two
        Two layers of one cohort.
    patients
        Of each sample.
    seed
        The run's seed.

    Returns
    -------
    None when fewer than ``FEWEST_SAMPLES`` samples have both layers, or a half of them shows fewer
    than ``FEWEST_PAIRS`` correlated pairs.
    """
    samples = sorted(set(one.samples) & set(two.samples))
    patient = np.array([patients[sample] for sample in samples])
    if len(samples) < FEWEST_SAMPLES or len(set(patient)) < FEWEST_SAMPLES:
        return None
    same = patient[:, None] == patient
    one, two = one.foremost(MOST_FEATURES), two.foremost(MOST_FEATURES)
    scores, n_pairs = [], []
    for halving in range(HALVINGS):
        half = _half_of(patient, seed, halving)
        similarity, n = _cross_fitted(one, two, samples, half)
        if n < FEWEST_PAIRS:
            return None
        scores.append(_standardised(similarity, same))
        n_pairs.append(n)
    score = np.mean(scores, axis=0)
    return Likeness(tuple(samples), same, score / score[~same].std(), min(n_pairs))


def _cross_fitted(
    one: CohortLayer, two: CohortLayer, samples: Sequence[str], half: np.ndarray
) -> tuple[np.ndarray, int]:
    """Return the similarity of all samples, and how many pairs of features showed it."""
    A, B = one.rows_of(samples), two.rows_of(samples)
    similarity = np.zeros((len(samples), len(samples)))
    n_pairs = []
    for part in (0, 1):
        judged = half == part
        pairs = choose_pairs(one, two, A[~judged], B[~judged])
        n_pairs.append(len(pairs))
        if len(pairs) >= FEWEST_PAIRS:
            similarity[judged] = _similarity(A, B, pairs, learn=~judged)[judged]
    return similarity, min(n_pairs)


def _half_of(patient: np.ndarray, seed: int, halving: int) -> np.ndarray:
    """Deal patients into two halves in the order of their hashed names."""
    hashed = {name: seed_for(seed, "concordance", halving, name) for name in patient}
    names = sorted(hashed, key=lambda name: (hashed[name], name))
    half = {name: position % 2 for position, name in enumerate(names)}
    return np.array([half[name] for name in patient])


def _similarity(A: np.ndarray, B: np.ndarray, pairs: FeaturePairs, learn: np.ndarray) -> np.ndarray:
    """Mean of the two correlations between all samples, with what the samples ``learn`` teach."""
    a = _scores_by_half(A[:, pairs.first], learn)
    b = _scores_by_half(B[:, pairs.second], learn) * np.sign(pairs.rho)
    a, b = a @ _decorrelation(a[learn]), b @ _decorrelation(b[learn])
    cross = a[learn].T @ b[learn] / learn.sum()
    lengths = np.sqrt(np.square(a[learn]).mean(axis=0) * np.square(b[learn]).mean(axis=0))
    # Squared correlations; a pair that decorrelation has turned round weighs nothing.
    weight = np.square(np.maximum(cross.diagonal() / np.maximum(lengths, 1e-12), 0))
    U, strength, V = np.linalg.svd(cross)
    views = [
        (a * np.sqrt(weight), b * np.sqrt(weight)),
        (_first(a @ U * np.sqrt(strength)), _first(b @ V.T * np.sqrt(strength))),
    ]
    return np.mean([_rows(x) @ _rows(y).T for x, y in views], axis=0)


def _scores_by_half(X: np.ndarray, learn: np.ndarray) -> np.ndarray:
    """Score each half by itself.

    Scored together, the means of the halves would be opposite, in each feature of either layer, so
    that samples of one half would look alike whatever they are (measured: AUC .60 for noise).
    """
    Z = np.empty(X.shape)
    for half in (learn, ~learn):
        Z[half] = normal_scores(X[half])
    return Z


def _first(X: np.ndarray) -> np.ndarray:
    return X[:, :MOST_COMPONENTS]


def _rows(X: np.ndarray) -> np.ndarray:
    """Scale each row to length 1."""
    length = np.sqrt(np.square(X).sum(axis=1, keepdims=True))
    return X / np.maximum(length, 1e-12)


def normal_scores(X: np.ndarray) -> np.ndarray:
    """Replace values by the normal quantiles of their ranks (van der Waerden, 1952).

    Returns
    -------
    Samples x features with mean 0 and standard deviation 1; a missing value is 0.
    """
    known = ~np.isnan(X)
    n = np.maximum(known.sum(axis=0), 1)
    R = rankdata(X, axis=0, nan_policy="propagate" if known.all() else "omit")
    Z = np.where(known, ndtri((R - 0.5) / n), 0)
    Z = np.where(known, Z - Z.sum(axis=0) / n, 0)
    sd = np.sqrt(np.square(Z).mean(axis=0))
    return Z / np.where(sd > 1e-9, sd, np.inf)


def _decorrelation(X: np.ndarray) -> np.ndarray:
    """Inverse square root of the covariance, shrunk towards the identity."""
    own = X.T @ X / len(X)
    values, vectors = np.linalg.eigh((1 - SHRINKAGE) * own + SHRINKAGE * np.eye(X.shape[1]))
    return (vectors / np.sqrt(values)) @ vectors.T


def _standardised(similarity: np.ndarray, same: np.ndarray) -> np.ndarray:
    z = np.arctanh(np.clip(similarity, -0.999999, 0.999999))
    strangers = np.where(same, np.nan, z)
    by_row = (z - np.nanmean(strangers, axis=1, keepdims=True)) / _sd(strangers, axis=1)
    by_column = (z - np.nanmean(strangers, axis=0, keepdims=True)) / _sd(strangers, axis=0)
    return (by_row + by_column) / 2


def _sd(X: np.ndarray, axis: int) -> np.ndarray:
    return np.maximum(np.nanstd(X, axis=axis, keepdims=True), 1e-12)


def layer_pairs(layers: Sequence[CohortLayer]) -> list[tuple[CohortLayer, CohortLayer]]:
    """List the pairs of layers of each cohort, sorted by cohort and names."""
    return [
        (one, two)
        for one in layers
        for two in layers
        if one.cohort == two.cohort and one.layer < two.layer
    ]
