"""What holds of calibration slopes whatever the predictions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omicsfusion.assess.calibration_slope import Answers, logistic_slope
from omicsfusion.assess.cox_slope import cox_slope, stratum
from omicsfusion.assess.held_out import held_out_sets
from omicsfusion.assess.regression import regression_metrics
from tests.predictions_table import predictions_table

SEEDS = st.integers(0, 10_000)
SHIFTS = st.lists(st.floats(-5, 5), min_size=3, max_size=3)
FACTORS = st.sampled_from([0.25, 0.5, 3.0])


def simulated(seed):
    """Return of three sets: predictions, truths, times, events, weights of six replicates."""
    rng = np.random.default_rng(seed)
    for _ in range(3):
        x = rng.normal(size=30).round(1)
        truth = rng.random(30) < 1 / (1 + np.exp(-x))
        time = (3 * rng.exponential(size=30) * np.exp(-x / 2)).round(1) + 0.1
        yield x, truth, time, rng.random(30) < 0.6, rng.integers(0, 4, (6, 30)).astype(float)


def of_classes(seed, factor=1.0, shifts=(0, 0, 0)):
    return logistic_slope(
        [
            Answers(factor * x + shift, truth, weights)
            for (x, truth, _, _, weights), shift in zip(simulated(seed), shifts, strict=True)
        ]
    )


def of_risks(seed, factor=1.0, shifts=(0, 0, 0)):
    return cox_slope(
        [
            stratum(time, event, factor * x + shift, weights)
            for (x, _, time, event, weights), shift in zip(simulated(seed), shifts, strict=True)
        ]
    )


def of_values(seed, factor=1.0, shifts=(0, 0, 0)):
    table = predictions_table("regression", seed=seed, models=("fused",))
    table["mean"] = factor * table["mean"] + table["fold"].map(dict(enumerate((0, *shifts))))
    patients = sorted(table["patient"].unique())
    weights = np.random.default_rng(seed).integers(0, 4, (6, len(patients))).astype(float)
    sets = held_out_sets(table, "test", patients)
    return regression_metrics(sets, weights)["calibration_slope"]


@pytest.mark.parametrize("slope", [of_classes, of_risks, of_values])
@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, factor=FACTORS, shifts=SHIFTS)
def test_stretched_predictions_shrink_the_slope_and_shifted_folds_do_not_move_it(
    slope, seed, factor, shifts
):
    before, after = slope(seed), slope(seed, factor, shifts)
    assert np.isfinite(before).all()
    assert after == pytest.approx(before / factor, rel=1e-6, abs=1e-9)
