"""The attention network attends to the layers that are there, and to no other."""

import numpy as np

from omicsfusion.models.families.attention import AttentionNetwork
from tests.plain_layers import all_random, dense, encoded, multiplied, normed
from tests.small_networks import MEMBERS, everything, random_inputs

HIDDEN, HEADS = 6, 2
FEATURES = {"cnv": tuple("abc"), "mirna": tuple("abcd"), "rna": tuple("abcdefgh")}
WIDTHS = {name: len(features) for name, features in FEATURES.items()}


def softmax(score: np.ndarray) -> np.ndarray:
    shares = np.exp(score - score.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def block_of(tokens: np.ndarray, block, m: int) -> np.ndarray:
    """Compute what a block makes of tokens x width."""
    query, key, value = np.split(dense(normed(tokens, block.norms[0], m), block.seen, m), 3, axis=1)
    read = []
    for part in np.split(np.arange(HIDDEN), HEADS):
        share = softmax(query[:, part] @ key[:, part].T / np.sqrt(len(part)))
        read.append(share @ value[:, part])
    tokens = tokens + dense(np.concatenate(read, axis=1), block.mixed, m)
    hidden = np.maximum(dense(normed(tokens, block.norms[1], m), block.hidden, m), 0)
    return tokens + dense(hidden, block.out, m)


def test_it_agrees_with_dense_attention_over_the_layers_that_are_there():
    network = all_random(
        AttentionNetwork(WIDTHS, 2, MEMBERS, hidden=HIDDEN, heads=HEADS, depth=2, queries=3)
    )
    x, present = random_inputs(FEATURES), everything(FEATURES)
    present[0, 1, 2] = present[1, 2, :2] = present[2, 3, 1] = 0
    found = np.asarray(network(x, present))
    for m, b in np.ndindex(present.shape[:2]):
        there = np.flatnonzero(present[m, b])
        rows = {i: x[list(FEATURES)[i]][m, b][None] for i in there}
        tokens = np.concatenate([encoded(rows[i], network.encoders[i], m) for i in there])
        tokens = tokens + np.asarray(network.embedding.kernel)[m, there]
        for block in network.blocks:
            tokens = block_of(tokens, block, m)
        seen = normed(tokens, network.pool.norm, m)
        pooled = softmax(np.asarray(network.pool.kernel)[m] @ seen.T / np.sqrt(HIDDEN)) @ seen
        hidden = multiplied(pooled.reshape(1, -1), network.products, m)
        wide = sum(dense(rows[i], network.wide[i], m) for i in there)
        expected = dense(hidden, network.head.dense, m) + wide
        np.testing.assert_allclose(found[m, b], expected[0], rtol=1e-3, atol=1e-3)
