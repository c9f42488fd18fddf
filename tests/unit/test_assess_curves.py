"""ROC curves and confusion matrices."""

import numpy as np
import pytest

from omicsfusion.assess.curves import GRID, mean_confusion, mean_roc, roc_on_grid
from omicsfusion.assess.held_out import held_out_sets
from tests.predictions_table import CLASSES, predictions_table


def sets_of(**columns):
    """Held-out sets of the outer folds of a model, with some columns overwritten."""
    table = predictions_table("classification", models=("fused",)).assign(**columns)
    return held_out_sets(table, "test", sorted(table["patient"].unique()))


def test_a_perfect_score_has_a_curve_of_ones():
    is_class = np.array([True, True, False, False, False])
    assert (roc_on_grid(is_class, is_class.astype(float)) == 1).all()


def test_equal_scores_give_the_diagonal():
    assert roc_on_grid(np.array([True, False, False]), np.zeros(3)) == pytest.approx(GRID)


def test_where_the_curve_rises_the_upper_end_counts():
    is_class = np.array([True, False, True, False])
    found = roc_on_grid(is_class, np.array([4.0, 3.0, 2.0, 1.0]))
    assert found[[0, 49, 50, 100]].tolist() == [0.5, 0.5, 1, 1]


def test_mean_curves_rise_from_the_origin_to_the_corner():
    table = mean_roc("fused", sets_of())
    for name in CLASSES:
        curve = table[table["class"] == name]
        assert curve[["fpr", "tpr"]].iloc[0].tolist() == [0, 0]
        assert curve[["fpr", "tpr"]].iloc[-1].tolist() == [1, 1]
        assert (np.diff(curve["tpr"]) >= 0).all()


def test_a_class_that_no_fold_holds_has_no_curve():
    assert len(mean_roc("fused", sets_of(truth="her2"))) == 0


def test_confusion_counts_each_sample_once_over_all_repeats():
    table = mean_confusion("fused", sets_of())
    assert table["n"].sum() == pytest.approx(36)
    truths = table.groupby("truth")["n"].sum()
    assert truths.to_dict() == pytest.approx(dict.fromkeys(CLASSES, 12))


def test_failed_fits_spread_their_samples_evenly_over_the_predicted_classes():
    table = mean_confusion("fused", sets_of(p_her2=np.nan))
    assert table["n"].tolist() == pytest.approx([4] * 9)
