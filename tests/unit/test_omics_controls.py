"""What omics add, against what they add where those of other patients take their place."""

import numpy as np
import pandas as pd
import pytest

from omicsfusion.assess.comparison.chance import mean_score
from omicsfusion.assess.comparison.judging import Background, compare
from omicsfusion.assess.comparison.omics_controls import (
    AgainstPermutedOmics,
    against_permuted_omics,
    score_omics_controls,
)
from omicsfusion.assess.comparison.verdict import Margins
from tests.compared_models import compared_models

NETWORKS = ("fused",)
MODELS = {"fused": 1.0, "linear": 0.6, "clinical": 0.6, "fused+clinical": 2.0}
CONTROLS = 99


def controls_of(task, gains, clinical=0.6):
    """One repeat for each control; ``gains``: what the network with covariates sees more."""
    parts = []
    for number, gain in enumerate(gains, start=1):
        models = {"clinical": clinical, "fused+clinical": clinical + gain}
        table = compared_models(task, models, repeats=1, patients=60, seed=number)
        parts.append(table[table["repeat"] == 1].assign(permutation=number))
    return pd.concat(parts)


@pytest.mark.parametrize("task", ["classification", "survival", "regression"])
def test_what_is_gained_over_the_covariates_is_scored_on_the_folds_of_the_controls(task):
    real = compared_models(task, MODELS)
    table = score_omics_controls(real, controls_of(task, [0.0, 1.0]), NETWORKS, task)
    assert table["permutation"].tolist() == [0, 1, 2]
    assert set(table["model"]) == {"fused+clinical"}
    assert set(table["against"]) == {"clinical"}
    first = real[real["repeat"] == 1]
    scores = [
        mean_score(first[first["model"] == model], task) for model in ("fused+clinical", "clinical")
    ]
    own = table.iloc[0]
    assert own[["score", "score_against"]].tolist() == scores
    assert own["difference"] == scores[0] - scores[1]


def test_p_counts_the_controls_that_gain_at_least_as_much_and_what_is_not_defined():
    gains = pd.DataFrame({"permutation": range(5), "difference": [0.1, 0.1, 0.2, 0.0, np.nan]})
    found = against_permuted_omics(gains)
    assert (found.p, found.n_controls, found.beaten) == (4 / 5, 4, None)
    undefined = gains.assign(difference=[np.nan, *gains["difference"][1:]])
    assert against_permuted_omics(undefined).p == 1
    assert against_permuted_omics(gains[gains["permutation"] == 0]) is None
    assert against_permuted_omics(gains[gains["permutation"] > 0]) is None


@pytest.mark.parametrize(
    ("p", "n", "expected"), [(0.05, 99, True), (0.06, 99, False), (0.02, 98, None)]
)
def test_enough_controls_decide_at_one_in_twenty(p, n, expected):
    assert AgainstPermutedOmics(p, n).beaten is expected


def test_omics_are_said_to_add_only_where_permuted_ones_do_not():
    models = {**MODELS, "clinical": 0.3, "fused+clinical": 3.0}
    real = compared_models("classification", models, patients=300)

    def answer(gain):
        controls = controls_of("classification", [gain] * CONTROLS, clinical=0.0)
        table = score_omics_controls(real, controls, NETWORKS, "classification")
        known = Background(networks_tuned=True)
        _, _, judged = compare(
            real, NETWORKS, "classification", 1, Margins(), known, omics_controls=table
        )
        (record,) = judged["targets"]
        return record, record["questions"][-1]["verdict"]

    noise, verdict = answer(0.0)
    assert (noise["omics_permutation_p"], noise["n_omics_controls"]) == (0.01, CONTROLS)
    assert verdict == "helped"
    as_good, verdict = answer(20.0)
    assert as_good["omics_permutation_p"] > 0.05
    assert verdict == "cannot tell"
    assert "not more than permuted omics" in as_good["caveats"][-1]


def test_a_control_without_one_of_the_sides_counts_as_a_hit():
    real = compared_models("regression", MODELS)
    controls = controls_of("regression", [0.0, 0.0])
    lacking = controls[(controls["permutation"] == 1) | (controls["model"] == "clinical")]
    table = score_omics_controls(real, lacking, NETWORKS, "regression")
    assert table["difference"].isna().tolist() == [False, False, True]
    assert against_permuted_omics(table).p == 2 / 3


def test_where_omics_are_not_asked_about_there_is_nothing_to_score():
    real = compared_models("regression", {"fused": 1.0, "linear": 0.5})
    assert score_omics_controls(real, real.iloc[:0], NETWORKS, "regression").empty
