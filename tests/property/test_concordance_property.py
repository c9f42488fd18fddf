"""What must hold of correlations and of swap flags, whatever the values."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from omicsfusion.concordance.likeness import compare, normal_scores
from omicsfusion.concordance.network import edges_between
from omicsfusion.concordance.ranks import unit_ranks
from omicsfusion.concordance.swaps import OK, judge
from tests.several_layers import as_layer, related_values

values = st.one_of(st.sampled_from([0.0, 1.0, np.nan, 3e38, -3e38]), st.floats(-100, 100, width=32))


@settings(max_examples=40, deadline=None)
@given(X=arrays(np.float32, st.tuples(st.integers(2, 12), st.integers(1, 6)), elements=values))
def test_ranks_and_scores_are_finite_for_any_table(X):
    X = X.astype(np.float64)
    for out in (unit_ranks(X), normal_scores(X)):
        assert np.isfinite(out).all()
    length = np.square(unit_ranks(X)).sum(axis=0)
    assert (np.isclose(length, 1) | (length == 0)).all()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), power=st.sampled_from([0.5, 1, 3]))
def test_the_network_sees_ranks_only(seed, power):
    found = related_values(40, 15, seed)
    one, two = as_layer("protein", found["protein"]), as_layer("rna", found["rna"])
    bent = as_layer("rna", np.sign(two.X) * np.abs(two.X) ** power)
    assert edges_between([(one, two)]).equals(edges_between([(one, bent)]))


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_swap_is_mutual_and_an_own_best_sample_is_in_order(seed):
    found = related_values(50, 60, seed)
    rng = np.random.default_rng(seed)
    moved = rng.choice(50, 6, replace=False)
    found["protein"][moved] = found["protein"][np.roll(moved, rng.integers(1, 6))]
    one, two = as_layer("rna", found["rna"]), as_layer("protein", found["protein"])
    patients = {sample: sample for sample in one.samples}
    table = judge(compare(one, two, patients, 1), ("rna", "protein"), "main", patients)
    partner = table.set_index("sample")["swapped_with"]
    for sample, other in partner[partner != ""].items():
        assert partner[other] == sample != other
    assert (table.loc[table["own_rank"] == 1, "flag"] == OK).all()
    assert ((table["best_similarity"] > table["own_similarity"]) == (table["own_rank"] > 1)).all()
