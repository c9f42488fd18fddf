"""Survival by intervals: the probability of the event in each, given that one reaches it."""

from collections.abc import Sequence

import numpy as np

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.cohort import ScopeData
from omicsfusion.models.fit import asked_times, named_survival, predicted_rows
from omicsfusion.models.heads.base import Head, Settings, Targets, weighted_mean
from omicsfusion.models.heads.hazards import known_survival
from omicsfusion.models.links import USUAL_LOGIT, average_members, mean_hazards
from omicsfusion.scopes import TRAINING_ROLES
from omicsfusion.tables.outcome import Outcome

ops = keras.ops

MOST_INTERVALS = 10
EVENTS_PER_INTERVAL = 5
"""Events of ``train`` rows in an interval, about; with few events there are fewer intervals."""


class DiscreteHazardHead(Head):
    """Hazards of intervals of time, each by a logistic regression of its own: no proportionality.

    The logistic hazard of Gensheimer and Narasimhan, PeerJ 7, 2019, e6257 (so named by Kvamme and
    Borgan, Lifetime Data Analysis 27, 2021, 710-736). ``risk`` is the log of the cumulative hazard,
    averaged over the interval ends (``log_hazard`` in ``links``), less its mean over the training
    samples: under proportional hazards what Cox's model calls the risk.
    """

    link = "log_hazard"
    units = MOST_INTERVALS
    names = ("risk",)
    setting = "logistic hazards of intervals"

    def __init__(self, outcome: Outcome, horizons: Sequence[float]) -> None:
        self.outcome = outcome
        self.horizons = horizons

    def targets(self, data: ScopeData) -> Targets:
        """Encode (intervals survived, event in the next one)."""
        time, event, has = known_survival(data, self.outcome)
        train = data.rows("train")
        ends = interval_ends(time[train][event[train] == 1])
        values = np.where(has[:, None], survived_intervals(time, event, ends), 0)
        return Targets(
            values=values.astype(np.float32),
            weight=has.astype(np.float32),
            strata=event,
            stops=bool(np.any(event[data.rows("stop")] == 1)),
            ends=ends,
            note=f"intervals that end at {', '.join(f'{end:g}' for end in ends)}",
        )

    def loss(self, outputs: Tensor, target: Tensor, weight: Tensor, settings: Settings) -> Tensor:
        """Minus the log-likelihood per sample."""
        return weighted_mean(logistic_hazard(outputs, target[..., 0], target[..., 1]), weight)

    def unit(
        self, raw: np.ndarray, data: ScopeData, targets: Targets
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return how often each interval's hazard counts, and minus the training samples' mean."""
        used = len(targets.ends)
        scale = (np.maximum(used - np.arange(self.units), 0) / used).astype(np.float32)
        training = raw[:, data.rows(*TRAINING_ROLES)]
        mean = np.mean(average_members(training, self.link, 0.0, scale), dtype=np.float64)
        return np.array([-mean], np.float32), scale

    def columns(
        self, raw: np.ndarray, prediction: np.ndarray, data: ScopeData, targets: Targets
    ) -> dict[str, np.ndarray]:
        """Return ``risk``, and survival at the horizons and at the own time of each sample.

        It is exp(-H), H linear within an interval.

        That is a constant hazard within it (Kvamme and Borgan 2021, section 3.2). After the last
        interval nothing is known, and survival stays as it is at its end.
        """
        risk = prediction[:, 0] - prediction[data.rows(*TRAINING_ROLES), 0].mean()
        rows = predicted_rows(data)
        hazards = np.asarray(mean_hazards(raw[:, rows]), float)[:, : len(targets.ends)]
        asked = asked_times(data, self.outcome, self.horizons)
        survival = survival_between(hazards, targets.ends, asked)
        return {"risk": risk[rows], **named_survival(survival, self.horizons)}


def interval_ends(event_times: np.ndarray) -> np.ndarray:
    """Return times at which intervals end: quantiles of the event times, the latest among them.

    There are ``MOST_INTERVALS`` at most, and one for each ``EVENTS_PER_INTERVAL`` events; each
    holds an event.
    """
    wanted = int(np.clip(len(event_times) // EVENTS_PER_INTERVAL, 1, MOST_INTERVALS))
    shares = np.arange(1, wanted + 1) / wanted
    return np.unique(np.quantile(event_times, shares, method="inverted_cdf"))


def survived_intervals(time: np.ndarray, event: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Count the intervals that each sample survived, and tell whether the next one had its event.

    An interval is (end before, its end]. A sample that was censored in one survived it when it was
    seen for at least half of it (Gensheimer and Narasimhan 2019). An event after the last end is
    none: all intervals were survived.

    Returns
    -------
    samples x 2.
    """
    middles = (np.concatenate([[0.0], ends[:-1]]) + ends) / 2
    before_event = np.searchsorted(ends, time, side="left")
    before_censoring = np.searchsorted(middles, time, side="right")
    happened = (event == 1) & (before_event < len(ends))
    return np.column_stack([np.where(event == 1, before_event, before_censoring), happened])


def logistic_hazard(outputs: Tensor, survived: Tensor, event: Tensor) -> Tensor:
    """Minus the log-likelihood of each sample.

    The hazard of interval j is h_j = sigmoid(output_j + ``USUAL_LOGIT``); a sample adds
    -log(1 - h_j) for each interval that it survived and -log h_j for the one of its event.

    Parameters
    ----------
    outputs
        members x batch x intervals.
    survived, event
        members x batch: number of intervals, and 1 when the next one had the event.

    Returns
    -------
    members x batch.
    """
    logit = outputs + USUAL_LOGIT
    interval = ops.cast(ops.arange(ops.shape(outputs)[-1]), outputs.dtype)
    lived = ops.cast(interval < survived[..., None], outputs.dtype)
    died = ops.cast(interval == survived[..., None], outputs.dtype) * event[..., None]
    return ops.sum(lived * ops.softplus(logit) + died * ops.softplus(-logit), axis=-1)


def survival_between(hazards: np.ndarray, ends: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Return survival at the times asked, samples x times; NaN where a time is.

    Parameters
    ----------
    hazards
        What each interval adds to the cumulative hazard, samples x intervals.
    ends
        Where the intervals end.
    asked
        The same times for all samples, or samples x times.
    """
    cumulative = np.cumsum(hazards, axis=1)
    cumulative = np.concatenate([np.zeros((len(hazards), 1)), cumulative], axis=1)
    places = np.concatenate([[0.0], ends])
    asked = np.broadcast_to(asked, (len(hazards), np.shape(asked)[-1]))
    at = [np.interp(t, places, h) for t, h in zip(asked, cumulative, strict=True)]
    return np.exp(-np.array(at).reshape(asked.shape))
