"""What every head is: the outcome as a loss takes it, the loss, and outputs made predictions.

A loss takes ``outputs`` (members x batch x units), ``target`` (members x batch x values),
``weight`` (members x batch; 0 = padding) and ``settings`` (name -> members; see ``settings``), and
returns one number per member.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.cohort import ScopeData
from omicsfusion.models.family import FusionNetwork

ops = keras.ops

Settings = Mapping[str, Tensor]
Build = Callable[[Mapping[str, int], int, int], FusionNetwork]
"""``build(widths, units, members)`` returns a network."""


class UntrainableError(ValueError):
    """A network cannot be trained on this scope; the message says why."""


@dataclass(frozen=True)
class Targets:
    """The outcome of one scope as its loss takes it.

    Attributes
    ----------
    values
        float32, samples x values; 0 where a sample has no outcome.
    weight
        float32, samples; 0 where a sample has no outcome.
    strata
        Label of each sample; batches get their share of each.
    offset, scale
        A prediction in the outcome's unit is offset + scale * output.
    kinds
        Class of each sample, as a number; None where there are no classes.
    stops
        Whether the ``stop`` samples can tell when to stop.
    ends
        Where the intervals of discrete hazards end, increasing; empty for other heads.
    note
        What ``training.tsv`` says of this scope's targets; may be empty.
    """

    values: np.ndarray
    weight: np.ndarray
    strata: np.ndarray
    offset: float = 0.0
    scale: float = 1.0
    kinds: np.ndarray | None = None
    stops: bool = True
    ends: np.ndarray = field(default_factory=lambda: np.zeros(0))
    note: str = ""


class Head(ABC):
    """One way to predict one kind of outcome.

    Attributes
    ----------
    units
        Outputs of the network.
    names
        Outputs of the saved model: class names, ``risk`` or ``mean``.
    link
        How the members' outputs become one prediction (``links``).
    batch_rows
        Samples in a batch.
    setting
        What ``training.tsv`` says of the head; may be empty.
    mixes
        Whether the loss is a sum over samples, so that two samples can be mixed (``mixup``).
    """

    units: int
    names: tuple[str, ...]
    link: str
    batch_rows: int = 64
    setting: str = ""
    mixes: bool = True

    def completed(self, build: Build) -> Build:
        """Return how to build a network with ``units`` outputs; most heads need no more than it."""
        return build

    @abstractmethod
    def targets(self, data: ScopeData) -> Targets:
        """Encode the outcome of a scope; what is learnt for it is learnt from ``train`` rows.

        Raises
        ------
        UntrainableError
            When the ``train`` rows have nothing to learn from.
        """

    @abstractmethod
    def loss(self, outputs: Tensor, target: Tensor, weight: Tensor, settings: Settings) -> Tensor:
        """Return the loss of each member."""

    @abstractmethod
    def unit(
        self, raw: np.ndarray, data: ScopeData, targets: Targets
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return what the link needs: offset (one per output) and scale (one per unit).

        Parameters
        ----------
        raw
            Outputs for all samples of the scope, members x samples x units.
        """

    @abstractmethod
    def columns(
        self, raw: np.ndarray, prediction: np.ndarray, data: ScopeData, targets: Targets
    ) -> dict[str, np.ndarray]:
        """Return the prediction columns of the samples that the fit predicts.

        Parameters
        ----------
        raw
            As for ``unit``.
        prediction
            What the link made of it: all samples of the scope x outputs.
        """

    def columns_by_left_out(
        self, unseen: np.ndarray, data: ScopeData, targets: Targets
    ) -> dict[str, np.ndarray]:
        """Return those of the columns that training samples tell better which a network left out.

        Parameters
        ----------
        unseen
            As ``prediction``, of training samples by networks that left them out; NaN elsewhere.
        """
        return {}


def weighted_mean(values: Tensor, weight: Tensor) -> Tensor:
    """Average over the batch; 0 where nothing weighs."""
    total = ops.sum(weight, axis=-1)
    return ops.sum(values * weight, axis=-1) / ops.where(total > 0, total, 1.0)


def no_unit(outputs: int, units: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the offset and scale of a link that uses neither."""
    return np.zeros(outputs, np.float32), np.ones(units, np.float32)
