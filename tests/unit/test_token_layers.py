"""The transformer's parts agree with plain numpy and leave out tokens that are not there."""

import numpy as np
import pytest

from omicsfusion.models.layers import NORM_FLOOR
from omicsfusion.models.tokens import AttentionPool, TokenBlock, attention

MEMBERS, BATCH, TOKENS, WIDTH, HEADS = 2, 3, 5, 6, 2


def random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def with_random_weights(layer, *shapes):
    layer.build(*shapes)
    rng = np.random.default_rng(5)
    for variable in layer.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    return layer


def some_here() -> np.ndarray:
    here = np.ones((MEMBERS, BATCH, TOKENS), bool)
    here[0, 1, [0, 3]] = here[1, 2, 4] = False
    return here


def softmax(score: np.ndarray) -> np.ndarray:
    shares = np.exp(score - score.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def normed(x: np.ndarray, norm, member: int) -> np.ndarray:
    centred = x - x.mean(axis=-1, keepdims=True)
    unit = centred / np.sqrt(centred.var(axis=-1, keepdims=True) + NORM_FLOOR)
    return unit * np.asarray(norm.gamma)[member] + np.asarray(norm.beta)[member]


def dense(x: np.ndarray, layer, member: int) -> np.ndarray:
    kernel = np.asarray(layer.kernel)[member]
    return x @ kernel / np.sqrt(len(kernel)) + np.asarray(layer.bias)[member]


def test_attention_is_a_softmax_over_the_keys_that_are_here():
    query, key, value = (random(MEMBERS, BATCH, TOKENS, HEADS, 3, seed=s) for s in range(3))
    here = some_here()
    found = np.asarray(attention(query[:, :, :2], key, value, here))
    assert found.shape == (MEMBERS, BATCH, 2, HEADS, 3)
    for m, b, q, h in np.ndindex(found.shape[:4]):
        kept = here[m, b]
        share = softmax(key[m, b, kept, h] @ query[m, b, q, h] / np.sqrt(3))
        np.testing.assert_allclose(
            found[m, b, q, h], share @ value[m, b, kept, h], rtol=1e-4, atol=1e-5
        )


def test_attention_to_nothing_is_zero():
    tokens = random(MEMBERS, BATCH, TOKENS, HEADS, 3)
    nothing = np.zeros((MEMBERS, BATCH, TOKENS), bool)
    assert not np.asarray(attention(tokens, tokens, tokens, nothing)).any()


def test_a_block_agrees_with_numpy():
    tokens, here = random(MEMBERS, BATCH, TOKENS, WIDTH), some_here()
    block = with_random_weights(TokenBlock(WIDTH, HEADS, MEMBERS), tokens.shape)
    found = np.asarray(block(tokens, here))
    for m, b in np.ndindex(MEMBERS, BATCH):
        x, kept = tokens[m, b], here[m, b]
        seen = dense(normed(x, block.norms[0], m), block.seen, m)
        query, key, value = np.split(seen, 3, axis=1)
        heads = []
        for h in range(HEADS):
            part = slice(h * WIDTH // HEADS, (h + 1) * WIDTH // HEADS)
            score = query[:, part] @ key[kept, part].T / np.sqrt(WIDTH // HEADS)
            heads.append(softmax(score) @ value[kept, part])
        x = x + dense(np.concatenate(heads, axis=1), block.mixed, m)
        hidden = np.maximum(dense(normed(x, block.norms[1], m), block.hidden, m), 0)
        expected = x + dense(hidden, block.out, m)
        np.testing.assert_allclose(found[m, b], expected, rtol=1e-3, atol=1e-4)


def test_pooling_agrees_with_numpy():
    tokens, here = random(MEMBERS, BATCH, TOKENS, WIDTH), some_here()
    pool = with_random_weights(AttentionPool(3, MEMBERS), tokens.shape)
    found = np.asarray(pool(tokens, here))
    query = np.asarray(pool.kernel)
    for m, b in np.ndindex(MEMBERS, BATCH):
        seen = normed(tokens[m, b, here[m, b]], pool.norm, m)
        share = softmax(query[m] @ seen.T / np.sqrt(WIDTH))
        np.testing.assert_allclose(found[m, b], (share @ seen).ravel(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layer", [TokenBlock(WIDTH, HEADS, MEMBERS), AttentionPool(3, MEMBERS)])
def test_tokens_that_are_not_here_change_nothing_of_the_others(layer):
    tokens, here = random(MEMBERS, BATCH, TOKENS, WIDTH), some_here()
    layer = with_random_weights(layer, tokens.shape)
    before = np.asarray(layer(tokens, here))
    changed = np.where(here[..., None], tokens, 1e4).astype(np.float32)
    after = np.asarray(layer(changed, here))
    if before.ndim == 4:
        before, after = before[here], after[here]
    np.testing.assert_array_equal(after, before)
