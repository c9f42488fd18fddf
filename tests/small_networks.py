"""Networks of a few features, with weights as training begins with them, for tests of families."""

from collections.abc import Mapping, Sequence

import numpy as np

from omicsfusion.models.dealing import Member
from omicsfusion.models.family import FusionNetwork
from omicsfusion.models.heads.base import weighted_mean
from omicsfusion.models.optimiser import initial_weights
from omicsfusion.models.settings import DEFAULTS
from omicsfusion.models.trained import Trained
from omicsfusion.models.training import Table, Trainer
from omicsfusion.seeds import seed_for

Features = Mapping[str, Sequence[str]]

MEMBERS, ROWS = 3, 5
DRAW = {"seed": np.array([(1, 0), (2, 0), (3, 0)], np.uint32)}


def begun(network: FusionNetwork, features: Features) -> FusionNetwork:
    """Give a network all members of which have these features the weights that it begins with.

    Weights that begin at zero get numbers, too: nothing that comes before them would be seen. Those
    of columns of padding stay zero.
    """
    network.build()
    for variable, value in zip(
        network.non_trainable_variables, network.constants(features, DEFAULTS), strict=True
    ):
        variable.assign(np.stack([value] * network.members))
    seeds = range(4, 4 + network.members)
    for variable, values in zip(
        network.trainable_variables, initial_weights(network, list(seeds)), strict=True
    ):
        if variable.name in ("bias", "constant"):
            rng = np.random.default_rng(seed_for(2, variable.path))
            values = values + 0.3 * rng.normal(size=values.shape[1:])
        variable.assign(values)
    wide = zip(features.values(), network.wide, strict=True)
    for layer, used in [
        (network.head.dense, None),
        *((dense, len(names)) for names, dense in wide),
    ]:
        values = np.random.default_rng(1).normal(size=layer.kernel.shape[1:])
        values[used:] *= used is None
        layer.kernel.assign(np.stack([values] * network.members))
    return network


def random_inputs(features: Features, members: int = MEMBERS) -> dict[str, np.ndarray]:
    """Draw ``x``, without columns of padding."""
    rng = np.random.default_rng(1)
    return {
        name: rng.normal(size=(members, ROWS, len(names))).astype(np.float32)
        for name, names in features.items()
    }


def padded(x: Mapping[str, np.ndarray], widths: Mapping[str, int]) -> dict[str, np.ndarray]:
    """Add columns of zeros."""
    return {
        name: np.pad(values, ((0, 0), (0, 0), (0, widths[name] - values.shape[2])))
        for name, values in x.items()
    }


def everything(features: Features) -> np.ndarray:
    """Return ``present`` of samples that have all layers."""
    return np.ones((MEMBERS, ROWS, len(features)), np.float32)


def trained_together(
    network: FusionNetwork, *groups: Mapping[int, Features]
) -> list[list[Trained]]:
    """Train the members of each group (seed -> its features), one group after the other.

    All see the same 40 samples, some of which lack layers.
    """
    rng = np.random.default_rng(3)
    x = {
        name: rng.normal(size=(40, width)).astype(np.float32)
        for name, width in network.widths.items()
    }
    present = (rng.random((40, len(x))) < 0.8).astype(np.float32)
    table = Table(x, present, x["rna"][:, :1], np.ones(40, np.float32))
    trainer = Trainer(network, _squared_error, batch_rows=16, stop_rows=8, max_steps=2)

    def member(seed: int, features: Features) -> Member:
        return Member(
            seed=seed,
            train=np.arange(32),
            stop=np.arange(32, 40),
            strata=np.zeros(32),
            stops=False,
            settings=DEFAULTS,
            constants=network.constants(features, DEFAULTS),
        )

    return [trainer.train(table, [member(*own) for own in group.items()]) for group in groups]


def require_same_alone(network: FusionNetwork, features: Features, fewer: Features) -> None:
    """Fail unless a member is the same alone as among others that have fewer features.

    ``training.EPOCHS_WITHOUT_STOP`` is 1: rounding grows with every further epoch.
    """
    crowd = {1: fewer, 7: features, 2: fewer}
    (_, among, _), (alone,) = trained_together(network, crowd, {7: features})
    assert len(alone.curve) == 1
    np.testing.assert_allclose(alone.curve, among.curve, rtol=1e-5)
    for one, other in zip(alone.weights, among.weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def _squared_error(outputs, target, weight, settings):
    return weighted_mean((outputs[..., 0] - target[..., 0]) ** 2, weight)
