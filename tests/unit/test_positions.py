"""Where features lie: BED files, and names that tell it."""

import gzip

import numpy as np
import pytest

from omicsfusion.models.genome_order import genome_order
from omicsfusion.tables.positions import BedError, Position, position_of, read_positions


def write(path, text: str):
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("name", ["genes.bed", "genes.bed.gz"])
def test_a_bed_file_is_read_plain_or_gzipped_and_with_what_browsers_put_on_top(tmp_path, name):
    head = "track name=genes\n#chrom\tstart\tend\tname\n"
    text = head + "chr7\t100\t200\tEGFR\t0\t+\r\n\n17\t5\t9\tTP53\n"
    assert read_positions(write(tmp_path / name, text)) == {
        "EGFR": Position((7, ""), 100, 200),
        "TP53": Position((17, ""), 5, 9),
    }


def test_a_name_with_several_lines_lies_where_its_first_region_is(tmp_path):
    text = "chrY\t1\t2\tCRLF2\nchrX\t900\t901\tCRLF2\nchrX\t30\t40\tCRLF2\n"
    assert read_positions(write(tmp_path / "a.bed", text))["CRLF2"].start == 30


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("#nothing\n", "empty"),
        ("chr1\t1\t2\tA\nchr1\t1\t2\n", "line 2"),
        ("chr1 1 2 A\n", "line 1"),
        ("chr1\tone\t2\tA\n", "line 1"),
        ("chr1\t5\t2\tA\n", "line 1"),
        ("chrom\tstart\tend\tname\nchr1\t1\t2\tA\n", "line 1"),
    ],
)
def test_what_is_no_bed_file_is_refused_with_the_line(tmp_path, text, said):
    with pytest.raises(BedError, match=f"a.bed.*{said}|a.bed, {said}"):
        read_positions(write(tmp_path / "a.bed", text))


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "a.bed").write_bytes(b"\xff\xfe\x00\x80\x81")
    with pytest.raises(BedError, match=r"a\.bed cannot be read"):
        read_positions(tmp_path / "a.bed")


KNOWN = {"EGFR": Position((7, ""), 10, 20), "HLA_A": Position((6, ""), 5, 6)}


@pytest.mark.parametrize(
    ("feature", "position"),
    [
        ("EGFR", KNOWN["EGFR"]),
        ("EGFR|1956", KNOWN["EGFR"]),
        ("EGFR_pY1068", KNOWN["EGFR"]),
        ("HLA_A", KNOWN["HLA_A"]),
        ("chr7:100001-200000", Position((7, ""), 100_000, 200_000)),
        ("7:100001-200000", Position((7, ""), 100_000, 200_000)),
        ("chrx:31", Position((10**9 + 1, ""), 30, 31)),
        ("MLH1:cg00893636", None),
        ("TP53", None),
    ],
)
def test_the_position_of_a_feature(feature, position):
    assert position_of(feature, KNOWN) == position


def test_columns_come_in_the_natural_order_of_chromosomes_then_by_start():
    features = [
        "chrUn_2:1-2",
        "chrM:1-2",
        "chrX:5-6",
        "chr10:1-2",
        "nowhere",
        "chr2:900-901",
        "chr2:70-80",
        "EGFR|b",
        "EGFR|a",
        "chr1:5-9",
        "chrY:1-2",
    ]
    order = genome_order("rna", features, KNOWN)
    assert [features[column] for column in order] == [
        "chr1:5-9",
        "chr2:70-80",
        "chr2:900-901",
        "EGFR|a",
        "EGFR|b",
        "chr10:1-2",
        "chrX:5-6",
        "chrY:1-2",
        "chrM:1-2",
        "chrUn_2:1-2",
    ]


def test_covariates_and_features_of_no_position_have_no_place():
    assert genome_order("clinical", ["EGFR"], KNOWN).shape == (0,)
    np.testing.assert_array_equal(genome_order("rna", ["a", "EGFR", "b"], KNOWN), [1])
