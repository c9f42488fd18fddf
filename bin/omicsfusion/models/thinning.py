"""Monte Carlo dropout: what networks say of which some units are left out, on average.

Gal and Ghahramani, ICML 2016, section 4: the mean over networks thinned by dropout approximates
that over what a Bayesian believes of the weights. A mask belongs to a thinned network and not to a
sample, so that a prediction does not hang on the samples beside it. Omics layers are not hidden,
and features get no noise: these are for training.
"""

from collections.abc import Callable

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.random_bits import THINNED, Draw

ops = keras.ops


def thinned_outputs(
    outputs: Callable[[Draw | None], Tensor], seeds: Tensor, networks: int
) -> Tensor:
    """Return what each member says, or, if there are any, what its thinned networks say.

    Parameters
    ----------
    outputs
        ``outputs(draw)``: members x batch x units.
    seeds
        uint32, members: of the random numbers of each.
    networks
        Thinned networks of each member; 0: the whole one.

    Returns
    -------
    (members * networks) x batch x units, those of one member side by side.
    """
    if not networks:
        return outputs(None)

    def of_network(number: Tensor) -> Tensor:
        return outputs({THINNED: ops.stack([seeds, ops.zeros_like(seeds) + number], axis=1)})

    found = ops.map(of_network, ops.cast(ops.arange(networks, dtype="int32"), "uint32"))
    _, members, batch, units = found.shape
    return ops.reshape(
        ops.swapaxes(found, 0, 1), (members * networks, -1 if batch is None else batch, units)
    )
