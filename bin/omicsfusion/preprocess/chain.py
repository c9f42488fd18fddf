"""All steps from a layer's values to a model's input, fitted together on one training set."""

from collections.abc import Sequence
from typing import Self

import h5py
import numpy as np

from omicsfusion.preprocess.clinical import ClinicalEncoder
from omicsfusion.preprocess.filter import FeatureFilter
from omicsfusion.preprocess.impute import MedianImputer
from omicsfusion.preprocess.matrices import read_names, write_names
from omicsfusion.preprocess.normalise import LogTransform
from omicsfusion.preprocess.scale import Scaler
from omicsfusion.preprocess.select import VarianceSelector
from omicsfusion.preprocess.step import Step, read_json, write_json

LOGGED_KINDS = ("rna_counts", "mirna_counts", "microbiome_counts", "metabolite")
# Few distinct values, mostly one of them: the interquartile range would be 0.
ZSCORED_KINDS = ("mutation", "cnv")
# Quartiles of fewer samples are no estimate of anything.
MIN_TRAINING_SAMPLES = 5
STEPS: dict[str, type[Step]] = {
    step.__name__: step
    for step in (
        ClinicalEncoder,
        FeatureFilter,
        LogTransform,
        VarianceSelector,
        MedianImputer,
        Scaler,
    )
}


class Chain:
    """The steps of one layer, in order.

    ``fit`` sees training samples only; ``transform`` makes a model's input of any sample, alone or
    among others to the same bits. A layer that the training samples cannot carry (fewer than
    ``MIN_TRAINING_SAMPLES``, or no feature that varies) comes out with no columns.

    Parameters
    ----------
    kind
        The layer's kind.
    steps
        Unfitted transformers.

    Attributes
    ----------
    features_in_
        Names of the columns that ``transform`` expects.
    n_train_
        Number of training samples.
    absent_
        Why there are no columns; empty when there are some.
    """

    def __init__(self, kind: str, steps: Sequence[Step]) -> None:
        self.kind = kind
        self.steps = list(steps)

    @classmethod
    def for_kind(cls, kind: str, categories: Sequence[Sequence[str] | None] = ()) -> Self:
        """Make the unfitted chain for a kind of layer.

        Parameters
        ----------
        kind
            As in the samplesheet, or ``clinical``.
        categories
            For ``clinical``: the levels of each covariate, None for a numeric one.
        """
        if kind == "clinical":
            scaler = Scaler("zscore", keep_binary=True)
            return cls(
                kind, [ClinicalEncoder(categories), FeatureFilter(), MedianImputer(), scaler]
            )
        # The selection precedes imputation: filling in medians would shrink variances.
        steps: list[Step] = [FeatureFilter(), VarianceSelector(), MedianImputer()]
        if kind in LOGGED_KINDS:
            steps.insert(1, LogTransform())
        return cls(kind, [*steps, Scaler("zscore" if kind in ZSCORED_KINDS else "robust")])

    def fit(self, X: np.ndarray, features: Sequence[str]) -> Self:
        """Learn all steps from training samples.

        Parameters
        ----------
        X
            Training samples x features; NaN is a missing value. The order of rows does not matter.
        features
            Names of the columns of X.
        """
        self.features_in_ = tuple(features)
        self.n_train_ = len(X)
        self.absent_ = ""
        if len(X) < MIN_TRAINING_SAMPLES:
            self.absent_ = f"fewer than {MIN_TRAINING_SAMPLES} training samples"
        elif not self.features_in_:
            self.absent_ = "no features"
        if self.absent_:
            return self
        for step in self.steps:
            X = step.fit(X).transform(X)
            if X.shape[1] == 0:
                self.absent_ = "all features are constant or mostly missing"
                break
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return float32 without NaN, samples x ``get_feature_names_out()``."""
        if X.shape[1] != len(self.features_in_):
            raise ValueError(
                f"X has {X.shape[1]} features, the chain was fitted on {len(self.features_in_)}."
            )
        if self.absent_ or len(X) == 0:
            return np.empty((len(X), len(self.get_feature_names_out())), dtype=np.float32)
        for step in self.steps:
            X = step.transform(X)
        return X.astype(np.float32)

    def get_feature_names_out(self) -> tuple[str, ...]:
        """Return the names of the columns that ``transform`` makes."""
        if self.absent_:
            return ()
        names = np.asarray(self.features_in_, dtype=object)
        for step in self.steps:
            names = step.get_feature_names_out(names)
        return tuple(names)

    @property
    def n_constant(self) -> int:
        """How many features were constant among the training samples."""
        return sum(getattr(step, "n_constant_", 0) for step in self.steps)

    def to_h5(self, group: h5py.Group) -> None:
        """Write the fitted chain."""
        write_json(group, "kind", self.kind)
        write_json(group, "n_train", self.n_train_)
        write_json(group, "absent", self.absent_)
        write_names(group, "features_in", self.features_in_, compression="gzip")
        if not self.absent_:
            for position, step in enumerate(self.steps):
                step.to_h5(group.create_group(f"steps/{position}"))

    @classmethod
    def from_h5(cls, group: h5py.Group) -> Self:
        """Read a chain that :meth:`to_h5` wrote; it transforms to the same bits."""
        nodes = group.get("steps", {})
        ordered = [nodes[name] for name in sorted(nodes, key=int)]
        chain = cls(
            read_json(group, "kind"),
            [STEPS[read_json(node, "step")].from_h5(node) for node in ordered],
        )
        chain.features_in_ = read_names(group, "features_in")
        chain.n_train_ = read_json(group, "n_train")
        chain.absent_ = read_json(group, "absent")
        return chain

    def __repr__(self) -> str:
        names = [type(step).__name__ for step in self.steps]
        return f"Chain({self.kind}: {' > '.join(names)})"
