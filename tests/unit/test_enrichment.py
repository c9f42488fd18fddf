"""Enrichment finds a planted set, and says what it could not test."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omicsfusion.interpret.enrichment import (
    COLUMNS,
    enrich,
    gene_scores,
    measured_sets,
)
from omicsfusion.tables.gene_sets import MIN_SIZE, GmtError, read_gene_sets
from omicsfusion.tables.genes import gene_of

SCRIPT = Path(__file__).resolve().parents[2] / "bin" / "enrich.py"


def importance(layer: str = "rna", genes: int = 200, raised: int = 15) -> pd.DataFrame:
    """A ranking on which the first genes raise the output and the rest is noise."""
    rng = np.random.default_rng(11)
    size = np.abs(rng.normal(0.1, 0.05, genes))
    size[:raised] += 1
    direction = np.where(rng.uniform(size=genes) < 0.5, -0.5, 0.5)
    direction[:raised] = 0.9
    return pd.DataFrame(
        {
            "model": "fused",
            "output": "risk",
            "layer": layer,
            "feature": [f"Gen{i:03d}x" for i in range(genes)],
            "mean_abs_shap": size,
            "direction": direction,
        }
    )


def sets() -> dict[str, frozenset[str]]:
    named = {"RAISED": frozenset(f"Gen{i:03d}x" for i in [*range(12), 150, 151])}
    rng = np.random.default_rng(3)
    for k in range(10):
        named[f"OTHER_{k}"] = frozenset(
            f"Gen{i:03d}x" for i in rng.choice(np.arange(20, 200), 20, False)
        )
    return named


def write_gmt(path: Path, gene_sets: dict[str, frozenset[str]]) -> Path:
    lines = ["\t".join([name, "", *sorted(genes)]) for name, genes in gene_sets.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_planted_set_is_found_and_the_random_ones_are_not() -> None:
    table = enrich(importance(), {"a.gmt": sets()}, seed=1).table
    assert list(table.columns) == COLUMNS
    assert table["term"].iloc[0] == "RAISED"
    first = table.iloc[0]
    assert first["nes"] > 1.5
    assert first["fdr"] < 0.05
    assert first["n_genes"] == 14
    assert set(first["leading_edge"].split(";")) == {f"Gen{i:03d}x" for i in range(12)}
    assert (table["fdr"].iloc[1:] > 0.05).all()


def test_a_set_whose_genes_lower_the_output_has_a_negative_score() -> None:
    rows = importance()
    rows["direction"] = -rows["direction"]
    table = enrich(rows, {"a.gmt": sets()}, seed=1).table.set_index("term")
    assert table.loc["RAISED", "nes"] < -1.5


def test_the_order_of_rows_and_sets_changes_nothing() -> None:
    rows = pd.concat([importance("rna"), importance("protein")])
    there = enrich(rows, {"a.gmt": sets()}, seed=1)
    back = dict(reversed(sets().items()))
    again = enrich(rows.sample(frac=1, random_state=5), {"a.gmt": back}, seed=1)
    pd.testing.assert_frame_equal(there.table, again.table)


def test_mixed_case_names_are_not_turned_into_capitals() -> None:
    found = enrich(importance(), {"a.gmt": {"RAISED": sets()["RAISED"]}}, seed=1).table
    assert found["leading_edge"].iloc[0].startswith("Gen")


def test_a_layer_without_named_genes_gets_a_note_and_no_row() -> None:
    rows = importance("mirna")
    rows["feature"] = [f"mirna-{i}" for i in range(len(rows))]
    found = enrich(rows, {"a.gmt": sets()}, seed=1)
    assert found.table.empty
    assert list(found.table.columns) == COLUMNS
    assert found.notes["layer"].tolist() == ["mirna"]
    assert "No set of a.gmt" in found.notes["note"].iloc[0]


def test_a_layer_without_importance_gets_a_note() -> None:
    found = enrich(importance().assign(mean_abs_shap=0.0), {"a.gmt": sets()}, seed=1)
    assert found.table.empty
    assert "No feature" in found.notes["note"].iloc[0]


@pytest.mark.parametrize(
    ("feature", "gene"),
    [
        ("TP53", "TP53"),
        ("TP53|7157", "TP53"),
        ("AKT1_pS473", "AKT1"),
        ("MLH1:cg00893636", "MLH1"),
        ("HLA_A", "HLA_A"),
        ("ERBB2|x_y", "ERBB2"),
    ],
)
def test_the_gene_of_a_feature_is_its_id_or_the_part_before_a_mark(feature: str, gene: str) -> None:
    assert gene_of(feature, frozenset({"HLA_A", "TP53"})) == gene


def test_of_several_features_of_a_gene_the_strongest_counts_with_its_sign() -> None:
    rows = pd.DataFrame(
        {
            "feature": ["A_cg1", "A_cg2", "B", "C"],
            "mean_abs_shap": [0.2, 0.5, 0.3, 0.9],
            "direction": [0.8, -0.1, 0.4, np.nan],
        }
    )
    scores = gene_scores(rows, frozenset("ABC"))
    assert scores.to_dict() == {"A": -0.5, "B": 0.3, "C": 0.0}
    assert list(scores.index) == ["B", "C", "A"]


def test_sets_with_too_few_measured_genes_or_with_all_of_them_are_left_out() -> None:
    genes = pd.Index([f"G{i}" for i in range(20)])
    few = frozenset(genes[: MIN_SIZE - 1]) | {"not measured"}
    enough = frozenset(genes[:MIN_SIZE]) | {"not measured"}
    kept = measured_sets({"few": few, "enough": enough, "all": frozenset(genes)}, genes)
    assert kept == {"enough": sorted(genes[:MIN_SIZE])}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"gene,score\nTP53,1\n", "line 1 is no gene set"),
        (b"SET\tabout\tTP53\nLONELY\n", "line 2 is no gene set"),
        (b"SET\tabout\tTP53\nSET\tabout\tAKT1\n", "a second set is named 'SET'"),
        (b"\x1f\x8b\x08\x00\xff", "is no text file"),
    ],
)
def test_what_is_no_gmt_is_refused_in_words(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "sets.gmt"
    path.write_bytes(content)
    with pytest.raises(GmtError, match=f"sets.gmt.*{message}"):
        read_gene_sets([path])


def test_all_unusable_files_are_told_together(tmp_path: Path) -> None:
    for name in ("a.gmt", "b.gmt"):
        (tmp_path / name).write_text("", encoding="utf-8")
    with pytest.raises(GmtError, match=r"(?s)a\.gmt.*b\.gmt"):
        read_gene_sets([tmp_path / "b.gmt", tmp_path / "a.gmt"])


def test_a_byte_order_mark_windows_line_ends_and_blanks_are_read_through(tmp_path: Path) -> None:
    path = tmp_path / "sets.gmt"
    path.write_bytes(b"\xef\xbb\xbfSET\tabout\tTP53 \tAKT1\t\r\n\r\n")
    assert read_gene_sets([path]) == {"sets.gmt": {"SET": frozenset({"TP53", "AKT1"})}}


def run_script(folder: Path, hash_seed: str, gmt: Path) -> subprocess.CompletedProcess[str]:
    importance().to_csv(folder / "fused.importance.tsv", sep="\t", index=False)
    arguments = ["--importance", "fused.importance.tsv", "--gene_sets", str(gmt), "--seed", "7"]
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_script_writes_the_same_bytes_whatever_the_hash_seed(tmp_path: Path) -> None:
    gmt = write_gmt(tmp_path / "sets.gmt", sets())
    written = []
    for hash_seed in ("0", "1"):
        folder = tmp_path / hash_seed
        folder.mkdir()
        assert run_script(folder, hash_seed, gmt).returncode == 0
        written.append(
            [(folder / f"{n}.tsv").read_bytes() for n in ("enrichment", "enrichment_notes")]
        )
    assert written[0] == written[1]


def test_the_script_ends_with_a_sentence_on_a_file_that_is_no_gmt(tmp_path: Path) -> None:
    gmt = tmp_path / "sets.gmt"
    gmt.write_text("nothing here\n", encoding="utf-8")
    done = run_script(tmp_path, "0", gmt)
    assert done.returncode == 1
    assert "line 1 is no gene set" in done.stderr
    assert "Traceback" not in done.stderr
