"""Ordered classes: one score of a sample, cut into classes by ordered cut-points."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.family import FusionNetwork
from omicsfusion.models.heads.above import NetworkAbove
from omicsfusion.models.heads.base import Build
from omicsfusion.models.heads.classes import SoftmaxHead
from omicsfusion.models.layers import register
from omicsfusion.models.random_bits import Draw
from omicsfusion.tables.outcome import Outcome

ops = keras.ops

SMALLEST_GAP = 1e-3
"""Least distance of two cut-points: no class between them may vanish, its log would be infinite."""


class OrdinalHead(SoftmaxHead):
    """Probabilities of ordered classes by proportional odds, under balanced class weights.

    McCullagh, Journal of the Royal Statistical Society B 42, 1980, section 2: the probability of
    the k lowest classes is sigmoid(cut_k - score). The cut-points hang on no feature. The network
    gives the score, :class:`OrderedClasses` makes of it the log probabilities of the classes, and
    all else is as for classes without an order.
    """

    def __init__(self, outcome: Outcome, order: Sequence[str]) -> None:
        super().__init__(outcome)
        self.ranks = [list(order).index(name) for name in outcome.classes]
        self.setting = f"ordered classes ({' < '.join(order)}), {SoftmaxHead.setting}"

    def completed(self, build: Build) -> Build:
        """Return how to build a network with one output and the cut-points above it."""

        def with_cuts(widths: Mapping[str, int], units: int, members: int) -> FusionNetwork:
            return OrderedClasses(build(widths, 1, members), self.ranks)

        return with_cuts


@register
class OrderedClasses(NetworkAbove):
    """A network with one output, the score, and above it the log probabilities of ordered classes.

    ::

        x_rna, x_cnv, x_… ──► network ──► score ──► cuts ──► log p of each class

    Parameters
    ----------
    network
        Its output is members x batch x 1.
    ranks
        For each class, in the order of the outputs, its place from the lowest (0) up.
    """

    def __init__(self, network: FusionNetwork, ranks: Sequence[int], **kwargs: Any) -> None:
        super().__init__(network, len(ranks), name=kwargs.pop("name", "ordered"), **kwargs)
        self.ranks = list(ranks)

    def build(self, *shapes: Any) -> None:
        if not self.network.built:
            self.network.build()
        start = first_steps(self.units)
        self.steps = self.add_weight(
            name="steps",
            shape=(self.members, len(start)),
            initializer=lambda shape, dtype: ops.broadcast_to(ops.cast(start, dtype), shape),
        )
        self.built = True

    def call(self, x: Mapping[str, Tensor], present: Tensor, draw: Draw | None = None) -> Tensor:
        """Compute log probabilities, members x batch x classes (see ``FusionNetwork``)."""
        score = self.network(x, present, draw)
        return ops.take(ordered_log_probabilities(score[..., 0], self.steps), self.ranks, axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "ranks": self.ranks}


def first_steps(classes: int) -> np.ndarray:
    """Return the steps of cut-points at which a score of 0 makes all classes equally probable."""
    share = np.arange(1, classes) / classes
    cuts = np.log(share / (1.0 - share))
    return np.concatenate([cuts[:1], np.log(np.expm1(np.diff(cuts) - SMALLEST_GAP))])


def ordered_log_probabilities(score: Tensor, steps: Tensor) -> Tensor:
    """Compute the log probability of each class, lowest first.

    The lowest cut-point is the first step; each further one lies softplus(step) + ``SMALLEST_GAP``
    above the one below. For a class between the cuts a < b, sigmoid(b - s) - sigmoid(a - s) is
    sigmoid(b - s) sigmoid(s - a) (1 - exp(a - b)), a product whose log is exact in the tails.

    Parameters
    ----------
    score
        members x batch.
    steps
        members x classes less one.

    Returns
    -------
    members x batch x classes.
    """
    gaps = ops.softplus(steps[:, 1:]) + SMALLEST_GAP
    cuts = ops.cumsum(ops.concatenate([steps[:, :1], gaps], axis=1), axis=1)
    margin = cuts[:, None, :] - score[:, :, None]
    end = ops.zeros_like(score)[:, :, None]
    below = ops.concatenate([ops.log_sigmoid(margin), end], axis=-1)
    above = ops.concatenate([end, ops.log_sigmoid(-margin)], axis=-1)
    open_end = ops.zeros_like(steps[:, :1])
    width = ops.concatenate([open_end, ops.log(-ops.expm1(-gaps)), open_end], axis=1)
    return below + above + width[:, None, :]
