"""Discrete hazards: intervals, survival between their ends, and the unit of the risk."""

import numpy as np
import pytest

from omicsfusion.models.heads.choice import head_for
from omicsfusion.models.heads.discrete_hazards import (
    EVENTS_PER_INTERVAL,
    MOST_INTERVALS,
    DiscreteHazardHead,
    interval_ends,
    survival_between,
    survived_intervals,
)
from omicsfusion.models.links import average_members
from omicsfusion.tables.tsv import read_tsv, write_tsv
from tests.network_cohort import SCOPES, open_cohort, write_cohort

LAYERS = ("mirna", "rna")


def cohort_and_head(folder):
    reader, outcome = open_cohort(folder, "survival")
    head = head_for(outcome, [1.0, 2.0], "discrete_hazard")
    assert isinstance(head, DiscreteHazardHead)
    return reader.load(SCOPES[0], LAYERS), head


def censor(folder, role: str, every: int = 1) -> None:
    """Censor the samples of a role, or one in so many."""
    splits = read_tsv(folder / "splits.tsv", text_columns=("role", "group"))
    samples = read_tsv(folder / "samples.tsv")
    chosen = splits.loc[splits["role"] == role, "sample"][::every]
    samples.loc[samples["sample"].isin(chosen), "event"] = 0
    write_tsv(samples, folder / "samples.tsv")


@pytest.mark.parametrize(("events", "intervals"), [(1, 1), (9, 1), (10, 2), (34, 6), (500, 10)])
def test_there_are_as_many_intervals_as_events_allow_and_each_holds_its_share(events, intervals):
    times = np.random.default_rng(events).exponential(size=events)
    ends = interval_ends(times)
    assert len(ends) == intervals <= MOST_INTERVALS
    assert ends[-1] == times.max()
    held = np.bincount(np.searchsorted(ends, times, side="left"), minlength=intervals)
    assert held.min() >= min(events, EVENTS_PER_INTERVAL)
    assert held.max() - held.min() <= 1


def test_tied_event_times_make_fewer_intervals_but_no_empty_one():
    ends = interval_ends(np.repeat([3.0, 5.0], 40))
    assert ends.tolist() == [3.0, 5.0]


def test_who_is_seen_for_half_an_interval_survived_it_and_an_event_at_its_end_lies_in_it():
    ends = np.array([2.0, 4.0])
    time = np.array([0.5, 1.0, 2.0, 2.9, 3.0, 9.0, 2.0, 2.1, 9.0])
    event = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1])
    expected = [[0, 0], [1, 0], [1, 0], [1, 0], [2, 0], [2, 0], [0, 1], [1, 1], [2, 0]]
    assert survived_intervals(time, event, ends).tolist() == expected


def test_survival_falls_exponentially_within_an_interval_and_not_at_all_after_the_last():
    hazards = np.array([[0.2, 0.6], [0.0, 1.0]])
    survival = survival_between(hazards, np.array([2.0, 4.0]), np.array([0.0, 1, 2, 3, 4, 9]))
    cumulative = [[0, 0.1, 0.2, 0.5, 0.8, 0.8], [0, 0, 0, 0.5, 1, 1]]
    np.testing.assert_allclose(survival, np.exp(-np.array(cumulative)), rtol=1e-12)
    assert survival_between(hazards, np.array([2.0, 4.0]), np.zeros(0)).shape == (2, 0)


def test_only_intervals_in_use_count_and_the_training_samples_mean_risk_is_zero(tmp_path):
    write_cohort(tmp_path, "survival", SCOPES[:1])
    censor(tmp_path, "train", every=2)
    data, head = cohort_and_head(tmp_path)
    targets = head.targets(data)
    used = len(targets.ends)
    assert 1 < used < head.units
    raw = np.random.default_rng(0).normal(size=(2, len(data.samples), head.units))
    raw = raw.astype(np.float32)
    offset, scale = head.unit(raw, data, targets)
    prediction = np.asarray(average_members(raw, head.link, offset, scale))
    spoilt = raw.copy()
    spoilt[..., used:] = 50
    np.testing.assert_array_equal(average_members(spoilt, head.link, offset, scale), prediction)
    columns = head.columns(raw, prediction, data, targets)
    assert list(columns) == ["risk", "s_1", "s_2", "own_survival"]
    np.testing.assert_allclose(prediction[data.rows("train", "stop")].mean(), 0, atol=1e-5)
    rows = data.rows("test")
    np.testing.assert_allclose(columns["risk"], prediction[rows, 0], atol=1e-6)
    cumulative = np.log1p(np.exp(raw[:, rows, :used].astype(float) - 2.2)).mean(axis=0)
    risk = np.log(cumulative.cumsum(axis=1).mean(axis=1))
    np.testing.assert_allclose(columns["risk"] - columns["risk"][0], risk - risk[0], atol=1e-5)


def test_stop_samples_without_an_event_cannot_tell_when_to_stop(tmp_path):
    write_cohort(tmp_path, "survival", SCOPES[:1])
    data, head = cohort_and_head(tmp_path)
    assert head.targets(data).stops
    censor(tmp_path, "stop")
    data, head = cohort_and_head(tmp_path)
    assert not head.targets(data).stops
