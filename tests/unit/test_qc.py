"""QC: each table tells what it looks like, and what was done to it before it came."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omicsfusion.qc.feature_checks import BINS, measure_features, most_variable
from omicsfusion.qc.layer_checks import (
    SAMPLE_COLUMNS,
    SUMMARY_COLUMNS,
    LayerChecks,
    check_layer,
)
from omicsfusion.qc.sample_checks import measure_samples
from omicsfusion.qc.scales import ALL_COHORTS, scale_signs
from omicsfusion.qc.signs import ScaleSigns
from omicsfusion.tables.cohort_table import open_tables
from omicsfusion.tables.importing import ImportRequest, import_layer
from omicsfusion.tables.layer import LayerHeader, new_layer
from omicsfusion.tables.tsv import read_tsv, write_tsv
from tests.layer_files import names, samples_table, write_layer

SCRIPT = Path(__file__).resolve().parents[2] / "bin" / "qc.py"
SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
shared = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED.is_dir(), reason=f"{SHARED} is not there"),
]


def expression(n: int = 40, p: int = 60, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(rng.normal(8, 2, p), rng.gamma(2, 0.5, p), (n, p))


def counts(n: int = 40, p: int = 60, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).poisson(50, (n, p)).astype(float)


def signs_of(folder: Path, X: np.ndarray, kind: str = "rna_log") -> ScaleSigns:
    return scale_signs([write_layer(folder, X, kind=kind)])[0]


def checked(
    folder: Path,
    X: np.ndarray,
    kind: str = "rna_log",
    methods: tuple[str, ...] = ("pca",),
    covariates: pd.DataFrame | None = None,
) -> LayerChecks:
    path = write_layer(folder, X, kind=kind)
    samples = samples_table(names("s", len(X)))
    return check_layer("rna", open_tables([path], samples), samples, covariates, methods)


# Signs of what was done before


def test_an_untouched_table_gives_no_sign(tmp_path: Path) -> None:
    signs = signs_of(tmp_path, expression())
    assert (signs.scaled_over_samples, signs.scaled_per_sample, signs.logged) == ("", "", False)
    assert [sign.note for sign in signs.signs() if sign.note] == []


@pytest.mark.parametrize("ddof", [0, 1])
def test_features_standardised_over_the_cohort_are_told_with_the_share(
    tmp_path: Path, ddof: int
) -> None:
    X = expression()
    X = (X - X.mean(axis=0)) / X.std(axis=0, ddof=ddof)
    signs = signs_of(tmp_path, X)
    assert signs.scaled_over_samples == "standardised"
    assert signs.standardised_features == 1
    told = {sign.name: sign.note for sign in signs.signs()}
    assert told["standardised_features"].startswith("most features are standardised over all")


def test_rounding_to_two_decimals_does_not_hide_that(tmp_path: Path) -> None:
    X = expression(100)
    X = np.round((X - X.mean(axis=0)) / X.std(axis=0), 2)
    assert signs_of(tmp_path, X).scaled_over_samples == "standardised"


def test_centred_features_are_told_from_standardised_ones(tmp_path: Path) -> None:
    X = expression()
    assert signs_of(tmp_path, X - X.mean(axis=0)).scaled_over_samples == "centred"
    median = signs_of(tmp_path, X - np.median(X, axis=0))
    assert median.scaled_over_samples == "centred on the median"
    assert median.median_zero_features == 1


def test_features_that_lie_around_zero_by_nature_give_no_sign(tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(500, 200))
    signs = signs_of(tmp_path, X)
    assert signs.scaled_over_samples == ""
    assert signs.centred_features < 0.1
    assert signs.near_standardised_features == 1


def test_z_scores_against_other_samples_are_told(tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(0.1, 1.1, size=(200, 100))
    notes = {sign.name: sign.note for sign in signs_of(tmp_path, X).signs()}
    assert notes["near_standardised_features"].startswith("z-scores: 100% of the features")


def test_two_cohorts_standardised_as_one_are_told_on_their_samples_together(
    tmp_path: Path,
) -> None:
    X = expression(60)
    X[:20] += 3
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    features = names("g", 60)
    paths = [
        write_layer(tmp_path, X[:20]),
        write_layer(
            tmp_path, X[20:, ::-1], cohort="b", samples=names("t", 40), features=features[::-1]
        ),
    ]
    main, other, together = sorted(scale_signs(paths), key=lambda s: s.cohort != "main")[:1] + [
        sign for sign in scale_signs(paths) if sign.cohort != "main"
    ]
    assert main.scaled_over_samples == other.scaled_over_samples == ""
    assert (together.cohort, together.n_samples) == (ALL_COHORTS, 60)
    assert together.scaled_over_samples == "standardised"


def test_samples_scaled_alone_are_told_and_blamed_for_nothing(tmp_path: Path) -> None:
    X = expression()
    Z = ((X.T - X.mean(axis=1)) / X.std(axis=1)).T
    signs = signs_of(tmp_path, Z)
    assert (signs.scaled_per_sample, signs.scaled_over_samples) == ("standardised", "")
    assert signs_of(tmp_path, (X.T - X.mean(axis=1)).T).scaled_per_sample == "centred"
    median = signs_of(tmp_path, (X.T - np.median(X, axis=1)).T)
    assert median.scaled_per_sample == "centred on the median"


def test_proportions_are_told(tmp_path: Path) -> None:
    X = counts()
    signs = signs_of(tmp_path, (X.T / X.sum(axis=1)).T, "microbiome_counts")
    assert signs.scaled_per_sample == "divided by its sum"
    assert not signs.logged


def test_negative_abundances_were_logged(tmp_path: Path) -> None:
    signs = signs_of(tmp_path, expression() - 8, "metabolite")
    assert signs.logged
    notes = {sign.name: sign.note for sign in signs.signs()}
    assert notes["negative"].startswith("metabolite cannot be negative")


def test_small_fractional_abundances_may_be_logged_and_large_ones_are_not(tmp_path: Path) -> None:
    X = np.abs(expression())
    assert signs_of(tmp_path, X, "metabolite").logged
    assert not signs_of(tmp_path, np.exp(X), "metabolite").logged
    assert not signs_of(tmp_path, counts() // 10, "rna_counts").logged


def test_a_table_that_should_be_logged_and_is_not_is_told(tmp_path: Path) -> None:
    notes = {sign.name: sign.note for sign in signs_of(tmp_path, counts() * 10).signs()}
    assert notes["highest"].startswith("no logarithm is that large")


def test_features_in_order_of_spread_were_selected(tmp_path: Path) -> None:
    X = expression()
    X = X[:, np.argsort(-X.std(axis=0))]
    signs = signs_of(tmp_path, X)
    assert signs.in_order_of_spread
    assert not signs_of(tmp_path, X[:, ::-1]).in_order_of_spread


def test_missing_values_and_constants_do_not_count(tmp_path: Path) -> None:
    X = expression()
    X[np.random.default_rng(1).random(X.shape) < 0.2] = np.nan
    X = (X - np.nanmean(X, axis=0)) / np.nanstd(X, axis=0)
    X[:, 0] = 0
    X[:, 1] = np.nan
    signs = signs_of(tmp_path, X)
    assert signs.varying_features == 58
    assert signs.standardised_features == 1
    assert signs.missing == np.isnan(X).mean()


def test_blocks_change_no_sign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    X = expression()
    whole = signs_of(tmp_path, X)
    monkeypatch.setattr("omicsfusion.tables.cohort_table.BLOCK_VALUES", 40 * 7)
    blocks = signs_of(tmp_path, X)
    assert blocks.spread_of_sums == pytest.approx(whole.spread_of_sums, rel=1e-12)
    for name in set(ScaleSigns.__dataclass_fields__) - {"spread_of_sums"}:
        assert getattr(blocks, name) == getattr(whole, name), name


# Samples and features


def test_sample_measures_are_those_of_numpy(tmp_path: Path) -> None:
    X = counts().astype(np.float32)
    X[3, :10] = np.nan
    X[4, :6] = 0
    path = write_layer(tmp_path, X, kind="rna_counts")
    (table,) = open_tables([path], samples_table(names("s", 40)))
    found = measure_samples(table, logarithm=True)
    logged = np.log2(X.astype(float) + 1)
    assert found.loc["s0003", "missing"] == 10 / 60
    assert found.loc["s0004", "zeros"] == 0.1
    assert found["total"].to_list() == np.nansum(X, axis=1, dtype=float).tolist()
    np.testing.assert_allclose(found["median"], np.nanmedian(logged, axis=1), rtol=1e-14)
    quantiles = np.nanquantile(logged, [0.05, 0.25, 0.75, 0.95], axis=1)
    np.testing.assert_allclose(found[["q05", "q25", "q75", "q95"]].T, quantiles, rtol=1e-14)
    np.testing.assert_allclose(found["spread"], quantiles[2] - quantiles[1], rtol=1e-12)


def test_an_odd_sample_is_flagged_with_the_reason_and_stays_in_every_table(tmp_path: Path) -> None:
    X = counts(n=50)
    X[7] //= 10
    X[9, :30] = np.nan
    found = checked(tmp_path, X, "rna_counts")
    odd = found.samples.set_index("sample")
    assert odd.index[odd["outlier"] == "yes"].to_list() == ["s0007", "s0009"]
    assert odd.loc["s0007", "reasons"].startswith("total 8.")
    assert odd.loc["s0009", "reasons"].startswith("missing 0.5 (robust z 50.0)")
    assert len(found.distributions) == 50
    assert list(found.samples.columns) == list(SAMPLE_COLUMNS)


def test_few_samples_are_not_judged(tmp_path: Path) -> None:
    X = counts(n=19)
    X[7] //= 10
    assert set(checked(tmp_path, X, "rna_counts").samples["outlier"]) == {"no"}


def test_external_samples_are_judged_by_the_training_samples(tmp_path: Path) -> None:
    ids = names("t", 30)
    paths = [
        write_layer(tmp_path, counts(), kind="rna_counts"),
        write_layer(tmp_path, counts(30, seed=1) // 10, "rna_counts", "b", ids),
    ]
    samples = pd.concat([samples_table(names("s", 40)), samples_table(ids, "b", "external")])
    samples = samples.reset_index(drop=True)
    found = check_layer("rna", open_tables(paths, samples), samples, None, ("pca", "tsne"))
    by_role = found.samples.groupby("role")["outlier"].agg(lambda told: (told == "yes").sum())
    assert by_role.to_dict() == {"external": 30, "train": 0}
    assert found.embedding.groupby("method").size().to_dict() == {"pca": 70, "tsne": 40}
    note = found.embedding_summary.set_index("method").loc["tsne", "note"]
    assert note == "without the 30 external samples: t-SNE projects none"
    alone = check_layer(
        "rna", open_tables(paths[:1], samples), samples, None, ("pca", "tsne")
    ).embedding
    with_others = found.embedding[found.embedding["cohort"] == "main"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, with_others)


def test_features_are_counted_in_bins_that_cohorts_share(tmp_path: Path) -> None:
    X, Y = expression(), expression(20, seed=1)
    X[0, :30] = np.nan
    Y[:, 5] = np.nan
    ids = names("t", 20)
    paths = [write_layer(tmp_path, X), write_layer(tmp_path, Y, "rna_log", "b", ids)]
    samples = pd.concat([samples_table(names("s", 40)), samples_table(ids, "b", "external")])
    samples = samples.reset_index(drop=True)
    table = check_layer("rna", open_tables(paths, samples), samples, None, ()).features
    n = table.groupby(["measure", "cohort"])["n"].agg(["sum", "size"])
    assert n.loc["missing", "sum"].to_list() == [60, 60]
    assert n.loc["mean", "sum"].to_list() == [59, 60]
    assert set(n.loc["mean", "size"]) == {BINS}
    low = table[table["measure"] == "sd"].pivot(index="low", columns="cohort", values="n")
    assert low.notna().all().all()


def test_the_most_variable_features_are_those_of_the_training_samples(tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(30, 50)) * np.arange(50)
    X[:20, 49] = np.nan
    Y = np.random.default_rng(1).normal(size=(30, 50)) * np.arange(50, 0, -1) ** 2
    ids = names("t", 30)
    paths = [write_layer(tmp_path, X), write_layer(tmp_path, Y, "rna_log", "b", ids)]
    samples = pd.concat([samples_table(names("s", 30)), samples_table(ids, "b", "external")])
    tables = open_tables(paths, samples)
    measures = {table.header.cohort: measure_features(table, False) for table in tables}
    sd = np.nanstd(X.astype(np.float32)[:, :49], axis=0)
    expected = sorted(np.argsort(-sd)[:5])
    assert most_variable(tables, measures, 5) == tuple(f"g{column:04d}" for column in expected)
    assert len(most_variable(tables, measures, 99)) == 48


# Pictures


def test_components_part_what_is_apart(tmp_path: Path) -> None:
    X = expression()
    X[20:, :30] += 4
    found = checked(tmp_path, X)
    points = found.embedding.set_index("sample")
    first = points["x"] > 0
    assert first[:20].nunique() == first[20:].nunique() == 1
    assert first.iloc[0] != first.iloc[-1]
    summary = found.embedding_summary.iloc[0]
    assert summary["explained_x"] > 0.25 > 3 * summary["explained_y"] > 0


def test_the_pca_is_that_of_scikit_learn_on_the_scaled_values(tmp_path: Path) -> None:
    from sklearn.decomposition import PCA

    X = expression().astype(np.float32).astype(float)
    points = checked(tmp_path, X).embedding
    quartiles = np.quantile(X, [0.25, 0.5, 0.75], axis=0)
    Z = np.clip((X - quartiles[1]) / ((quartiles[2] - quartiles[0]) / 1.3489795003921634), -5, 5)
    expected = PCA(2, svd_solver="full").fit_transform(Z)
    np.testing.assert_allclose(points[["x", "y"]], expected, atol=6e-5)


@pytest.mark.parametrize("n", [1, 2, 3, 9])
def test_small_layers_have_fewer_pictures_and_say_why(tmp_path: Path, n: int) -> None:
    found = checked(tmp_path, expression(n), methods=("pca", "tsne", "umap"))
    notes = found.embedding_summary.set_index("method")["note"]
    assert notes["umap"] == f"{n} training samples, fewer than {10 if n >= 3 else 3}."
    assert set(found.embedding["method"]) == ({"pca"} if n >= 3 else set())
    assert len(found.samples) == n


def test_a_constant_layer_has_no_picture(tmp_path: Path) -> None:
    found = checked(tmp_path, np.full((30, 4), 7.0))
    assert found.embedding.empty
    note = found.embedding_summary["note"][0]
    assert note == "0 features vary among the training samples, fewer than 2."
    assert found.samples["pc_distance"].isna().all()


def test_the_clinical_layer_is_examined_for_missing_values_only(tmp_path: Path) -> None:
    header = LayerHeader(
        "clinical",
        "clinical",
        "main",
        names("s", 30),
        ("age", "stage"),
        ("numeric", "categorical"),
        {"stage": ("I", "II")},
    )
    path = tmp_path / "main.clinical.h5ad"
    with new_layer(path, header) as x:
        x[...] = np.array([[50.0, 1.0]] * 29 + [[50.0, np.nan]])
    samples = samples_table(names("s", 30))
    found = check_layer("clinical", open_tables([path], samples), samples)
    assert found.samples["missing"].to_list() == [0.0] * 29 + [0.5]
    assert found.samples["median"].isna().all()
    assert set(found.features["measure"]) == {"missing"}
    assert found.distributions.empty
    assert found.embedding.empty


def test_the_script_writes_the_same_bytes_twice(tmp_path: Path) -> None:
    """UMAP and Harmony included: fresh processes, and rows of the input in another order."""
    X = expression()[:20]
    outputs = []
    for run, order in enumerate([np.arange(20), np.arange(20)[::-1]]):
        folder = tmp_path / str(run)
        folder.mkdir()
        ids = names("s", 20)
        path = write_layer(folder, X, samples=ids)
        # Batches are text: as numbers, 01 and 1 would be one, and Harmony would have no picture.
        batches = ["01" if row % 2 else "1" for row in order]
        samples = samples_table([ids[row] for row in order]).assign(batch=batches)
        write_tsv(samples, folder / "samples.tsv")
        write_tsv(samples[["sample", "cohort"]].assign(sex="F"), folder / "covariates.tsv")
        subprocess.run(
            [
                *(sys.executable, SCRIPT, "--files", path),
                *("--samples", folder / "samples.tsv"),
                *("--covariates", folder / "covariates.tsv"),
            ],
            cwd=folder,
            check=True,
            # UMAP in plain Python: slower for more samples, faster for these than compiling it.
            env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONHASHSEED": str(run)},
        )
        written = sorted(folder.glob("rna.*.tsv"))
        outputs.append({file.name: file.read_bytes() for file in written})
    assert sorted(outputs[0]) == [
        "rna.embedding.tsv",
        "rna.embedding_summary.tsv",
        "rna.qc_distributions.tsv",
        "rna.qc_features.tsv",
        "rna.qc_samples.tsv",
        "rna.qc_summary.tsv",
    ]
    assert outputs[0] == outputs[1]
    placed = read_tsv(tmp_path / "0" / "rna.embedding.tsv").groupby("method").size()
    assert placed.to_dict() == dict.fromkeys(("harmony", "pca", "tsne", "umap"), 20)
    assert list(read_tsv(tmp_path / "0" / "rna.qc_summary.tsv").columns) == list(SUMMARY_COLUMNS)


# Real tables that were transformed before they came


def signs_of_real(folder: Path, cohort: str, layer: str, kind: str) -> ScaleSigns:
    path = folder / "layer.h5ad"
    files = (SHARED / cohort / f"{layer}.tsv.gz",)
    import_layer(ImportRequest(layer, kind, "main", "features", files), path)
    return scale_signs([path])[0]


class TestRealTables:
    pytestmark = shared

    def test_the_adenoma_metabolites_were_logged(self, tmp_path: Path) -> None:
        signs = signs_of_real(tmp_path, "gut_adenoma", "metabolomics", "metabolite")
        assert signs.logged
        assert 0.5 < signs.negative < 0.53

    def test_the_lung_mirna_was_standardised_per_sample(self, tmp_path: Path) -> None:
        signs = signs_of_real(tmp_path, "tcga_luad", "mirna", "mirna_log")
        assert (signs.scaled_per_sample, signs.scaled_over_samples) == ("standardised", "")
        assert signs.standardised_samples == 1

    def test_the_breast_proteins_were_centred_per_sample(self, tmp_path: Path) -> None:
        signs = signs_of_real(tmp_path, "tcga_brca", "rppa", "rppa")
        assert signs.scaled_per_sample == "centred on the median"

    def test_raw_genus_counts_give_no_sign(self, tmp_path: Path) -> None:
        signs = signs_of_real(tmp_path, "gut_gastric", "genus_counts", "microbiome_counts")
        assert [sign.note for sign in signs.signs() if sign.note] == []
