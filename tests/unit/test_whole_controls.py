"""What is left of a negative control of which a part could not be computed."""

import pandas as pd
import pytest

from omicsfusion.assess.whole_controls import whole_controls
from tests.compared_models import compared_models


@pytest.fixture(scope="module")
def real():
    return compared_models("regression", {"fused": 1.0, "linear": 1.0})


@pytest.fixture(scope="module")
def controls(real):
    """Two controls of the five folds of one repeat."""
    first = real[real["repeat"] == 1]
    return pd.concat([first.assign(permutation=number) for number in (1, 2)], ignore_index=True)


def test_a_control_of_all_folds_of_one_repeat_is_whole(real, controls):
    assert whole_controls(controls, real).equals(controls)
    assert whole_controls(controls.iloc[:0], real).empty


def test_a_model_that_lacks_a_fold_of_a_control_is_left_out_of_it(real, controls):
    lacking = (
        (controls["permutation"] == 2) & (controls["model"] == "fused") & (controls["fold"] == 3)
    )
    kept = whole_controls(controls[~lacking], real)
    assert set(zip(kept["permutation"], kept["model"], strict=True)) == {
        (1, "fused"),
        (1, "linear"),
        (2, "linear"),
    }
    assert kept.equals(controls[(controls["permutation"] == 1) | (controls["model"] == "linear")])


def test_what_only_inner_folds_are_left_of_is_no_control(real, controls):
    tested = (controls["permutation"] == 1) & (controls["scope"] == "test")
    assert set(whole_controls(controls[~tested], real)["permutation"]) == {2}


def test_a_fit_that_failed_is_a_fold_all_the_same(real, controls):
    """It has rows without a prediction, which score as chance."""
    failed = controls.assign(mean=controls["mean"].where(controls["fold"] != 3))
    assert whole_controls(failed, real).equals(failed)
