"""What a shallow model is fitted on, what it is once fitted, and what it may be tuned over."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from omicsfusion.models.coefficients import Coefficients
from omicsfusion.models.design_matrix import ABSENT
from omicsfusion.models.grid_edges import edge_words
from omicsfusion.models.linear_tasks import LinearTask


@dataclass(frozen=True)
class TrainingSet:
    """The training samples (roles train and stop) of one scope.

    Attributes
    ----------
    kind
        ``classification``, ``survival`` or ``regression``.
    task
        What is minimised and how scores are judged.
    x
        float64, samples x columns, as ``design_of`` puts them side by side.
    y
        Class codes, (time, event) or numbers: a row per sample.
    layers, features
        Of each column.
    patients
        Of each sample: samples of one patient are never parted.
    seed
        Of all that is random in the fit.
    """

    kind: str
    task: LinearTask
    x: np.ndarray
    y: np.ndarray
    layers: tuple[str, ...]
    features: tuple[str, ...]
    patients: tuple[str, ...]
    seed: int

    def blocks(self) -> dict[str, np.ndarray]:
        """Return the positions of each layer's columns, indicators of its absence among them."""
        names = np.array(self.layers)
        return {name: np.flatnonzero(names == name) for name in sorted(set(self.layers))}

    def measured(self) -> np.ndarray:
        """Tell which columns are features, and no indicators of an absent layer."""
        return np.array([feature != ABSENT for feature in self.features], dtype=bool)


@dataclass(frozen=True)
class Fitted:
    """A fitted model.

    Attributes
    ----------
    scores
        From rows (samples x columns) to scores (samples x outputs): logits, a log hazard ratio or
        a mean.
    of_training
        Scores of the training samples by what has not seen them (trees whose bootstrap left them
        out), or None: ``scores`` says them.
    edges
        What the fit itself chose, besides its setting, at the edge of its grid.
    saved
        What the model's JSON holds of the fit, or None: the family has no format.
    """

    scores: Callable[[np.ndarray], np.ndarray]
    of_training: np.ndarray | None = None
    edges: tuple[str, ...] = ()
    saved: Callable[[], Mapping[str, object]] | None = field(default=None, repr=False)


def linear_fit(fitted: Coefficients, **more: object) -> Fitted:
    """Return a fit that is linear in the columns; its JSON holds weights, intercept and more."""
    return Fitted(
        fitted.scores,
        saved=lambda: {
            "weights": fitted.weights.tolist(),
            "intercept": fitted.intercept.tolist(),
            **more,
        },
    )


@dataclass(frozen=True)
class Axis:
    """Values of one number of a grid, in rising order.

    Attributes
    ----------
    values
        The values.
    open_below, open_above
        Whether a value beyond the least, the greatest one would make sense.
    """

    values: tuple[float, ...]
    open_below: bool = True
    open_above: bool = True

    def at_edge(self, value: float) -> bool:
        """Tell whether the best value may lie beyond this one; two values have no inside."""
        below = self.open_below and value == self.values[0]
        above = self.open_above and value == self.values[-1]
        return len(self.values) > 2 and (below or above)


@dataclass(frozen=True)
class Setting:
    """One candidate: values by name, and which of them stand at the edge of their axis."""

    values: Mapping[str, float | str]
    edges: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> float:
        """Return a number of the setting."""
        return float(self.values[name])

    def __str__(self) -> str:
        words = [
            f"{name}={value if isinstance(value, str) else format(value, 'g')}"
            for name, value in self.values.items()
        ]
        return "; ".join([*words, *edge_words(self.edges)])


def grid(**axes: Axis | Sequence[str]) -> list[Setting]:
    """List every combination of the values of axes, the first axis outermost.

    Parameters
    ----------
    axes
        Numbers as an ``Axis``; words, which have no order and no edge, as a sequence.
    """
    values: list[tuple[float | str, ...]] = [
        axis.values if isinstance(axis, Axis) else tuple(axis) for axis in axes.values()
    ]
    settings = []
    for combination in product(*values):
        named = dict(zip(axes, combination, strict=True))
        edges = [
            name
            for name, axis in axes.items()
            if isinstance(axis, Axis) and axis.at_edge(float(named[name]))
        ]
        settings.append(Setting(named, tuple(edges)))
    return settings
