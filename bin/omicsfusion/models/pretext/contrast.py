"""The contrastive loss: layers of one sample must look more alike than layers of two."""

from itertools import combinations

from omicsfusion.models.backend import Tensor, keras

ops = keras.ops

TEMPERATURE = 0.1
"""Of the softmax over samples, in units of the cosine; as in Chen et al., ICML 2020."""
FAR = -1e9


def cross_entropy(one: Tensor, other: Tensor, both: Tensor, temperature: float) -> Tensor:
    """Minus the log probability with which each sample's ``one`` finds its own ``other``.

    -log(exp(one_i . other_i / T) / sum over j of exp(one_i . other_j / T)): InfoNCE (van den Oord
    et al., arXiv:1807.03748, equation 4).

    Parameters
    ----------
    one, other
        members x batch x units, each row of length one.
    both
        members x batch, 1 where the sample has both: no other takes part.

    Returns
    -------
    members x batch; means nothing where a sample has not both.
    """
    logits = ops.einsum("mid,mjd->mij", one, other) / temperature
    logits = ops.where(both[:, None, :] > 0, logits, FAR)
    own = ops.sum(one * other, axis=-1) / temperature
    return ops.logsumexp(logits, axis=-1) - own


def contrastive_loss(views: Tensor, here: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """Average the cross-entropy over all pairs of layers, both ways, and the samples with both.

    Of two layers it is the loss of CLIP (Radford et al., ICML 2021, figure 3).

    Parameters
    ----------
    views
        members x batch x layers x units: unit vectors.
    here
        members x batch x layers: 1 where the sample has the layer and takes part.

    Returns
    -------
    members; 0 where no sample has two layers.
    """
    total, count = 0.0, 0.0
    for i, j in combinations(range(views.shape[2]), 2):
        one, other, both = views[:, :, i], views[:, :, j], here[:, :, i] * here[:, :, j]
        ways = cross_entropy(one, other, both, temperature)
        ways = 0.5 * (ways + cross_entropy(other, one, both, temperature))
        total = total + ops.sum(ops.where(both > 0, ways, 0.0), axis=-1)
        count = count + ops.sum(both, axis=-1)
    return total / ops.maximum(count, 1.0)
