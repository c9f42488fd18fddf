"""Step: fill in missing values by the method that restores hidden values best."""

from collections.abc import Sequence
from typing import Any, Self

import h5py
import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils.validation import check_is_fitted

from omicsfusion.preprocess.impute.autoencoder import AutoencoderImputer
from omicsfusion.preprocess.impute.censored import CensoredImputer
from omicsfusion.preprocess.impute.forest import ForestImputer
from omicsfusion.preprocess.impute.low_rank import LowRankImputer
from omicsfusion.preprocess.impute.masking import Mask, Masking, mask_entries, masking_for
from omicsfusion.preprocess.impute.median import MedianImputer
from omicsfusion.preprocess.impute.missingness import Missingness, judge_missingness
from omicsfusion.preprocess.impute.neighbours import NeighbourImputer
from omicsfusion.preprocess.impute.regression import RidgeChainImputer
from omicsfusion.preprocess.step import Step, read_json

# From the cheapest to the dearest.
IMPUTERS: dict[str, type[Step]] = {
    "median": MedianImputer,
    "censored": CensoredImputer,
    "svd": LowRankImputer,
    "knn": NeighbourImputer,
    "iterative": RidgeChainImputer,
    "autoencoder": AutoencoderImputer,
    "forest": ForestImputer,
}
MIN_MASKS = 3
# Where trying the method three times and fitting it once stays within a minute or so.
MAX_SAMPLES_KNN = 2000
MAX_FEATURES_ITERATIVE = 5000
MAX_FEATURES_FOREST = 50


class AutoImputer(OneToOneFeatureMixin, Step):
    """Hide known training values, let each method restore them, take the cheapest of the good ones.

    Each mask hides a share of the known values, in the proportion seen at random or lowest first
    (see ``masking.py``). The error of a method under a mask is the root mean square of
    (restored - true) / standard deviation of the feature. Of the methods whose mean error
    over masks is within one standard error of the best one's, the cheapest is taken (Breiman et
    al., Classification and Regression Trees, 1984, section 3.4.3), and fitted on all training
    samples. The order of cost: median, censored, svd, knn, iterative, autoencoder, forest.

    Parameters
    ----------
    candidates
        Names of methods. None: median, svd; knn up to 2,000 training samples; iterative up to
        5,000 features; forest up to 50 features; censored where low values are missing.
    masks
        How many masks, at least 3.
    hidden
        Share of the known values that a mask hides, 0 to 0.5.

    Attributes
    ----------
    chosen_
        The fitted step that imputes.
    table_
        Rows of ``method, mask, mechanism, n, error``: of a method, under a mask, for the values
        hidden by one mechanism (``random``, ``lowest``) and for all of them (``both``).
    choice_
        ``method, best, limit, mean_error`` (by method), ``standard_error`` (by method), ``reason``.
    missingness_
        How values are missing.
    """

    state = ("table_", "choice_", "missingness_")

    def __init__(
        self,
        candidates: Sequence[str] | None = None,
        masks: int = MIN_MASKS,
        hidden: float = 0.05,
    ) -> None:
        self.candidates = candidates
        self.masks = masks
        self.hidden = hidden

    def fit(self, X: Any, y: None = None) -> Self:
        """Choose a method and fit it."""
        self._check_parameters()
        X = np.ascontiguousarray(self._checked(X, fitting=True))
        found = judge_missingness(X)
        self.missingness_ = found.figures()
        self.table_: list[dict[str, Any]] = []
        names = self._names(X, found)
        masking = masking_for(X, found, self.hidden)
        if found.mechanism == "none":
            self.choice_ = only("median", "no value was missing in training")
        elif masking is None:
            self.choice_ = only("median", "too few known values to hide some")
        elif len(names) == 1:
            self.choice_ = only(names[0], "the only candidate")
        else:
            self.table_ = try_all(names, masking, self.masks)
            self.choice_ = choose(self.table_)
        self.chosen_ = IMPUTERS[self.choice_["method"]]().fit(X)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the values without NaN, each sample by itself."""
        check_is_fitted(self)
        return self.chosen_.transform(self._checked(X))

    @property
    def did_(self) -> str:
        """What was done, for people."""
        return f"{self.choice_['method']} ({self.choice_['reason']}): {self.chosen_.did_}"

    def to_h5(self, group: h5py.Group) -> None:
        """Write the parameters, the table and the chosen step."""
        super().to_h5(group)
        self.chosen_.to_h5(group.create_group("chosen"))

    @classmethod
    def from_h5(cls, group: h5py.Group) -> Self:
        """Read a fitted step that :meth:`to_h5` wrote."""
        step = super().from_h5(group)
        by_class = {imputer.__name__: imputer for imputer in IMPUTERS.values()}
        step.chosen_ = by_class[read_json(group["chosen"], "step")].from_h5(group["chosen"])
        return step

    def _check_parameters(self) -> None:
        unknown = sorted(set(self.candidates or ()) - set(IMPUTERS))
        if unknown:
            raise ValueError(
                f"The candidates {', '.join(unknown)} are none of {', '.join(IMPUTERS)}."
            )
        if self.masks < MIN_MASKS:
            raise ValueError(f"masks={self.masks}: a standard error needs {MIN_MASKS} at least.")
        if not 0 < self.hidden <= 0.5:
            raise ValueError(f"hidden={self.hidden} is not above 0 and at most 0.5.")

    def _names(self, X: np.ndarray, found: Missingness) -> list[str]:
        """Return the candidates, the cheapest first."""
        if self.candidates:
            return [name for name in IMPUTERS if name in self.candidates]
        n, p = X.shape
        affordable = {
            "median": True,
            "censored": found.mechanism == "censored",
            "svd": True,
            "knn": n <= MAX_SAMPLES_KNN,
            "iterative": p <= MAX_FEATURES_ITERATIVE,
            "autoencoder": False,
            "forest": p <= MAX_FEATURES_FOREST,
        }
        return [name for name in IMPUTERS if affordable[name]]


def only(method: str, reason: str) -> dict[str, Any]:
    """Return a choice that no error decided."""
    return {
        "method": method,
        "best": method,
        "limit": None,
        "mean_error": {},
        "standard_error": {},
        "reason": reason,
    }


def try_all(names: Sequence[str], masking: Masking, masks: int) -> list[dict[str, Any]]:
    """Let each method restore what each mask hides."""
    rows = []
    for number in range(1, masks + 1):
        mask = mask_entries(masking, number)
        for name in names:
            step = IMPUTERS[name]().fit(mask.visible)
            restored = step.transform(mask.visible[mask.samples])[mask.row, mask.feature]
            rows += [{"method": name, "mask": number, **row} for row in errors(restored, mask)]
    return rows


def errors(restored: np.ndarray, mask: Mask) -> list[dict[str, Any]]:
    """Return the error for the values hidden by each mechanism, and for all."""
    squared = ((restored - mask.true) / mask.scale) ** 2
    parts = {"random": ~mask.lowest, "lowest": mask.lowest, "both": np.ones_like(mask.lowest)}
    return [
        {"mechanism": name, "n": int(of.sum()), "error": float(np.sqrt(squared[of].mean()))}
        for name, of in parts.items()
        if of.any()
    ]


def choose(table: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Take the cheapest method within one standard error of the best.

    Parameters
    ----------
    table
        As :attr:`AutoImputer.table_`, the methods from the cheapest to the dearest.
    """
    by_method: dict[str, list[float]] = {}
    for row in table:
        if row["mechanism"] == "both":
            by_method.setdefault(row["method"], []).append(row["error"])
    mean = {name: float(np.mean(found)) for name, found in by_method.items()}
    spread = {
        name: float(np.std(found, ddof=1) / np.sqrt(len(found)))
        for name, found in by_method.items()
    }
    best = min(mean, key=lambda name: mean[name])
    limit = mean[best] + spread[best]
    method = next(name for name in mean if mean[name] <= limit)
    reason = f"error {mean[method]:.3f} sd over {len(by_method[best])} masks"
    if method != best:
        reason += f", within one standard error of {best}, {mean[best]:.3f}"
    return {
        "method": method,
        "best": best,
        "limit": limit,
        "mean_error": mean,
        "standard_error": spread,
        "reason": reason,
    }
