"""Gaussian experts: their product, and how far a Gaussian is from the standard normal."""

from omicsfusion.models.backend import Tensor, keras

ops = keras.ops

Gaussian = tuple[float, float]
"""Mean and variance."""

STANDARD_NORMAL: Gaussian = (0.0, 1.0)


def product_of_experts(
    mean: Tensor, variance: Tensor, present: Tensor, prior: Gaussian | None = None
) -> tuple[Tensor, Tensor]:
    """Multiply the densities of Gaussian experts, and normalise.

    Cao and Fleet, arXiv:1410.7827, section 2: the precisions (1 / variance) add up, and the mean is
    that of the experts, each weighed by its precision. One expert without a prior is returned as it
    is. The prior of a latent is one more expert, who is always there (Wu and Goodman, NeurIPS 2018,
    section 2).

    Parameters
    ----------
    mean, variance
        … x experts x latent, variances above 0.
    present
        … x experts, 1 where the expert is there. The others take no part, as long as they are
        finite.
    prior
        Mean and variance of one expert more; without it, at least one expert must be there.

    Returns
    -------
    Mean and variance, … x latent.
    """
    precision = ops.where(present[..., None] > 0, 1.0 / variance, 0.0)
    total, weighed = ops.sum(precision, axis=-2), ops.sum(precision * mean, axis=-2)
    if prior is not None:
        total, weighed = total + 1.0 / prior[1], weighed + prior[0] / prior[1]
    return weighed / total, 1.0 / total


def divergence_from_normal(mean: Tensor, variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence of N(mean, variance) from N(0, 1), summed over the last axis.

    In nats (Kingma and Welling, ICLR 2014, appendix B).
    """
    of_each = 0.5 * (variance + ops.square(mean) - 1.0 - ops.log(variance))
    return ops.sum(of_each, axis=-1)
