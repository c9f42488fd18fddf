from types import SimpleNamespace

import numpy as np

from omicsfusion.preprocess.fates import dropped_table, kept_table, steps_table
from omicsfusion.scopes import Scope

FEATURES = ("a", "b", "c", "d")


class Keeping:
    """A fitted step that keeps the named features."""

    def __init__(self, kept, dropped=None, did="", **fitted):
        self.n_features_in_ = len(FEATURES)
        self.kept = set(kept)
        self.did_ = did
        if dropped is not None:
            self.dropped_ = dropped
        vars(self).update(fitted)

    def get_feature_names_out(self, names):
        return np.array([name for name in names if name in self.kept], dtype=object)


class Unfitted:
    """A step that the chain did not come to."""


def chain(*steps, names=(("filter", "present"), ("impute", "median"), ("select", "variance"))):
    kept = set(FEATURES)
    for step in steps:
        kept &= getattr(step, "kept", kept)
    return SimpleNamespace(
        features_in_=FEATURES,
        steps=list(steps),
        names=list(names),
        get_feature_names_out=lambda: tuple(name for name in FEATURES if name in kept),
    )


CHAINS = {
    Scope(0, 0, "final"): chain(
        Keeping("abc", {"constant": 1}), Keeping("abcd", skipped_="none was missing"), Keeping("ab")
    ),
    Scope(1, 1, "outer"): chain(
        Keeping("abc", {"constant": 1}, did="3 of 4"),
        Keeping("abcd"),
        Keeping("bc", {"x": 1, "smaller": 1}),
    ),
    Scope(1, 1, "0"): chain(Keeping("d", {"constant": 3}), Keeping("d"), Keeping("d")),
    Scope(1, 2, "outer"): chain(Keeping("bcd"), Keeping("bcd"), Keeping("bc")),
    Scope(2, 1, "outer"): chain(Keeping("", {"mostly missing": 4}), Unfitted(), Unfitted()),
}


def test_each_step_of_each_scope_has_a_row():
    table = steps_table("rna", CHAINS)
    assert list(table.columns) == [
        "layer", "repeat", "fold", "inner", "position", "step", "method", "n_in", "n_out", "did",
        "skipped",
    ]  # fmt: skip
    first = table[(table["repeat"] == 1) & (table["fold"] == 1) & (table["inner"] == "outer")]
    assert first.iloc[:, 4:].to_numpy().tolist() == [
        [1, "filter", "present", 4, 3, "3 of 4", ""],
        [2, "impute", "median", 3, 3, "", ""],
        [3, "select", "variance", 3, 2, "", ""],
    ]
    assert table.loc[1, "skipped"] == "none was missing"


def test_a_chain_that_ended_early_has_rows_up_to_its_end():
    table = steps_table("rna", CHAINS)
    assert table[table["repeat"] == 2].iloc[:, 4:9].to_numpy().tolist() == [
        [1, "filter", "present", 4, 0]
    ]


def test_reasons_are_told_by_scope_and_step():
    table = dropped_table("rna", CHAINS)
    assert table.to_numpy().tolist() == [
        ["rna", 0, 0, "final", "filter", "constant", 1],
        ["rna", 1, 1, "outer", "filter", "constant", 1],
        ["rna", 1, 1, "outer", "select", "smaller", 1],
        ["rna", 1, 1, "outer", "select", "x", 1],
        ["rna", 1, 1, "0", "filter", "constant", 3],
        ["rna", 2, 1, "outer", "filter", "mostly missing", 4],
    ]


def test_features_are_counted_over_outer_scopes_that_have_the_layer():
    table = kept_table("rna", CHAINS)
    assert list(table.columns) == ["layer", "feature", "n_outer", "n_kept", "in_final"]
    assert table.to_numpy().tolist() == [
        ["rna", "b", 2, 2, 1],
        ["rna", "c", 2, 2, 0],
        ["rna", "a", 2, 0, 1],
    ]


def test_tables_without_scopes_have_their_columns():
    for tabulate in (steps_table, dropped_table, kept_table):
        table = tabulate("rna", {})
        assert table.empty
        assert table.columns[0] == "layer"
