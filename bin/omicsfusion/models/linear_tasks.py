"""The three linear models: what is minimised, what is tuned, and what is predicted."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import softmax

from omicsfusion.models.baseline_hazard import breslow
from omicsfusion.models.coefficients import Coefficients, rotated
from omicsfusion.models.cohort import ScopeData
from omicsfusion.models.fit import (
    class_columns,
    predicted_rows,
    regression_columns,
    survival_columns,
)
from omicsfusion.models.logistic import (
    balanced_log_likelihood,
    balanced_weights,
    elastic_net_path,
    largest_strength,
    ridge_path,
)
from omicsfusion.models.penalties import NET_SHARES, Penalty, grid, path_by_kind, ridge_grid
from omicsfusion.tables.outcome import Outcome

NET_RATIO = 0.5
COX_RATIOS = (0.05, 0.5)
# Weak penalties on more columns than samples fit the noise, and take most of the time.
COX_SHARES_WIDE = tuple(10.0 ** np.arange(-0.25, -1.3, -0.25))
COX_SHARES_LONG = tuple(10.0 ** np.arange(-0.25, -3.1, -0.25))


class FitError(ValueError):
    """A model cannot be fitted on these samples; the text says why."""


class LinearTask(ABC):
    """What distinguishes the linear models of the three tasks.

    ``y`` stands for what :meth:`truth` returns. Scores are linear predictors, samples x outputs.
    """

    outputs: tuple[str, ...]

    @abstractmethod
    def truth(self, samples: Sequence[str]) -> np.ndarray:
        """Return what is to be predicted, a row per sample."""

    @abstractmethod
    def penalties(self, x: np.ndarray, y: np.ndarray) -> list[Penalty]:
        """List the candidates for a training set and its inner folds."""

    @abstractmethod
    def path(
        self, x: np.ndarray, y: np.ndarray, penalties: Sequence[Penalty]
    ) -> list[Coefficients]:
        """Fit each candidate on training samples."""

    @abstractmethod
    def value(self, scores: np.ndarray, y: np.ndarray) -> float:
        """Say how good scores of held-out samples are: more is better, NaN if it cannot be told."""

    @abstractmethod
    def columns(
        self, data: ScopeData, scores: np.ndarray, spread: float
    ) -> Mapping[str, np.ndarray]:
        """Turn scores of all rows into the prediction columns of the predicted ones."""

    def spread(self, scores: np.ndarray, y: np.ndarray) -> float:
        """Return the standard deviation of held-out residuals, for tasks that have one."""
        return np.nan

    @abstractmethod
    def check(self, y: np.ndarray) -> None:
        """Refuse training samples that teach nothing.

        Raises
        ------
        FitError
            When a class is missing, or there is no event.
        """

    def extras(self, scores: np.ndarray, y: np.ndarray) -> dict[str, object]:
        """Return what a saved model needs to predict besides what gave these training scores."""
        return {}


class ClassTask(LinearTask):
    """Multinomial logistic regression, ridge or elastic net, with balanced classes.

    Each class weighs the same, so the class of the highest probability is the choice that balanced
    accuracy rewards. The probabilities are those of a cohort in which all classes are equally
    frequent; they are not corrected for the classes' shares.

    Tuned on the log loss of that balanced cohort: on few samples of a rare class it tells
    candidates apart where balanced accuracy hangs on one or two patients.
    """

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self.outputs = outcome.classes

    def truth(self, samples: Sequence[str]) -> np.ndarray:
        return self._outcome.class_codes(list(samples))

    def penalties(self, x: np.ndarray, y: np.ndarray) -> list[Penalty]:
        largest = largest_strength(x, y, self._weights(y))
        return [*ridge_grid(x), *grid(NET_RATIO, largest / NET_RATIO, NET_SHARES)]

    def path(
        self, x: np.ndarray, y: np.ndarray, penalties: Sequence[Penalty]
    ) -> list[Coefficients]:
        weights = self._weights(y)

        def fit(l1_ratio: float, strengths: list[float]) -> list[Coefficients]:
            if l1_ratio == 0:
                return ridge_path(x, y, weights, strengths)
            return elastic_net_path(x, y, weights, strengths, l1_ratio)

        return path_by_kind(penalties, fit)

    def value(self, scores: np.ndarray, y: np.ndarray) -> float:
        return balanced_log_likelihood(scores, y)

    def columns(
        self, data: ScopeData, scores: np.ndarray, spread: float
    ) -> Mapping[str, np.ndarray]:
        return class_columns(softmax(scores[predicted_rows(data)], axis=1), self._outcome)

    def check(self, y: np.ndarray) -> None:
        self._weights(y)

    def _weights(self, codes: np.ndarray) -> np.ndarray:
        counts = np.bincount(codes, minlength=len(self.outputs))
        if (counts == 0).any():
            missing = self.outputs[int(np.argmin(counts))]
            raise FitError(f"no training sample has the class {missing!r}")
        return balanced_weights(codes)


class SurvivalTask(LinearTask):
    """Cox regression with an elastic-net penalty (Simon et al. 2011, J Stat Softw 39:5).

    Tuned on the partial likelihood of the samples that inner folds hold out (the basic approach in
    Dai and Breheny 2019, arXiv:1905.10432). The C-index does not see the scale of the risks: tuned
    on it, survival probabilities come out as 0 and 1.
    """

    outputs = ("risk",)

    def __init__(self, outcome: Outcome, horizons: Sequence[float]) -> None:
        self._outcome = outcome
        self._horizons = horizons

    def truth(self, samples: Sequence[str]) -> np.ndarray:
        return self._outcome.table.loc[list(samples), ["time", "event"]].to_numpy(float)

    def penalties(self, x: np.ndarray, y: np.ndarray) -> list[Penalty]:
        self.check(y)
        time, event = y.T
        times, hazard = breslow(np.zeros(len(y)), time, event)
        expected = np.concatenate([[0.0], hazard])[np.searchsorted(times, time, side="right")]
        largest = float(np.abs(x.T @ (event - expected)).max()) / len(y)
        shares = COX_SHARES_WIDE if x.shape[1] > x.shape[0] else COX_SHARES_LONG
        return [p for ratio in COX_RATIOS for p in grid(ratio, largest / ratio, shares)]

    def path(
        self, x: np.ndarray, y: np.ndarray, penalties: Sequence[Penalty]
    ) -> list[Coefficients]:
        from sksurv.linear_model import CoxnetSurvivalAnalysis

        self.check(y)
        outcome = np.array(
            [(event == 1, time) for time, event in y], dtype=[("e", "?"), ("t", "f8")]
        )

        def fit(l1_ratio: float, strengths: list[float]) -> list[Coefficients]:
            model = CoxnetSurvivalAnalysis(alphas=strengths, l1_ratio=l1_ratio)
            model.fit(x, outcome)
            path = [Coefficients(column[:, None], np.zeros(1)) for column in model.coef_.T]
            # Coxnet stops where a weaker penalty no longer changes the likelihood.
            return path + path[-1:] * (len(strengths) - len(path))

        return path_by_kind(penalties, fit)

    def value(self, scores: np.ndarray, y: np.ndarray) -> float:
        return partial_log_likelihood(scores[:, 0], *y.T)

    def columns(
        self, data: ScopeData, scores: np.ndarray, spread: float
    ) -> Mapping[str, np.ndarray]:
        return survival_columns(data, scores[:, 0], self._outcome, self._horizons)

    def extras(self, scores: np.ndarray, y: np.ndarray) -> dict[str, object]:
        risk = scores[:, 0]
        times, hazard = breslow(risk - risk.mean(), *y.T)
        centre = {"risk_centre": float(risk.mean())}
        return {**centre, "hazard_times": times.tolist(), "cumulative_hazard": hazard.tolist()}

    def check(self, y: np.ndarray) -> None:
        if not y[:, 1].any():
            raise FitError("no training sample has an event")


class RegressionTask(LinearTask):
    """Ridge regression, tuned on R2 (of a Gaussian the same as the likelihood) in inner folds."""

    outputs = ("mean",)

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def truth(self, samples: Sequence[str]) -> np.ndarray:
        return self._outcome.table.loc[list(samples), "truth"].to_numpy(float)

    def check(self, y: np.ndarray) -> None:
        """Refuse nothing: a number that is the same for all can be predicted, too."""

    def penalties(self, x: np.ndarray, y: np.ndarray) -> list[Penalty]:
        return ridge_grid(x)

    def path(
        self, x: np.ndarray, y: np.ndarray, penalties: Sequence[Penalty]
    ) -> list[Coefficients]:
        centre = x.mean(axis=0)
        z, turn = rotated(x - centre)
        values, vectors = np.linalg.eigh(z.T @ z / len(z))
        along = vectors.T @ (z.T @ (y - y.mean())) / len(z)
        path = []
        for penalty in penalties:
            weights = turn @ (vectors @ (along / (values + penalty.strength)))
            path.append(Coefficients(weights[:, None], np.array([y.mean() - centre @ weights])))
        return path

    def value(self, scores: np.ndarray, y: np.ndarray) -> float:
        around_mean = np.sum((y - y.mean()) ** 2)
        return float(1 - np.sum((y - scores[:, 0]) ** 2) / around_mean) if around_mean else np.nan

    def columns(
        self, data: ScopeData, scores: np.ndarray, spread: float
    ) -> Mapping[str, np.ndarray]:
        return regression_columns(scores[predicted_rows(data), 0], spread)

    def spread(self, scores: np.ndarray, y: np.ndarray) -> float:
        return float(np.sqrt(np.mean((y - scores[:, 0]) ** 2)))


def partial_log_likelihood(risk: np.ndarray, time: np.ndarray, event: np.ndarray) -> float:
    """Return the log partial likelihood per event, ties as Breslow has them; NaN without events.

    Parameters
    ----------
    risk
        Log partial hazards, shape (samples,).
    time, event
        Follow-up time and event indicator (1 or 0), shape (samples,).
    """
    order = np.argsort(-time, kind="stable")
    later = np.searchsorted(-time[order], -time, side="right") - 1
    at_risk = np.logaddexp.accumulate(risk[order])[later]
    happened = event == 1
    return float(np.mean((risk - at_risk)[happened])) if happened.any() else np.nan


def task_of(outcome: Outcome, horizons: Sequence[float]) -> LinearTask:
    """Return the linear model of an outcome's task."""
    if outcome.task == "classification":
        return ClassTask(outcome)
    if outcome.task == "survival":
        return SurvivalTask(outcome, horizons)
    return RegressionTask(outcome)
