"""Step: take the effect of the batch away, with parameters learnt from training samples."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils.validation import check_is_fitted

from omicsfusion.preprocess.batch.covariates import constant_within, encode, learn_encoding
from omicsfusion.preprocess.batch.moments import Moments, estimate_moments
from omicsfusion.preprocess.batch.policy import (
    ADAPT,
    MIN_BATCH,
    NEW_BATCH,
    PASS,
    POOL,
    REFUSE,
    SMALL_BATCH,
    Groups,
    group_batches,
    labels_of,
)
from omicsfusion.preprocess.step import Step, UnusableInputError

# Unlabelled samples of a new batch that its mean and variance are learnt from.
MIN_ADAPT = 20


class BatchCorrection(OneToOneFeatureMixin, Step):
    """What the ways to correct for batches share: who is corrected, and by which parameters.

    A sample is corrected by the parameters of its batch, whatever other samples stand beside it. It
    passes unchanged when its batch is not known, was not seen in training, or had too few training
    samples; :meth:`flags` says which. The outcome is never looked at.

    Parameters
    ----------
    protect
        Names of covariates whose effect is kept. They must be known for every new patient: never
        the outcome, or anything learnt from it.
    new_batch
        What becomes of samples of a batch that was not seen in training. ``pass``: they pass
        unchanged, and are flagged. ``refuse``: a ``ValueError`` names the batch. ``adapt``: they
        pass and are flagged until :meth:`adapt` has learnt their batch.
    small_batch
        What becomes of batches with fewer than ``MIN_BATCH`` training samples. ``pool``: they are
        corrected together, as one batch, when they have ``MIN_BATCH`` training samples together.
        ``pass``: they pass unchanged.
    force
        Correct even where batch and outcome are confounded. Not looked at here: the check stands
        before the fit (``confounding.py``), and this records the wish.

    Attributes
    ----------
    batches_
        The groups that have parameters: batches, and the pool of small ones.
    group_of_
        Batch -> position in ``batches_``.
    pooled_
        Batches in the pool.
    left_
        Batch seen in training -> why it is not corrected; empty when it needs no correction.
    adapted_
        Batch that was learnt after the fit -> number of samples.
    encoding_
        How the protected covariates become numbers.
    centre_
        Mean over the batches of each feature, where the covariates are 0.
    coefficients_
        Effect of each protected covariate on each feature, features x columns.
    """

    state: ClassVar[tuple[str, ...]] = (
        "batches_",
        "group_of_",
        "pooled_",
        "left_",
        "adapted_",
        "encoding_",
        "centre_",
        "coefficients_",
        "did_",
        "skipped_",
    )
    feature_state: ClassVar[tuple[str, ...]] = ("centre_", "coefficients_")
    needs = ("batch", "covariates")
    transform_needs = ("batch", "covariates")
    name: ClassVar[str]
    """What the method is called in ``did_``."""

    batches_: list[str]
    group_of_: dict[str, int]
    pooled_: list[str]
    left_: dict[str, str]
    adapted_: dict[str, int]
    coefficients_: np.ndarray
    centre_: np.ndarray
    did_: str
    skipped_: str

    def __init__(
        self,
        protect: Sequence[str] = (),
        new_batch: str = PASS,
        small_batch: str = POOL,
        force: bool = False,
    ) -> None:
        self.protect = protect
        self.new_batch = new_batch
        self.small_batch = small_batch
        self.force = force

    def fit(
        self,
        X: Any,
        y: None = None,
        batch: np.ndarray | None = None,
        covariates: pd.DataFrame | None = None,
    ) -> Self:
        """Learn the batches of training samples.

        Parameters
        ----------
        X
            Samples x features, on a scale on which batches shift values (logarithms, not counts);
            NaN is a missing value, and stays one.
        batch
            Of each sample, text; empty: not known. None: nothing is corrected.
        covariates
            Of each sample; only those in ``protect`` are looked at.

        Raises
        ------
        ValueError
            When a parameter is not one of its choices, or a protected covariate is not there.
        """
        _check_choice("new_batch", self.new_batch, NEW_BATCH)
        _check_choice("small_batch", self.small_batch, SMALL_BATCH)
        X = self._checked(X, fitting=True)
        labels = labels_of(batch, len(X))
        groups = group_batches(labels, self.small_batch)
        group = groups.of(labels)
        used = np.flatnonzero(group >= 0)
        self.encoding_ = learn_encoding(covariates, self.protect) if used.size else []
        encoded = encode(self.encoding_, covariates, len(X))
        self.adapted_ = {}
        self._learn(
            estimate_moments(X[used], group[used], encoded[used])
            if used.size
            else _no_moments(X.shape[1])
        )
        self._record(groups, np.bincount(group[used]))
        unclear = constant_within(self.encoding_, encoded[used], group[used])
        if unclear and not self.skipped_:
            self.did_ += f"; {', '.join(unclear)} not kept: constant within every batch"
        return self

    def transform(
        self,
        X: Any,
        batch: np.ndarray | None = None,
        covariates: pd.DataFrame | None = None,
    ) -> np.ndarray:
        """Return the corrected values.

        Raises
        ------
        UnusableInputError
            With ``new_batch='refuse'``, when a batch was not seen in training.
        """
        check_is_fitted(self)
        X = self._checked(X)
        labels = labels_of(batch, len(X))
        self._refuse_new(labels)
        encoded = encode(self.encoding_, covariates, len(X))
        group = np.array([self.group_of_.get(label, -1) for label in labels], dtype=np.int64)
        out = X.copy()
        for number in np.unique(group[group >= 0]):
            rows = np.flatnonzero(group == number)
            out[rows] = self._corrected(X[rows], int(number), encoded[rows])
        return out

    def adapt(self, X: Any, batch: np.ndarray, covariates: pd.DataFrame | None = None) -> Self:
        """Learn batches that were not seen in training, from samples whose outcome is not needed.

        Centre, scale and covariates' effects stay as the training samples made them; only the shift
        (and, for ComBat, the scale, shrunk within the batch) of the new batch is learnt. Samples of
        known batches change nothing. Results of the new batch's samples then hang on which of them
        stood together here: not so for any sample that was only transformed.

        Raises
        ------
        ValueError
            Without ``new_batch='adapt'``, when no batch was fitted, or when a new batch has fewer
            than ``MIN_ADAPT`` samples.
        """
        check_is_fitted(self)
        if self.new_batch != ADAPT:
            raise ValueError("Only a step with new_batch='adapt' learns batches after the fit.")
        if not self.batches_:
            raise ValueError(
                f"No batch was fitted ({self.skipped_}): there is nothing to adapt to."
            )
        X = self._checked(X)
        labels = labels_of(batch, len(X))
        encoded = encode(self.encoding_, covariates, len(X))
        new = {label: np.flatnonzero(labels == label) for label in self._new(labels)}
        few = [f"{label} ({len(rows)})" for label, rows in new.items() if len(rows) < MIN_ADAPT]
        if few:
            raise ValueError(
                f"Too few samples to learn the new batches {', '.join(few)}: each needs "
                f"{MIN_ADAPT}. Leave them out, or use new_batch='pass'."
            )
        for label, rows in new.items():
            moments = estimate_moments(
                X[rows], np.zeros(len(rows), dtype=np.int64), encoded[rows], self.coefficients_
            )
            self._learn_new(moments)
            self.group_of_ = {**self.group_of_, label: len(self.batches_)}
            self.batches_ = [*self.batches_, label]
            self.adapted_ = {**self.adapted_, label: len(rows)}
        if new:
            self.skipped_ = ""
            self.did_ += f"; adapted to {', '.join(f'{k} ({len(v)})' for k, v in new.items())}"
        return self

    def flags(self, batch: np.ndarray) -> np.ndarray:
        """Say for each sample why it was not corrected; empty text where it was, or need not be."""
        check_is_fitted(self)
        reasons = {**dict.fromkeys(self.group_of_, ""), **self.left_, "": "its batch is not known"}
        return np.array(
            [
                reasons.get(label, f"batch {label} was not seen in training")
                for label in labels_of(batch, len(batch))
            ],
            dtype=object,
        )

    @abstractmethod
    def _learn(self, moments: Moments) -> None:
        """Set the parameters of all groups."""

    @abstractmethod
    def _learn_new(self, moments: Moments) -> None:
        """Add the parameters of one more group."""

    @abstractmethod
    def _corrected(self, X: np.ndarray, group: int, encoded: np.ndarray) -> np.ndarray:
        """Return the corrected values of samples of one group."""

    def _record(self, groups: Groups, sizes: np.ndarray) -> None:
        """Set the attributes that say who is corrected."""
        self.batches_, self.pooled_ = groups.names, groups.pooled
        self.group_of_, self.left_ = groups.group_of, groups.left
        self.did_, self.skipped_ = "", ""
        if not self.batches_:
            self.skipped_ = (
                f"no batch has {MIN_BATCH} training samples"
                if self.left_
                else "no batches are named"
            )
            return
        if len(self.batches_) == 1:
            self.skipped_ = f"all training samples are in one batch ({self.batches_[0]})"
            # It is what new batches adapt to, and is itself left as it is.
            self.left_ = {**self.left_, **dict.fromkeys(self.group_of_, "")}
            self.group_of_ = {}
        whole = len(self.batches_) - bool(self.pooled_)
        self.did_ = f"{self.name}: {whole} batches of {int(sizes[:whole].sum())} samples"
        if self.pooled_:
            self.did_ += f", {len(self.pooled_)} small ones of {int(sizes[-1])} pooled"
        n_left = sum(reason != "" for reason in self.left_.values())
        if n_left:
            self.did_ += f"; {n_left} with fewer than {MIN_BATCH} samples left as they are"
        if self.encoding_:
            self.did_ += f"; effect of {', '.join(rule['name'] for rule in self.encoding_)} kept"

    def _new(self, labels: np.ndarray) -> list[str]:
        return sorted(set(labels) - set(self.group_of_) - set(self.left_) - {""})

    def _refuse_new(self, labels: np.ndarray) -> None:
        new = self._new(labels) if self.new_batch == REFUSE and self.batches_ else []
        if new:
            known = sorted({*self.group_of_, *self.left_})
            raise UnusableInputError(
                f"The batches {', '.join(new)} were not seen in training, where there were "
                f"{', '.join(known[:10])}{' and others' if len(known) > 10 else ''}. Leave their "
                "samples out, or use new_batch: pass."
            )


def _check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ValueError(f"{name} is {value!r}, but must be one of {', '.join(choices)}.")


def _no_moments(n_features: int) -> Moments:
    nothing = np.zeros((n_features, 0))
    return Moments(nothing, nothing, nothing, nothing)
