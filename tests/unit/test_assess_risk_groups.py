"""Risk groups, their curves and their difference."""

import numpy as np
import pandas as pd
import pytest

from omicsfusion.assess.kaplan_meier import kaplan_meier
from omicsfusion.assess.risk_groups import (
    group_curves,
    group_difference,
    group_outcomes,
    risk_groups,
)
from tests.predictions_table import predictions_table


def entry(test_risks, inner_risks=(0.0, 1.0, 2.0)):
    """Predictions of one model: test risks of each repeat, and the same inner risks for all."""
    parts = []
    for repeat, risks in enumerate(test_risks, start=1):
        for scope, values in (("test", risks), ("inner", inner_risks)):
            part = pd.DataFrame({"risk": values, "scope": scope, "repeat": repeat, "fold": 1})
            part["sample"] = part["patient"] = [f"{scope}{n}" for n in range(len(part))]
            parts.append(part.assign(model="fused", time=1.0 + part.index, event=1))
    return pd.concat(parts, ignore_index=True)


def outcomes(groups, time, event):
    return pd.DataFrame({"risk_group": groups, "time": time, "event": event})


def test_a_sample_is_high_above_the_median_of_the_inner_risks():
    groups = risk_groups(entry([[1.01, 1.0, -5.0]]))
    assert groups["risk_group"].tolist() == ["high", "low", "low"]


def test_test_risks_take_no_part_in_the_cut():
    groups = risk_groups(entry([[10.0, 11.0, 12.0]]))
    assert groups["risk_group"].tolist() == ["high", "high", "high"]


def test_over_repeats_half_the_votes_make_a_sample_high():
    groups = risk_groups(entry([[9.0, 9.0], [9.0, 0.0], [0.0, 0.0], [0.0, 9.0]]))
    assert groups["share_high"].tolist() == [0.5, 0.5]
    groups = risk_groups(entry([[9.0], [0.0], [0.0]]))
    assert groups["risk_group"].tolist() == ["low"]


def test_a_repeat_without_a_prediction_has_no_vote():
    groups = risk_groups(entry([[9.0, np.nan], [np.nan, np.nan]]))
    assert groups["share_high"].tolist() == pytest.approx([1.0, np.nan], nan_ok=True)
    assert groups["risk_group"].isna().tolist() == [False, True]


def test_a_fold_without_inner_risks_groups_nobody():
    groups = risk_groups(entry([[9.0]], inner_risks=(np.nan, np.nan)))
    assert groups["risk_group"].isna().all()
    assert len(group_outcomes(entry([[9.0]]), groups)) == 0


def test_a_model_whose_risks_are_all_equal_has_one_group_and_no_difference():
    table = predictions_table("survival", models=("fused",)).assign(risk=0.0)
    joined = group_outcomes(table, risk_groups(table))
    found = group_difference("fused", joined)
    assert (found["n_low"], found["n_high"]) == (36, 0)
    for name in ("statistic", "p", "hazard_ratio", "hr_low", "hr_high"):
        assert np.isnan(found[name])
    assert set(group_curves("fused", joined)["risk_group"]) == {"low"}


def test_nobody_in_any_group_is_no_crash():
    empty = outcomes([], [], [])
    assert len(group_curves("fused", empty)) == 0
    assert np.isnan(group_difference("fused", empty)["p"])


def test_the_hazard_ratio_is_missing_where_it_would_be_infinite():
    apart = outcomes(["high"] * 3 + ["low"] * 3, [1.0, 2, 3, 4, 5, 6], [1, 1, 1, 1, 1, 0])
    found = group_difference("fused", apart)
    assert np.isnan(found["hazard_ratio"])
    assert found["p"] < 0.05


def test_the_hazard_ratio_is_that_of_high_against_low():
    groups = ["high", "high", "low", "high", "low", "low"]
    found = group_difference("fused", outcomes(groups, [1.0, 2, 3, 4, 5, 6], [1] * 6))
    assert found["hazard_ratio"] > 1
    assert found["hr_low"] < found["hazard_ratio"] < found["hr_high"]


def test_curves_start_at_one_and_count_who_is_at_risk():
    table = group_curves("fused", outcomes(["high"] * 4, [2.0, 1.0, 2.0, 3.0], [1, 0, 0, 1]))
    assert table["time"].tolist() == [0, 1, 2, 3]
    assert table["survival"].tolist() == pytest.approx([1, 1, 2 / 3, 0])
    assert table["at_risk"].tolist() == [4, 4, 3, 1]
    assert table["events"].tolist() == [0, 0, 1, 1]
    assert (table["ci_low"] <= table["survival"]).all()
    assert (table["survival"] <= table["ci_high"]).all()


def test_a_survival_curve_is_flat_between_and_beyond_its_times():
    curve = kaplan_meier(np.array([1.0, 2.0, 4.0]), np.array([True, True, False]))
    found = curve.at(np.array([0.5, 1.0, 1.5, 2.0, 9.0]))
    assert found == pytest.approx([1, 2 / 3, 2 / 3, 1 / 3, 1 / 3])
