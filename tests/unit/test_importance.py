import numpy as np
import pytest

from omicsfusion.interpret.importance import ImportanceSums, additivity_row

VALUES = np.array([[1.0, 5.0], [2.0, 4.0], [3.0, 9.0], [4.0, 1.0]])


def attributions(*of_features: list[float]) -> np.ndarray:
    """Return samples x features x one output."""
    return np.array(of_features, dtype=float).T[:, :, None]


def test_importance_is_the_mean_over_folds_with_zero_where_a_feature_was_not_kept():
    sums = ImportanceSums(["risk"])
    sums.add("rna", ["a", "b"], VALUES, attributions([1, -1, 1, -1], [4, 4, 4, 4]))
    sums.add("rna", ["a"], VALUES[:, :1], attributions([3, 3, -3, -3]))
    table = sums.table("fused").set_index("feature")
    assert table.loc["a", ["mean_abs_shap", "n_folds", "rank"]].tolist() == [2.0, 2, 1]
    assert table.loc["b", ["mean_abs_shap", "n_folds", "rank"]].tolist() == [2.0, 1, 2]


def test_direction_ranks_within_folds_so_that_shifts_between_folds_do_not_count():
    sums = ImportanceSums(["risk"])
    for shift in (0, -100):
        sums.add(
            "rna", ["a", "b"], VALUES - shift, attributions([1, 2, 3, 9], [0, 0, 0, 0]) + shift
        )
    table = sums.table("fused").set_index("feature")
    assert table.loc["a", "direction"] == pytest.approx(1)
    assert np.isnan(table.loc["b", "direction"])


def test_a_fold_without_samples_of_a_layer_leaves_its_importance_as_it_is():
    sums = ImportanceSums(["risk"])
    sums.add("rppa", ["a", "b"], VALUES, attributions([1, 1, 1, 1], [2, 2, 2, 2]))
    sums.add("rppa", ["a", "b"], VALUES[:0], np.empty((0, 2, 1)))
    assert sums.table("fused")["mean_abs_shap"].tolist() == [2.0, 1.0]


def test_ranks_go_over_all_layers_and_start_anew_for_each_output():
    sums = ImportanceSums(["high", "low"])
    for layer, size in (("rna", [[1.0, 4.0]]), ("cnv", [[3.0, 2.0]])):
        sums.add(layer, [f"{layer}_1"], VALUES[:, :1], np.repeat(np.array([size]), 4, axis=0))
    table = sums.table("fused")
    assert table[["output", "feature", "rank"]].to_numpy().tolist() == [
        ["high", "cnv_1", 1],
        ["high", "rna_1", 2],
        ["low", "rna_1", 1],
        ["low", "cnv_1", 2],
    ]


def test_a_run_without_any_network_gives_an_empty_table_with_its_header():
    table = ImportanceSums([]).table("fused")
    assert len(table) == 0
    assert table.columns[0] == "model"


def test_additivity_sums_up_absolute_gaps():
    row = additivity_row(np.array([-3.0, 1.0]), np.array([10.0, -20.0]))
    assert row == {
        "n_samples": 2,
        "mean_abs_gap": 2.0,
        "max_abs_gap": 3.0,
        "mean_abs_difference": 15.0,
    }
