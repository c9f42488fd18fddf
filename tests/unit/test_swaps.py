"""Swapped samples: found where they are, none where there are none, silence where nothing tells."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omicsfusion.concordance.feature_pairs import MOST_PAIRS, choose_pairs
from omicsfusion.concordance.likeness import compare, normal_scores
from omicsfusion.concordance.swaps import judge, why_not_judged
from tests.several_layers import as_layer, related_values

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def likeness_of(one, two, patients=None, seed=1):
    return compare(one, two, patients or {s: s for s in one.samples}, seed)


def flags(one, two, patients=None, seed=1):
    patients = patients or {s: s for s in one.samples}
    likeness = likeness_of(one, two, patients, seed)
    assert why_not_judged(likeness) == ""
    return judge(likeness, (one.layer, two.layer), "main", patients).set_index("sample")


def exchanged(X, *pairs):
    out = X.copy()
    for i, j in pairs:
        out[[i, j]] = X[[j, i]]
    return out


def test_exchanged_samples_are_named_with_their_partners():
    values = related_values(120, 80, seed=3)
    protein = exchanged(values["protein"], (4, 17), (30, 90), (61, 62))
    found = flags(as_layer("rna", values["rna"]), as_layer("protein", protein))
    swapped = found[found["flag"] == "swap"]
    assert swapped["swapped_with"].to_dict() == {
        "s0004": "s0017",
        "s0017": "s0004",
        "s0030": "s0090",
        "s0090": "s0030",
        "s0061": "s0062",
        "s0062": "s0061",
    }
    assert (found["flag"] == "ok").sum() == 114
    reason = swapped.loc["s0004", "reason"]
    assert "rna of s0004 fits protein of s0017" in reason
    assert found.loc["s0000", "reason"] == ""


def test_samples_moved_round_in_a_ring_are_mismatches():
    values = related_values(150, 150, seed=5, noise=0.5)
    ring = [10, 50, 90, 130]
    protein = values["protein"].copy()
    protein[ring] = values["protein"][ring[1:] + ring[:1]]
    found = flags(as_layer("rna", values["rna"]), as_layer("protein", protein))
    # rna of 10 fits the protein that now stands at 130, and so round the ring.
    assert found["flag"].eq("mismatch")[[f"s{row:04d}" for row in ring]].all()
    assert found.loc["s0010", "best_match"] == "s0130"
    assert (found["flag"] != "ok").sum() == 4


def test_in_order_few_samples_are_flagged():
    """False alarms: at most 1 in 200 over 9 cohorts of 80 to 300 samples in order."""
    n_flagged, n_judged = 0, 0
    for seed in range(9):
        n, noise = (80, 150, 300)[seed % 3], (0.8, 1.2)[seed % 2]
        values = related_values(n, 60, seed=100 + seed, noise=noise)
        one, two = as_layer("rna", values["rna"]), as_layer("protein", values["protein"])
        likeness = likeness_of(one, two)
        if not why_not_judged(likeness):
            patients = {s: s for s in one.samples}
            table = judge(likeness, ("rna", "protein"), "main", patients)
            n_flagged += (table["flag"] != "ok").sum()
            n_judged += n
    assert n_judged >= 1200
    assert n_flagged <= n_judged / 200


def test_layers_without_relation_are_not_judged():
    rng = np.random.default_rng(0)
    one, two = (as_layer(name, rng.normal(size=(200, 50))) for name in ("rna", "protein"))
    likeness = likeness_of(one, two)
    if likeness is not None:  # by chance, ten pairs of features may correlate in each half
        assert why_not_judged(likeness).startswith("Not judged: a sample's own similarity is")
        assert abs(likeness.auc - 0.5) < 0.1


def test_pairs_chosen_in_small_halves_by_chance_do_not_pass_for_concordance():
    auc = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        one, two = (as_layer(name, rng.normal(size=(40, 120))) for name in ("rna", "protein"))
        likeness = likeness_of(one, two)
        assert likeness.n_pairs == MOST_PAIRS
        assert why_not_judged(likeness) != ""
        auc.append(likeness.auc)
    # The standard deviation of one is .05. Halves scored together gave .60 on average.
    assert abs(np.mean(auc) - 0.5) < 3 * 0.05 / np.sqrt(len(auc))


def test_samples_of_one_patient_are_no_swap_of_one_another():
    values = related_values(60, 80, seed=4)
    twice = {layer: np.repeat(X, 2, axis=0) for layer, X in values.items()}
    rng = np.random.default_rng(5)
    for X in twice.values():
        X += 0.05 * rng.normal(size=X.shape)
    one, two = as_layer("rna", twice["rna"]), as_layer("protein", twice["protein"])
    patients = {sample: f"p{number // 2}" for number, sample in enumerate(one.samples)}
    found = flags(one, two, patients)
    assert (found["flag"] == "ok").all()
    for sample, best in found["best_match"].items():
        assert patients[sample] != patients[best]


def test_fewer_than_twenty_common_samples_are_not_compared():
    values = related_values(19, 60, seed=6)
    assert likeness_of(*(as_layer(name, X) for name, X in values.items())) is None


def test_another_order_of_samples_and_features_changes_nothing():
    values = related_values(50, 50, seed=7)
    one, two = (as_layer(name, X) for name, X in values.items())
    rng = np.random.default_rng(8)
    order = rng.permutation(50)
    turned = as_layer("protein", two.X[:, order], [two.features[j] for j in order])
    expected = likeness_of(one, two).score
    np.testing.assert_allclose(likeness_of(one, turned).score, expected, atol=1e-8)


def test_missing_values_stand_in_the_middle():
    X = np.array([[1.0, np.nan], [2, 5], [3, 6], [4, 7], [5, np.nan]])
    Z = normal_scores(X)
    assert Z[0, 1] == Z[4, 1] == 0
    np.testing.assert_allclose(Z[1:4, 1], [-np.sqrt(2.5), 0, np.sqrt(2.5)], atol=1e-12)
    np.testing.assert_allclose(Z.std(axis=0), 1)


def test_swaps_are_found_with_a_tenth_of_the_values_missing():
    values = related_values(120, 80, seed=9, noise=0.6)
    rng = np.random.default_rng(10)
    for X in values.values():
        X[rng.random(X.shape) < 0.1] = np.nan
    protein = exchanged(values["protein"], (30, 90), (61, 62))
    found = flags(as_layer("rna", values["rna"]), as_layer("protein", protein))
    swapped = found.loc[found["flag"] == "swap", "swapped_with"]
    assert swapped["s0030"] == "s0090"
    assert swapped["s0061"] == "s0062"
    assert len(swapped) == (found["flag"] != "ok").sum() == 4


def test_features_of_one_name_come_first_and_each_feature_serves_once():
    rng = np.random.default_rng(11)
    causes = rng.normal(size=(100, 6))
    one = as_layer("rna", causes + 0.5 * rng.normal(size=causes.shape), list("abcdef"))
    two = causes + 0.5 * rng.normal(size=causes.shape)
    two[:, 1] = -causes[:, 0]  # stronger with a than the feature called a is
    protein = as_layer("protein", two, list("axcdyz"))
    pairs = choose_pairs(one, protein, one.X, protein.X)
    names = [
        (one.features[i], protein.features[j])
        for i, j in np.column_stack([pairs.first, pairs.second])
    ]
    assert {("a", "a"), ("c", "c"), ("d", "d")} == set(names[:3])
    assert ("a", "x") not in names
    assert {("e", "y"), ("f", "z")} <= set(names[3:])
    assert len({i for i, _ in names}) == len({j for _, j in names}) == len(names)


def real_layer(cohort, name):
    with gzip.open(SHARED / cohort / f"{name}.tsv.gz", "rt") as file:
        table = pd.read_csv(file, sep="\t", index_col=0).T.sort_index()
    table = table.loc[:, (table.nunique() > 1) & (table.isna().mean() <= 0.2)]
    layer = as_layer(name, table.to_numpy(), list(table.columns))
    return layer, list(table.index)


def common(cohort, *names):
    """Two layers of a real cohort on their common samples, renamed s0000 … in sorted order."""
    found = [real_layer(cohort, name) for name in names]
    both = sorted(set(found[0][1]) & set(found[1][1]))
    return [
        as_layer(layer.layer, layer.X[[ids.index(sample) for sample in both]], layer.features)
        for layer, ids in found
    ]


REAL = pytest.mark.skipif(not SHARED.is_dir(), reason=f"{SHARED} is not there")


@pytest.mark.shared
@REAL
@pytest.mark.parametrize(
    ("cohort", "one", "two", "most_false"),
    [
        ("tcga_luad", "rna", "mirna", 2),
        ("tcga_brca", "rna", "mirna", 2),
        ("tcga_acc_mini", "rna", "cnv", 1),
    ],
)
def test_real_cohorts_in_order_have_next_to_no_flags_and_planted_swaps_are_found(
    cohort, one, two, most_false
):
    first, second = common(cohort, one, two)
    before = flags(first, second)
    assert (before["flag"] != "ok").sum() <= most_false
    planted = [(3, 40), (11, 60), (25, 70)]
    after = flags(first, as_layer(two, exchanged(second.X, *planted), second.features))
    partner = {f"s{i:04d}": f"s{j:04d}" for i, j in planted}
    partner |= {j: i for i, j in partner.items()}
    named = after.loc[after["flag"] == "swap", "swapped_with"].to_dict()
    assert sum(named.get(sample) == other for sample, other in partner.items()) >= 4
    assert len(set(after.index[after["flag"] != "ok"]) - set(partner)) <= most_false + 1


@pytest.mark.shared
@REAL
def test_rna_and_microbes_that_say_little_of_one_another_are_not_judged():
    assert why_not_judged(likeness_of(*common("gut_adenoma", "genus_counts", "metabolomics"))) != ""
    assert why_not_judged(likeness_of(*common("tcga_gbmlgg", "rna", "cnv"))) != ""
