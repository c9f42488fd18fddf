"""All steps from a layer's values to a model's input, fitted together on one training set."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Self

import h5py
import numpy as np

from omicsfusion.preprocess.annotations import Annotations
from omicsfusion.preprocess.applying import fitted, transformed
from omicsfusion.preprocess.batch.correction import BatchCorrection
from omicsfusion.preprocess.blocks import WideLayer, fit_in_blocks
from omicsfusion.preprocess.matrices import read_names, write_names
from omicsfusion.preprocess.methods import CLASSES, make_step
from omicsfusion.preprocess.outliers import OutlierRule
from omicsfusion.preprocess.step import Step, read_json, write_json
from omicsfusion.recipes.catalogue import STEPS
from omicsfusion.recipes.recipe import Recipe

# Quartiles of fewer samples are no estimate of anything.
MIN_TRAINING_SAMPLES = 5
OUTLIERS = "outliers"
LEAVE_OUT = "leave_out"


class AbsentFeaturesError(ValueError):
    """A new cohort's table lacks too many of the features that a chain needs."""


@dataclass(frozen=True)
class Coverage:
    """Which of the features that a chain needs a new table has.

    Attributes
    ----------
    n_needed
        Features that the chain's filter keeps: those that later steps use.
    absent
        Those of them that the table lacks, in the chain's order.
    """

    n_needed: int
    absent: tuple[str, ...]

    @property
    def share_absent(self) -> float:
        """Absent features over needed ones; 0 when none are needed."""
        return len(self.absent) / self.n_needed if self.n_needed else 0.0


def refuse_absent_features(coverage: Coverage, max_absent: float) -> None:
    """Raise :class:`AbsentFeaturesError` when more than a share of the features is absent."""
    if coverage.share_absent > max_absent:
        raise AbsentFeaturesError(
            f"The table lacks {len(coverage.absent)} of the {coverage.n_needed} features that the "
            f"chain needs ({coverage.share_absent:.0%}; at most {max_absent:.0%} may be absent), "
            f"such as {', '.join(coverage.absent[:5])}. Are they named in the same way?"
        )


class Chain:
    """The steps of one layer, in order.

    ``fit`` sees training samples only; ``transform`` makes a model's input of any sample, alone or
    among others to the same bits. A layer that the training samples cannot carry (fewer than
    ``MIN_TRAINING_SAMPLES``, or no feature that varies) comes out with no columns.

    Parameters
    ----------
    recipe
        How each step is done.
    task
        ``classification``, ``regression`` or ``survival``: for steps that learn from the outcome.

    Attributes
    ----------
    features_in_
        Names of the columns that ``transform`` expects.
    n_train_
        Number of training samples.
    outlying_
        Which training rows were left out as outliers, with the reasons: position -> text. Only
        with ``outliers: leave_out``; not saved.
    absent_
        Why there are no columns; empty when there are some.
    """

    outlying_: dict[int, str]

    def __init__(self, recipe: Recipe, task: str = "") -> None:
        self.recipe = recipe
        self.task = task
        self.names = [
            (choice.step, choice.method) for choice in recipe.choices if choice.step != OUTLIERS
        ]
        self.steps: list[Step] = [
            make_step(choice, task) for choice in recipe.choices if choice.step != OUTLIERS
        ]

    def fit(self, X: np.ndarray, annotations: Annotations) -> Self:
        """Learn all steps from training samples.

        Parameters
        ----------
        X
            Training samples x features, sorted by sample id; NaN is a missing value.
        annotations
            Of the same rows and columns.
        """
        self.features_in_ = annotations.features
        X, annotations = self._without_outliers(X, annotations)
        self.n_train_ = len(X)
        self.absent_ = self._obstacle()
        if self.absent_:
            return self
        names = np.asarray(self.features_in_, dtype=object)
        for step in self.steps:
            X, names = transformed(fitted(step, X, names, annotations), X, names, annotations)
            if X.shape[1] == 0:
                self.absent_ = _why_empty(step)
                break
        return self

    def fit_in_blocks(self, layer: WideLayer, rows: np.ndarray, annotations: Annotations) -> Self:
        """Learn the same, to the bit, from a table that need not fit into memory.

        Afterwards the chain knows the features that are left after the selection, and no others:
        ``features_in_`` are those.

        Parameters
        ----------
        layer
            :func:`omicsfusion.preprocess.blocks.why_not_in_blocks` has nothing against the steps.
        rows
            Positions of the training samples, sorted by sample id.
        annotations
            Of these rows and of the layer's features.

        Returns
        -------
        The chain before it forgot: with the state of all features, for the tables of what was done.
        """
        self.outlying_ = {}
        self.n_train_ = len(rows)
        self.features_in_ = annotations.features
        self.absent_ = self._obstacle()
        whole = copy(self)
        if self.absent_:
            return whole
        found = fit_in_blocks(self.steps, layer, rows, annotations)
        whole.steps = found.steps
        self.steps = found.narrow or self.steps
        self.features_in_ = tuple(annotations.features[column] for column in found.kept)
        if not self.features_in_:
            last = [step for step in found.steps if hasattr(step, "n_features_in_")][-1]
            self.absent_ = whole.absent_ = _why_empty(last)
        return whole

    def transform(self, X: np.ndarray, annotations: Annotations) -> np.ndarray:
        """Return float32 without NaN, samples x ``get_feature_names_out()``.

        Parameters
        ----------
        X
            Samples x ``features_in_``.
        annotations
            Of the same samples; its ``features`` and ``outcome`` are not looked at.
        """
        if X.shape[1] != len(self.features_in_):
            raise ValueError(
                f"X has {X.shape[1]} features, the chain was fitted on {len(self.features_in_)}."
            )
        if self.absent_ or len(X) == 0:
            return np.empty((len(X), len(self.get_feature_names_out())), dtype=np.float32)
        X = self._through(self.steps, X, annotations)
        return X.astype(np.float32)

    def values_before(self, X: np.ndarray, annotations: Annotations, stop: str) -> np.ndarray:
        """Return what comes into a step, or would if the chain had it: samples x features.

        Parameters
        ----------
        stop
            Name of the step, such as ``batch``.
        """
        n_before = sum(STEPS.index(name) < STEPS.index(stop) for name, _ in self.names)
        return self._through(self.steps[:n_before], X, annotations)

    def _through(
        self, steps: Sequence[Step], X: np.ndarray, annotations: Annotations
    ) -> np.ndarray:
        names = np.asarray(self.features_in_, dtype=object)
        for step in steps:
            X, names = transformed(step, X, names, annotations)
        return X

    def batch_step(self) -> BatchCorrection | None:
        """Return the step that takes batch effects away; None when there is none."""
        found = [step for step in self.steps if isinstance(step, BatchCorrection)]
        return found[0] if found and not self.absent_ else None

    def adapt(self, X: np.ndarray, annotations: Annotations) -> None:
        """Learn batches that were not seen in training (:meth:`BatchCorrection.adapt`)."""
        step = self.batch_step()
        if step is not None and annotations.batch is not None:
            before = self.values_before(X, annotations, "batch")
            step.adapt(before, annotations.batch, annotations.covariates)

    def transform_table(
        self, X: np.ndarray, annotations: Annotations
    ) -> tuple[np.ndarray, Coverage]:
        """Transform samples of a table with other features, or in another order.

        Parameters
        ----------
        X
            Samples x ``annotations.features``.

        Returns
        -------
        What :meth:`transform` returns, with absent features treated as missing values; and which
        those were.

        Raises
        ------
        AbsentFeaturesError
            When more than ``recipe.max_absent`` of the needed features are absent.
        """
        coverage = self.coverage(annotations.features)
        refuse_absent_features(coverage, self.recipe.max_absent)
        position = {name: column for column, name in enumerate(annotations.features)}
        source = np.array([position.get(name, -1) for name in self.features_in_], dtype=np.int64)
        aligned = np.full((len(X), len(source)), np.nan)
        aligned[:, source >= 0] = X[:, source[source >= 0]]
        levels = annotations.categories
        known = tuple(levels[column] if column >= 0 else None for column in source if levels)
        return self.transform(aligned, replace(annotations, categories=known)), coverage

    def coverage(self, features: Sequence[str]) -> Coverage:
        """Say which of the features that the chain needs are among ``features``."""
        needed = self.features_needed()
        there = set(features)
        return Coverage(len(needed), tuple(name for name in needed if name not in there))

    def features_needed(self) -> tuple[str, ...]:
        """Return those of ``features_in_`` that later steps use: what is left after the filter.

        Of covariates all count, for their filter looks at the columns made of them.
        """
        if self.absent_:
            return ()
        names = np.asarray(self.features_in_, dtype=object)
        for (step_name, _), step in zip(self.names, self.steps, strict=True):
            if step_name == "encode":
                break
            if step_name == "filter":
                kept = set(step.get_feature_names_out(names))
                return tuple(name for name in self.features_in_ if name in kept)
        return self.features_in_

    def get_feature_names_out(self) -> tuple[str, ...]:
        """Return the names of the columns that ``transform`` makes."""
        if self.absent_:
            return ()
        names = np.asarray(self.features_in_, dtype=object)
        for step in self.steps:
            names = step.get_feature_names_out(names)
        return tuple(str(name) for name in names)

    @property
    def n_constant(self) -> int:
        """How many features were constant among the training samples."""
        return sum(getattr(step, "dropped_", {}).get("constant", 0) for step in self.steps)

    def to_h5(self, group: h5py.Group) -> None:
        """Write the fitted chain."""
        write_json(group, "recipe", self.recipe.to_json())
        write_json(group, "task", self.task)
        write_json(group, "n_train", self.n_train_)
        write_json(group, "absent", self.absent_)
        write_names(group, "features_in", self.features_in_, compression="gzip")
        if not self.absent_:
            for position, step in enumerate(self.steps):
                step.to_h5(group.create_group(f"steps/{position}"))

    @classmethod
    def from_h5(cls, group: h5py.Group) -> Self:
        """Read a chain that :meth:`to_h5` wrote; it transforms to the same bits."""
        chain = cls(Recipe.from_json(read_json(group, "recipe")), read_json(group, "task"))
        nodes = group.get("steps", {})
        ordered = [nodes[name] for name in sorted(nodes, key=int)]
        if ordered:
            chain.steps = [CLASSES[read_json(node, "step")].from_h5(node) for node in ordered]
        chain.features_in_ = read_names(group, "features_in")
        chain.n_train_ = read_json(group, "n_train")
        chain.absent_ = read_json(group, "absent")
        return chain

    def _without_outliers(
        self, X: np.ndarray, annotations: Annotations
    ) -> tuple[np.ndarray, Annotations]:
        self.outlying_ = {}
        choice = self.recipe.uses(OUTLIERS)
        if choice is None or choice.method != LEAVE_OUT or len(X) < MIN_TRAINING_SAMPLES:
            return X, annotations
        judged = OutlierRule(**choice.options).fit(X).judge(X)
        outlying = judged["outlying"].to_numpy(dtype=bool)
        self.outlying_ = {
            int(row): str(judged["reasons"].iloc[row]) for row in np.flatnonzero(outlying)
        }
        rows = np.flatnonzero(~outlying)
        return X[rows], annotations.of_rows(rows)

    def _obstacle(self) -> str:
        if self.n_train_ < MIN_TRAINING_SAMPLES:
            return f"fewer than {MIN_TRAINING_SAMPLES} training samples"
        return "" if self.features_in_ else "no features"

    def __repr__(self) -> str:
        return f"Chain({self.recipe.kind}: {' > '.join(':'.join(name) for name in self.names)})"


def _why_empty(step: Step) -> str:
    """Say why a step kept no feature: ``no feature is left: 3 constant, 2 mostly missing``."""
    dropped = getattr(step, "dropped_", {})
    named = ", ".join(f"{n} {reason}" for reason, n in sorted(dropped.items()) if n)
    return f"no feature is left{f': {named}' if named else ''}"
