"""The early network is what it says: one network on all columns and on who is there."""

import numpy as np
import pytest

from omicsfusion.models.families.early import EarlyNetwork
from tests.plain_layers import all_random, dense, multiplied, normed
from tests.small_networks import MEMBERS, ROWS, everything, random_inputs

FEATURES = {"cnv": tuple("abc"), "mirna": tuple("abcd"), "rna": tuple("abcdefgh")}
WIDTHS = {name: len(features) for name, features in FEATURES.items()}


def side_by_side(layers, member: int) -> np.ndarray:
    """Return one matrix for all columns, then a row for each column that says who is there."""
    blocks = [np.asarray(layer.kernel)[member] for layer in layers]
    scaled = [block / np.sqrt(len(block)) for block in blocks]
    return np.concatenate([*scaled, *(np.asarray(layer.bias)[member][None] for layer in layers)])


@pytest.mark.parametrize("hidden", [(6, 5), (6, 5, 4), (6,)])
def test_it_is_one_network_on_the_columns_of_all_layers_and_of_who_is_there(hidden):
    network = all_random(EarlyNetwork(WIDTHS, 2, MEMBERS, hidden=hidden))
    x, present = random_inputs(FEATURES), everything(FEATURES)
    present[0, 1, 2] = present[1, 2, :2] = present[2, 3] = 0
    found = np.asarray(network(x, present))
    for m in range(MEMBERS):
        zeroed = [x[name][m] * present[m, :, [i]].T for i, name in enumerate(WIDTHS)]
        columns = np.concatenate([*zeroed, present[m]], axis=1)
        first, wide = side_by_side(network.first, m), side_by_side(network.wide, m)
        assert columns.shape == (ROWS, sum(WIDTHS.values()) + len(WIDTHS))
        linear = state = normed(columns @ first, network.norm, m)
        for layer in network.products:
            state = multiplied(state, layer, m)
        seen = np.concatenate([linear, state] if network.products else [linear], axis=1)
        expected = dense(seen, network.head.dense, m) + columns @ wide
        np.testing.assert_allclose(found[m], expected, rtol=1e-3, atol=1e-4)
