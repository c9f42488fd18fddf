"""Several targets of one task at once: a shared network, and weights of the targets that it learns.

Kendall, Gal and Cipolla, CVPR 2018, equations 7 and 10: the loss L of a target counts as
exp(-s) L + s / 2, where s, the log of the variance that is left unexplained, is learnt beside the
network. L is half the squared error of a number in standard deviations, or the cross-entropy of a
class: minus a log-likelihood, up to constants. Cox's partial likelihood and Huber's loss have no
variance of that kind; s weighs them by their size all the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.cohort import ScopeData
from omicsfusion.models.family import FusionNetwork
from omicsfusion.models.fit import joint_column
from omicsfusion.models.heads.above import NetworkAbove
from omicsfusion.models.heads.base import Build, Head, Settings, Targets, UntrainableError
from omicsfusion.models.layers import register
from omicsfusion.models.links import joined
from omicsfusion.models.random_bits import Draw, learns
from omicsfusion.scopes import TRAINING_ROLES
from omicsfusion.tables.outcome import Outcome

ops = keras.ops

LACKING = "lacking"
"""Role of a training sample for a target that it lacks: no head asks for it."""


@dataclass(frozen=True)
class JointTargets(Targets):
    """Several outcomes of one scope.

    ``values`` are those of each target, each followed by the weight that the sample has for it (0
    where it lacks the target); ``weight`` is 1 where a sample has any.

    Attributes
    ----------
    parts
        Each target as its own head takes it.
    """

    parts: tuple[Targets, ...] = ()


class SeveralHeads(Head):
    """One head for each target, on one network.

    The network's units are those of the targets in their order, and after them one for the log
    variance of each target, the same for every sample (``SeveralTargets``). While the network
    looks and does not learn, log variances are 0: the stopping loss is the plain sum of the
    targets' losses. Were it weighted, it would go on falling for as long as a log variance is on
    its way, and would not tell of two epochs which predicts better.

    A target's loss is a mean over the samples of the batch that have it, so that each target
    counts for the same, however many samples have it; one that no sample of the batch has counts
    for nothing.

    Parameters
    ----------
    heads
        Target -> its head, the first target first.
    outcomes
        Target -> its outcome.
    """

    def __init__(self, heads: Mapping[str, Head], outcomes: Mapping[str, Outcome]) -> None:
        self.heads = dict(heads)
        self.outcomes = dict(outcomes)
        first, *others = self.heads.items()
        self.units = sum(head.units for head in self.heads.values()) + len(self.heads)
        # What reads an archive of one target finds the first one under the same names.
        self.names = (
            *first[1].names,
            *(f"{target}:{name}" for target, head in others for name in head.names),
        )
        self.link = joined([(h.link, h.units, len(h.names)) for h in self.heads.values()])
        self.batch_rows = max(head.batch_rows for head in self.heads.values())
        self.mixes = all(head.mixes for head in self.heads.values())
        together = f"{', '.join(self.heads)} together, weighted by learnt variances"
        self.setting = "; ".join(filter(None, [together, first[1].setting]))

    def completed(self, build: Build) -> Build:
        """Return how to build a network with the units of all targets and the log variances."""

        def with_variances(widths: Mapping[str, int], units: int, members: int) -> FusionNetwork:
            return SeveralTargets(build(widths, units - len(self.heads), members), len(self.heads))

        return with_variances

    def targets(self, data: ScopeData) -> JointTargets:
        """Encode each outcome, learning what is learnt for it from the samples that have it.

        Raises
        ------
        UntrainableError
            When a target has nothing to learn from.
        """
        parts = [self._part(target, data) for target in self.heads]
        columns = []
        for part in parts:
            weight = part.weight.copy()
            if not part.stops:
                weight[data.rows("stop")] = 0
            columns.append(np.column_stack([part.values, weight]))
        strata = np.column_stack([np.where(part.weight > 0, part.strata, -1) for part in parts])
        notes = zip(self.heads, parts, strict=True)
        return JointTargets(
            values=np.concatenate(columns, axis=1).astype(np.float32),
            weight=np.max([part.weight > 0 for part in parts], axis=0).astype(np.float32),
            strata=np.unique(strata, axis=0, return_inverse=True)[1].reshape(-1),
            stops=any(part.stops for part in parts),
            note="; ".join(f"{target}: {part.note}" for target, part in notes if part.note),
            parts=tuple(parts),
        )

    def _part(self, target: str, data: ScopeData) -> Targets:
        try:
            return self.heads[target].targets(having(data, self.outcomes[target]))
        except UntrainableError as reason:
            raise UntrainableError(f"{target}: {reason}") from reason

    def loss(self, outputs: Tensor, target: Tensor, weight: Tensor, settings: Settings) -> Tensor:
        """Return the sum of the targets' losses, each weighted by its variance."""
        total = ops.zeros_like(outputs[:, 0, 0])
        n = len(self.heads)
        # Heads of one kind: each target has as many values, and its weight behind them.
        width = target.shape[-1] // n
        for place, (_, head, units) in enumerate(self._units()):
            values = target[..., place * width : (place + 1) * width]
            own = values[..., -1] * weight
            loss = head.loss(outputs[..., units], values[..., :-1], own, settings)
            log_variance = outputs[:, 0, place - n]
            any_has = ops.cast(ops.sum(own, axis=-1) > 0, loss.dtype)
            total = total + any_has * (ops.exp(-log_variance) * loss + 0.5 * log_variance)
        return total

    def unit(
        self, raw: np.ndarray, data: ScopeData, targets: Targets
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return offsets and scales of the targets, in their order."""
        found = [
            head.unit(raw[..., units], having(data, self.outcomes[target]), part)
            for (target, head, units), part in self._parts(targets)
        ]
        offset, scale = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
        return offset, np.concatenate([scale, np.ones(len(self.heads), np.float32)])

    def columns(
        self, raw: np.ndarray, prediction: np.ndarray, data: ScopeData, targets: Targets
    ) -> dict[str, np.ndarray]:
        """Return the columns of each target, named with it (``joint_column``)."""
        found: dict[str, np.ndarray] = {}
        for target, head, units, outputs, here, part in self._of_targets(data, targets):
            own = head.columns(raw[..., units], prediction[:, outputs], here, part)
            found |= {joint_column(target, name): values for name, values in own.items()}
        return found

    def columns_by_left_out(
        self, unseen: np.ndarray, data: ScopeData, targets: Targets
    ) -> dict[str, np.ndarray]:
        """Return those of each target, named with it."""
        found: dict[str, np.ndarray] = {}
        for target, head, _, outputs, here, part in self._of_targets(data, targets):
            own = head.columns_by_left_out(unseen[:, outputs], here, part)
            found |= {joint_column(target, name): values for name, values in own.items()}
        return found

    def _of_targets(
        self, data: ScopeData, targets: Targets
    ) -> Iterator[tuple[str, Head, slice, slice, ScopeData, Targets]]:
        """Yield each target, its head, units and outputs, the samples that have it, its outcome."""
        output = 0
        for (target, head, units), part in self._parts(targets):
            outputs = slice(output, output := output + len(head.names))
            yield target, head, units, outputs, having(data, self.outcomes[target]), part

    def _units(self) -> Iterator[tuple[str, Head, slice]]:
        """Yield each target with its head and its units of the network."""
        unit = 0
        for target, head in self.heads.items():
            yield target, head, slice(unit, unit := unit + head.units)

    def _parts(self, targets: Targets) -> Iterator[tuple[tuple[str, Head, slice], Targets]]:
        assert isinstance(targets, JointTargets)
        return zip(self._units(), targets.parts, strict=True)


def having(data: ScopeData, outcome: Outcome) -> ScopeData:
    """Return a scope in which the training samples that lack an outcome have no role."""
    known = outcome.known.loc[list(data.samples)].to_numpy()
    lacking = ~known & np.isin(data.roles, TRAINING_ROLES)
    return replace(data, roles=np.where(lacking, LACKING, data.roles)) if lacking.any() else data


@register
class SeveralTargets(NetworkAbove):
    """A network with the units of several targets, and beside them a log variance of each.

    ::

        x_rna, x_cnv, x_… ──► network ──► units of target 1, units of target 2, …
                                          s of target 1, s of target 2, …   (0 unless it learns)

    Parameters
    ----------
    network
        Its outputs are the units of all targets.
    targets
        How many there are.
    """

    def __init__(self, network: FusionNetwork, targets: int, **kwargs: Any) -> None:
        name = kwargs.pop("name", "several")
        super().__init__(network, network.units + targets, name=name, **kwargs)
        self.targets = targets

    def build(self, *shapes: Any) -> None:
        if not self.network.built:
            self.network.build()
        self.log_variances = self.add_weight(
            name="log_variances", shape=(self.members, self.targets), initializer="zeros"
        )
        self.built = True

    def call(self, x: Mapping[str, Tensor], present: Tensor, draw: Draw | None = None) -> Tensor:
        """Compute units and log variances, members x batch x units (see ``FusionNetwork``)."""
        outputs = self.network(x, present, draw)
        beside = ops.broadcast_to(
            self.log_variances[:, None, :], (*ops.shape(outputs)[:2], self.targets)
        )
        beside = ops.zeros_like(beside) if not learns(draw) else beside
        return ops.concatenate([outputs, ops.cast(beside, outputs.dtype)], axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "targets": self.targets}
