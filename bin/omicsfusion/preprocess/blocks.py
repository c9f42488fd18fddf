"""A chain fitted on a table wider than memory: block of columns by block of columns.

What comes out is, bit for bit, what fitting the same steps on the whole table gives. That asks for
steps that treat each feature by itself (``per_feature``), up to and with the first selection by
scores; what follows the selection sees the selected features alone and may be any step.

Three kinds of steps can be fitted so:

- steps whose state has one entry per feature (``feature_state``): the parts of all blocks are
  joined;
- steps that decide once from all values (were they logged before?) and offer ``evidence(X)``,
  numbers that add up over blocks, and ``decide(evidence)``, which learns from their sum;
- selections that offer ``scores(X)`` and ``choose(scores, n_features)``.
"""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from sklearn.base import clone

from omicsfusion.preprocess.annotations import Annotations
from omicsfusion.preprocess.applying import fitted, transformed
from omicsfusion.preprocess.joining import join_steps, restrict_steps
from omicsfusion.preprocess.step import Step

# Values of a block as doubles: 32 MB. A step holds some five times as much while it works.
BLOCK_VALUES = 4_000_000


class WideLayer(Protocol):
    """A layer whose values can be read by columns; see ``cohorts.OpenLayer``."""

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the columns."""

    def columns(self, start: int, stop: int, rows: np.ndarray) -> np.ndarray:
        """Return some rows of neighbouring features."""

    def picked(self, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return some rows of some features."""


@dataclass(frozen=True)
class WideFit:
    """What fitting in blocks gives.

    Attributes
    ----------
    steps
        The fitted steps, as if each had seen the whole table. When no feature is left on the way,
        the steps from there on are not fitted.
    kept
        Positions of the layer's features that are left after the selection, ascending.
    narrow
        The same steps for these features alone: ``narrow[0].transform`` takes the columns ``kept``
        of new samples, and the last step's output is, to the bit, that of ``steps``.
    """

    steps: list[Step]
    kept: np.ndarray
    narrow: list[Step] = field(default_factory=list)

    def transform(self, layer: WideLayer, rows: np.ndarray, annotations: Annotations) -> np.ndarray:
        """Return float32, samples x features out, of some rows of the layer.

        Parameters
        ----------
        annotations
            Of these samples; its ``features`` are not looked at.
        """
        X: np.ndarray = layer.picked(self.kept, rows)
        names = np.asarray(layer.features, dtype=object)[self.kept]
        for step in self.narrow:
            X, names = transformed(step, X, names, annotations)
        return X.astype(np.float32)


def why_not_in_blocks(steps: Sequence[Step]) -> str:
    """Say which step keeps the chain from being fitted in blocks; empty when none does."""
    for step in steps:
        if _selects_by_scores(step):
            return ""
        if not step.per_feature or step.supervised:
            return f"{type(step).__name__} looks at all features together"
        alone = set(step.state) - set(step.feature_state) - {"did_", "dropped_"}
        if alone and not _decides(step):
            return f"{type(step).__name__} decides from all values"
    return ""


def fit_in_blocks(
    steps: Sequence[Step],
    layer: WideLayer,
    rows: np.ndarray,
    annotations: Annotations,
    width: int | None = None,
) -> WideFit:
    """Fit the steps of a chain on some samples of a layer.

    Parameters
    ----------
    steps
        Not fitted, in the chain's order; :func:`why_not_in_blocks` has nothing against them.
    layer
        Read once for each step that decides, once more for the rest, and once for what is kept.
    rows
        Positions of the training samples in the layer, sorted by sample id.
    annotations
        Of these rows and of the layer's features.
    width
        Features in a block; by default :data:`BLOCK_VALUES` over the number of samples.

    Raises
    ------
    omicsfusion.preprocess.joining.NotJoinableError
        Blocks came to different results where one was expected for all.
    ValueError
        When the steps cannot be fitted in blocks.
    """
    reason = why_not_in_blocks(steps)
    if reason:
        raise ValueError(f"The chain cannot be fitted in blocks: {reason}.")
    n_first = next((i + 1 for i, step in enumerate(steps) if _selects_by_scores(step)), len(steps))
    width = width or max(1, BLOCK_VALUES // max(1, len(rows)))
    fitting = _BlockFit(steps[:n_first], layer, rows, annotations, width)
    fitting.run()
    wide = fitting.joined()
    kept = np.arange(len(layer.features), dtype=object)
    for step in wide:
        kept = step.get_feature_names_out(kept)
    kept = kept.astype(np.int64)
    done = len(wide) == n_first and len(kept) > 0
    if not done:
        return WideFit([*wide, *map(clone, steps[len(wide) :])], kept[:0])
    narrow = restrict_steps(wide, len(layer.features), kept)
    rest = _fit_rest(steps[n_first:], narrow, layer, rows, annotations, kept)
    return WideFit([*wide, *rest], kept, [*narrow, *rest])


class _BlockFit:
    """The steps of one chain, and what became of them in each block.

    ``parts[b]`` holds the steps fitted on block b so far. A pass ends at a step that needs
    something of all blocks before it can go on.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        layer: WideLayer,
        rows: np.ndarray,
        annotations: Annotations,
        width: int,
    ) -> None:
        self.steps = steps
        self.layer = layer
        self.rows = rows
        self.annotations = annotations
        self.names = np.asarray(layer.features, dtype=object)
        self.starts = range(0, len(layer.features), width)
        self.width = width
        self.parts: list[list[Step]] = [[] for _ in self.starts]
        self.settled: dict[int, Step] = {}

    def run(self) -> None:
        """Fit all steps on all blocks, or until no feature is left."""
        pauses = [i for i, step in enumerate(self.steps) if _decides(step)]
        first = 0
        for pause in pauses:
            evidence = [self._evidence(pause, X) for X, _ in self._blocks(first, pause)]
            if not evidence:
                return
            decided: Any = clone(self.steps[pause])
            self.settled[pause] = decided.decide(sum(evidence))
            first = pause
        chosen = bool(self.steps) and _selects_by_scores(self.steps[-1])
        end = len(self.steps) - chosen
        found = []
        for X, _ in self._blocks(first, end):
            if chosen:
                found.append(self.steps[end].scores(np.asarray(X, dtype=np.float64)))
        if chosen and found:
            scores = tuple(np.concatenate(part) for part in zip(*found, strict=True))
            selector: Any = clone(self.steps[end])
            self.settled[end] = selector.choose(scores, len(scores[-1]))

    def joined(self) -> list[Step]:
        """Return the steps as if fitted on the whole table; fewer when no feature was left."""
        whole: list[Step] = []
        for index in range(len(self.steps)):
            parts = [part[index] for part in self.parts if len(part) > index]
            if index in self.settled and (parts or index == len(self.steps) - 1):
                step = copy(self.settled[index])
                if parts:
                    step.n_features_in_ = sum(part.n_features_in_ for part in parts)
                whole.append(step)
            elif parts:
                whole.append(join_steps(parts))
            else:
                break
        return whole

    def _evidence(self, index: int, X: np.ndarray) -> Any:
        return self.steps[index].evidence(np.asarray(X, dtype=np.float64))

    def _blocks(self, first: int, end: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Walk the blocks after the steps before ``end``, fitting those from ``first`` on.

        Blocks in which no feature is left are passed over.
        """
        for block, start in enumerate(self.starts):
            stop = min(start + self.width, len(self.names))
            X = self.layer.columns(start, stop, self.rows)
            names = self.names[start:stop]
            for index in range(end):
                if X.shape[1] == 0:
                    break
                if index >= first:
                    self.parts[block].append(self._fitted(index, X, names))
                X, names = transformed(self.parts[block][index], X, names, self.annotations)
            if X.shape[1]:
                yield X, names

    def _fitted(self, index: int, X: np.ndarray, names: np.ndarray) -> Step:
        if index in self.settled:
            step = copy(self.settled[index])
            step.n_features_in_ = X.shape[1]
            return step
        return fitted(clone(self.steps[index]), X, names, self.annotations)


def _fit_rest(
    steps: Sequence[Step],
    narrow: Sequence[Step],
    layer: WideLayer,
    rows: np.ndarray,
    annotations: Annotations,
    kept: np.ndarray,
) -> list[Step]:
    """Fit what follows the selection, on the selected features alone."""
    rest: list[Step] = []
    if not steps:
        return rest
    X: np.ndarray = layer.picked(kept, rows)
    names = np.asarray(layer.features, dtype=object)[kept]
    for step in narrow:
        X, names = transformed(step, X, names, annotations)
    for step in steps:
        rest.append(fitted(clone(step), X, names, annotations))
        X, names = transformed(rest[-1], X, names, annotations)
    return rest


def _selects_by_scores(step: Step) -> bool:
    return hasattr(step, "scores") and hasattr(step, "choose")


def _decides(step: Step) -> bool:
    return hasattr(step, "evidence") and hasattr(step, "decide")
