"""The structures among which tuning chooses: each can be built, computes, and is kept as it is."""

import numpy as np
import pytest

from omicsfusion.models.families import attention, autoencoder, early, fused, tensor, vae
from tests.small_networks import MEMBERS, everything, random_inputs

FEATURES = {"mirna": tuple("abcd"), "rna": tuple("abcdefgh")}
FAMILIES = {
    attention.AttentionNetwork: attention.STRUCTURES,
    autoencoder.AutoencoderNetwork: autoencoder.STRUCTURES,
    early.EarlyNetwork: early.STRUCTURES,
    fused.FusedNetwork: fused.STRUCTURES,
    tensor.TensorNetwork: tensor.STRUCTURES,
    vae.VariationalNetwork: vae.STRUCTURES,
}
CASES = [
    pytest.param(network, given, id=f"{network.family}-{name}")
    for network, structures in FAMILIES.items()
    for name, given in structures.items()
]


@pytest.mark.parametrize(("network", "given"), CASES)
def test_a_structure_computes_and_is_built_again_from_its_config(network, given):
    widths = {name: len(features) for name, features in FEATURES.items()}
    built = network(widths, units=2, members=MEMBERS, **given)
    built.build()
    rng = np.random.default_rng(1)
    built.set_weights([rng.uniform(0.1, 0.5, w.shape).astype(w.dtype) for w in built.get_weights()])
    x, present = random_inputs(FEATURES), everything(FEATURES)
    outputs = np.asarray(built(x, present))
    assert np.isfinite(outputs).all()
    again = network.from_config(built.get_config())
    again.build()
    again.set_weights(built.get_weights())
    np.testing.assert_array_equal(again(x, present), outputs)


@pytest.mark.parametrize("network", FAMILIES, ids=lambda network: network.family)
def test_structures_differ_from_the_default_which_is_that_of_the_network(network):
    structures = dict(FAMILIES[network])
    assert structures.pop("default") == {}
    widths = {name: len(features) for name, features in FEATURES.items()}
    default = network(widths, units=2, members=MEMBERS).get_config()
    configs = [
        network(widths, units=2, members=MEMBERS, **given).get_config()
        for given in structures.values()
    ]
    assert configs
    assert all(config != default for config in configs)
