"""What the verdict rests on, at its boundaries: chance, the mask, more patients, equal folds.

The boundaries of the rule itself are in test_verdict.py.
"""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from omicsfusion.assess.bootstrap import patient_weights
from omicsfusion.assess.comparison import more_patients
from omicsfusion.assess.comparison.chance import AgainstChance, against_chance
from omicsfusion.assess.comparison.differences import is_repeated_kfold
from omicsfusion.assess.comparison.judging import Signals, judge
from omicsfusion.assess.comparison.more_patients import needed
from omicsfusion.assess.comparison.roles import Question
from omicsfusion.assess.comparison.verdict import Margins
from omicsfusion.assess.held_out import HeldOut

JUST_ABOVE_CHANCE = math.nextafter(0.5, 1)


@pytest.mark.parametrize(
    ("hits", "controls", "beaten"),
    [(4, 99, True), (5, 99, False), (49, 999, True), (50, 999, False)],
)
@pytest.mark.parametrize("low", [0.5, JUST_ABOVE_CHANCE])
def test_with_99_controls_chance_is_beaten_up_to_a_p_of_5_percent_wherever_the_interval_ends(
    hits, controls, beaten, low
):
    p = (1 + hits) / (1 + controls)
    assert AgainstChance(p, controls, score=0.7, low=low, chance=0.5).beaten is beaten


@pytest.mark.parametrize(("low", "beaten"), [(0.5, False), (JUST_ABOVE_CHANCE, True)])
@pytest.mark.parametrize(("p", "controls"), [(1 / 99, 98), (1.0, 98), (None, 0)])
def test_with_98_controls_or_none_chance_is_beaten_when_the_interval_lies_above_it(
    p, controls, low, beaten
):
    assert AgainstChance(p, controls, score=0.7, low=low, chance=0.5).beaten is beaten


def with_controls(hits, controls):
    """A model whose AUROC is 5 of 6, some controls that score the same, and others that do not."""
    people = [f"P{number}" for number in range(5)]
    where = {"target": "t", "model": "fused", "scope": "test", "repeat": 1, "fold": 1}
    where |= {"inner": "outer", "sample": people, "patient": people, "truth": list("AABBB")}
    parts = []
    for number in range(controls + 1):
        p = np.array([0.1, 0.5, 0.4, 0.8, 0.9])
        p = p if number <= hits else 1 - p
        parts.append(pd.DataFrame({**where, "permutation": number, "p_A": 1 - p, "p_B": p}))
    return pd.concat(parts)


@pytest.mark.parametrize(
    ("hits", "controls", "p", "beaten"),
    [(4, 99, 0.05, True), (5, 99, 0.06, False), (0, 98, 1 / 99, False)],
)
def test_controls_that_score_the_same_are_hits_and_99_of_them_decide(hits, controls, p, beaten):
    """(1 + hits) / (1 + controls), Phipson & Smyth, Stat Appl Genet Mol Biol 9, 2010, 39.

    Five patients are too few for an interval above chance, so that it never says beaten.
    """
    weights = patient_weights(5, 1, "test")
    found = against_chance(with_controls(hits, controls), "classification", weights)
    assert (found.permutation_p, found.n_controls, found.beaten) == (p, controls, beaten)
    assert found.score == pytest.approx(5 / 6, abs=1e-12)
    assert found.low <= found.chance


def judged_beside_mask(ci_low):
    """Judge a network that is surely better than a line, and so much better than mask-only."""
    apart = {"difference": 0.1, "ci_low": 0.05, "ci_high": 0.15, "se": 0.02, "df": 9}
    counts = {"n_folds": 10, "n_repeats": 2, "n_patients": 100, "n_events": pd.NA}
    shallow = {
        **{"scope": "test", "family": "question", "name": "shallow", "model": "fused"},
        **{"against": "linear", "metric": "auroc", "score": 0.8, "score_against": 0.7},
        **{**apart, **counts, "p": 0.001, "p_holm": 0.001, "method": "nadeau_bengio"},
        **{"share_positive": 1.0, "share_negative": 0.0, "least_class": 50, "failed_share": 0.0},
    }
    mask = {"scope": "test", "family": "model", "name": "mask", "ci_low": ci_low}
    table = pd.DataFrame([shallow, mask])
    above_chance = AgainstChance(None, 0, score=0.8, low=0.7, chance=0.5)
    asked = {"shallow": Question("shallow", ("fused",), ("linear",))}
    return judge(table, Signals(above_chance), "fused", Margins(), {}, asked)


@pytest.mark.parametrize(
    ("ci_low", "beaten", "verdict"),
    [(math.nextafter(0, 1), True, "helped"), (0.0, False, "no usable signal")],
)
def test_the_mask_is_beaten_when_the_interval_lies_above_0(ci_low, beaten, verdict):
    found = judged_beside_mask(ci_low)
    assert found["beats_mask"] is beaten
    assert found["verdict"] == verdict


DF = 9
UNIT = float(student.ppf(0.95, DF) + student.ppf(0.8, DF))
"""Without a difference (UNIT x standard error / margin)² times the patients are needed."""


@pytest.mark.parametrize(("times", "beyond"), [(20 * (1 - 1e-12), False), (20 * (1 + 1e-12), True)])
@pytest.mark.parametrize("n", [30, 100, 4321])
def test_patients_are_no_advice_beyond_20_times_those_there_are(n, times, beyond):
    found = needed(n, difference=0.0, se=times**0.5 / UNIT, df=DF, margin=1.0)
    assert found.beyond is beyond


@pytest.mark.parametrize(
    ("margin", "beyond"), [(UNIT, False), (math.nextafter(UNIT, 0), True)], ids=["at", "past"]
)
def test_just_so_many_times_the_patients_are_advice(monkeypatch, margin, beyond):
    """The bound is set to 16, whose root is a float, unlike that of 20: (UNIT x 4 / UNIT)² = 16."""
    monkeypatch.setattr(more_patients, "BEYOND", 16)
    assert needed(100, difference=0.0, se=4.0, df=DF, margin=margin).beyond is beyond


def folds_of(*repeats):
    """Held-out sets of the given sizes: a list for each repeat."""
    nobody = pd.DataFrame()
    return [
        HeldOut(repeat, fold, (repeat, 0), pd.DataFrame(index=range(n)), nobody, np.zeros(n, int))
        for repeat, sizes in enumerate(repeats, start=1)
        for fold, n in enumerate(sizes, start=1)
    ]


@pytest.mark.parametrize(
    ("sizes", "equal"),
    [([10, 10, 10, 10, 15], True), ([1000] * 4 + [1500], True), ([1000] * 4 + [1501], False)],
)
def test_folds_are_of_one_size_up_to_one_and_a_half_times_the_least(sizes, equal):
    assert is_repeated_kfold(folds_of(sizes, sizes[::-1])) is equal


def test_folds_of_different_repeats_are_compared_as_well():
    assert is_repeated_kfold(folds_of([10] * 5, [15] * 5))
    assert not is_repeated_kfold(folds_of([10] * 5, [16] * 5))


@pytest.mark.parametrize(
    ("folds", "enough"),
    [((5, 5), True), ((4, 4), False), ((5,), False), ((10,), False), ((5, 6), False)],
)
def test_the_corrected_t_test_needs_five_folds_in_each_of_two_repeats(folds, enough):
    assert is_repeated_kfold(folds_of(*([10] * number for number in folds))) is enough
