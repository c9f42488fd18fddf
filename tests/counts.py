"""Invented counts of genes and of genera, and the steps that normalise them."""

import numpy as np

from omicsfusion.preprocess.normalise.composition import (
    AdditiveLogRatio,
    CentredLogRatio,
    IsometricLogRatio,
    RelativeAbundance,
)
from omicsfusion.preprocess.normalise.library_size import CountsPerMillion, UpperQuartile
from omicsfusion.preprocess.normalise.median_of_ratios import MedianOfRatios
from omicsfusion.preprocess.normalise.tmm import TrimmedMean
from omicsfusion.preprocess.normalise.tpm import TranscriptsPerMillion
from omicsfusion.preprocess.normalise.vst import VarianceStabiliser

OF_GENES = (
    CountsPerMillion,
    UpperQuartile,
    TrimmedMean,
    TranscriptsPerMillion,
    MedianOfRatios,
    VarianceStabiliser,
)
RATIOS = (CentredLogRatio, IsometricLogRatio, AdditiveLogRatio)
OF_GENERA = (*RATIOS, RelativeAbundance)
N_GENES = 90
N_GENERA = 40


def draw_genes(n: int, seed: int, zeros: float = 0.0) -> np.ndarray:
    """Negative binomial counts: always the same means, samples of uneven depth."""
    expression = np.exp(np.random.default_rng(99).normal(5, 1.5, size=N_GENES))
    rng = np.random.default_rng(seed)
    mean = expression * np.exp(rng.normal(0, 0.5, size=(n, 1)))
    X = rng.negative_binomial(5, 5 / (5 + mean)).astype(float) + (zeros == 0)
    return np.where(rng.random(X.shape) < zeros, 0, X)


def draw_genera(n: int, seed: int) -> np.ndarray:
    """Genus counts: always the same mean shares, half of the values 0, samples of uneven depth."""
    log_shares = np.random.default_rng(99).normal(0, 2, size=N_GENERA)
    rng = np.random.default_rng(seed)
    shares = np.exp(log_shares + rng.normal(0, 1, size=(n, N_GENERA)))
    shares /= shares.sum(axis=1, keepdims=True)
    X = rng.poisson(shares * rng.uniform(300, 3000, size=(n, 1))).astype(float)
    X[:, 0] += 50
    return X
