import numpy as np
import pytest

from omicsfusion.preprocess.matrices import layer_of, read_matrix, scopes_of, write_matrices
from omicsfusion.scopes import FINAL, OUTER, Scope

SCOPES = [Scope(1, 1, "10"), Scope(1, 1, "2"), Scope(1, 1, OUTER), Scope(0, 0, FINAL)]


def some_matrices():
    for position, scope in enumerate(SCOPES):
        x = np.arange(6, dtype=np.float32).reshape(2, 3) + position
        yield scope, x, ("α-1", "b"), ("TP53", "β-catenin", "age=missing")


def test_a_matrix_reads_back_as_it_was_written(tmp_path):
    path = tmp_path / "rna.all.matrices.h5"
    write_matrices(path, "rna", "rna_counts", "all", some_matrices())
    matrix = read_matrix(path, SCOPES[1])
    assert (matrix.layer, matrix.kind) == ("rna", "rna_counts")
    assert matrix.samples == ("α-1", "b")
    assert matrix.features == ("TP53", "β-catenin", "age=missing")
    assert matrix.X.dtype == np.float32
    np.testing.assert_array_equal(matrix.X, np.arange(6).reshape(2, 3) + 1)
    assert layer_of(path) == "rna"


def test_scopes_are_listed_with_a_parent_before_its_inner_folds_in_number_order(tmp_path):
    path = tmp_path / "m.h5"
    write_matrices(path, "rna", "rna_counts", "all", some_matrices())
    assert [scope.key for scope in scopes_of(path)] == [
        "r0f0-final",
        "r1f1-outer",
        "r1f1-2",
        "r1f1-10",
    ]


def test_the_same_matrices_make_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_matrices(tmp_path / name, "rna", "rna_counts", "all", some_matrices())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_layer_without_features_or_samples_can_be_written(tmp_path):
    path = tmp_path / "m.h5"
    scopes = [
        (SCOPES[0], np.empty((1, 0)), ["s"], []),
        (SCOPES[1], np.empty((0, 1)), [], ["f"]),
    ]
    write_matrices(path, "rna", "rna_counts", "all", scopes)
    assert read_matrix(path, SCOPES[0]).X.shape == (1, 0)
    assert read_matrix(path, SCOPES[0]).features == ()
    assert read_matrix(path, SCOPES[1]).samples == ()


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((2, 2)), "2 x 2 for 1 samples and 2 features"),
        (np.array([[0, np.nan]]), "NaN"),
        (np.array([[0, np.inf]]), "infinity"),
    ],
)
def test_a_matrix_that_models_could_not_use_is_refused_and_leaves_no_file(tmp_path, x, message):
    path = tmp_path / "m.h5"
    with pytest.raises(ValueError, match=message):
        write_matrices(path, "rna", "rna_counts", "all", [(SCOPES[0], x, ["s"], ["f", "g"])])
    assert not path.exists()


def test_an_unknown_scope_is_a_key_error(tmp_path):
    path = tmp_path / "m.h5"
    write_matrices(path, "rna", "rna_counts", "all", some_matrices())
    with pytest.raises(KeyError):
        read_matrix(path, Scope(9, 9, OUTER))
