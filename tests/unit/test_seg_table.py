"""SEG files: segments of copy number become bins that every cohort shares."""

import gzip
import math
import tempfile
from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omicsfusion.preprocess.normalise.copy_number import GenesFromSegments
from omicsfusion.recipes.files import read_table
from omicsfusion.tables.block import BLOCK_CELLS
from omicsfusion.tables.findings import Request
from omicsfusion.tables.importing import ImportRequest, import_layer
from omicsfusion.tables.layer import read_header, read_rows
from omicsfusion.tables.reading import SEG, read_blocks, read_ids
from omicsfusion.tables.seg_bins import BIN, Segments, bin_blocks, bin_names, joined
from omicsfusion.tables.seg_table import read_segments, seg_columns
from omicsfusion.tables.text_table import scan_text
from omicsfusion.tables.unreadable import UnreadableTableError
from tests.malformed.cases import DEFAULTS
from tests.malformed.cohort import Cohort
from tests.malformed.run_case import Result, run

Row = tuple[str, str, Any, Any, Any]

HEADER = ("ID", "chrom", "loc.start", "loc.end", "num.mark", "seg.mean")
# Two samples that break at different places; bins of 100 bases, means that floats hold exactly.
ROWS: list[Row] = [
    ("S2", "1", 1, 150, 0.5),
    ("S1", "1", 51, 250, -1.0),
    ("S2", "1", 151, 200, 2.0),
    ("S1", "X", 301, 320, 1.0),
    ("S1", "X", 331, 400, -0.5),
]
BINS = ("chr1:1-100", "chr1:101-200", "chr1:201-300", "chrX:301-400")
VALUES = [[-1, -1, -1, (20 * 1 - 70 * 0.5) / 90], [0.5, 1.25, math.nan, math.nan]]


def text(rows: Iterable[Row], header: tuple[str, ...] = HEADER, delimiter: str = "\t") -> str:
    """Write segments with a column of probes, as all who write SEG files do."""
    lines = [header, *((*row[:4], 7, row[4]) for row in rows)]
    return "".join(delimiter.join(map(str, line)) + "\n" for line in lines)


def write(path: Path, rows: Iterable[Row], **how: object) -> Path:
    path.write_text(text(rows, **how), encoding="utf-8")  # type: ignore[arg-type]
    return path


def segments_of(path: Path, width: int) -> Segments:
    table = scan_text(path)
    columns = seg_columns(table)
    assert columns is not None
    return read_segments(table, columns, width)[0]


def binned(segments: Segments, cells: int = BLOCK_CELLS) -> np.ndarray:
    return np.concatenate([np.asarray(block.cells) for block in bin_blocks(segments, cells)])


def frame(path: Path, width: int = 100) -> pd.DataFrame:
    segments = segments_of(path, width)
    return pd.DataFrame(binned(segments), index=segments.samples, columns=bin_names(segments))


def complaint(path: Path) -> UnreadableTableError:
    with pytest.raises(UnreadableTableError) as caught:
        read_ids(path)
    assert caught.value.cure
    return caught.value


# What comes out ----------------------------------------------------------------------------------


def test_bins_hold_the_mean_weighted_by_covered_bases(tmp_path: Path) -> None:
    segments = segments_of(write(tmp_path / "a.seg", ROWS), 100)
    assert (segments.samples, bin_names(segments)) == (("S1", "S2"), BINS)
    values = binned(segments)
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, np.array(VALUES, dtype="f4"))


def test_bins_between_two_segments_are_there_and_empty(tmp_path: Path) -> None:
    table = frame(write(tmp_path / "a.seg", [("S", "3", 150, 160, 1.0), ("S", "3", 520, 530, 2.0)]))
    assert list(table) == [f"chr3:{k}01-{k + 1}00" for k in range(1, 6)]
    np.testing.assert_array_equal(table.loc["S"], [1, math.nan, math.nan, math.nan, 2])


def test_chromosomes_come_in_natural_order_under_one_name(tmp_path: Path) -> None:
    words = ["chr10", "MT", "2", "GL000220.1", "y", "chrX", "Chr1", "02", "CHR22"]
    rows: list[Row] = [
        (f"S{at}", word, 5 + 10 * at, 9 + 10 * at, 1.0) for at, word in enumerate(words)
    ]
    table = frame(write(tmp_path / "a.seg", rows))
    chromosomes = [name.partition(":")[0] for name in table]
    order = ["1", "2", "10", "22", "X", "Y", "GL000220.1", "MT"]
    assert chromosomes == [f"chr{name}" for name in order]
    assert table["chr2:1-100"].notna().sum() == 2


def test_positions_may_count_from_zero_and_be_written_with_an_exponent(tmp_path: Path) -> None:
    rows: list[Row] = [("S", "1", 0, "1e+02", 1.0), ("S", "1", 100, "2.0E2", 3.0)]
    table = frame(write(tmp_path / "a.seg", rows))
    np.testing.assert_array_equal(table.loc["S"], np.array([(100 + 3) / 101, 3], "f4"))


def test_a_sample_alone_has_the_same_bits_as_among_others(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    rows = [row for sample in "ABC" for row in random_rows(rng, sample)]
    together = frame(write(tmp_path / "all.seg", rows), 1000)
    alone = frame(write(tmp_path / "one.seg", [row for row in rows if row[0] == "B"]), 1000)
    assert len(alone.columns) < len(together.columns)
    expected = together.loc[["B"], alone.columns].to_numpy()
    np.testing.assert_array_equal(expected.view("u4"), alone.to_numpy().view("u4"))
    assert together.loc["B", together.columns.difference(alone.columns)].isna().all()


def random_rows(rng: np.random.Generator, sample: str) -> list[Row]:
    """Two chromosomes of segments with gaps, breaks at random."""
    rows: list[Row] = []
    for chromosome in ("1", "2"):
        places = np.sort(rng.choice(50_000, 60, replace=False)) + 1
        for start, end in places.reshape(-1, 2).tolist():
            rows.append((sample, chromosome, start, end, float(rng.normal())))
    return rows


def test_the_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    rows = [row for sample in "AB" for row in random_rows(rng, sample)]
    # Segments of one base, which may stand upon each other, whose sum hangs on their order.
    rows += [("A", "9", 7, 7, mean) for mean in (0.1, 1e17, -1e17)]
    first = frame(write(tmp_path / "a.seg", rows), 1000)
    for _ in range(5):
        shuffled = [rows[at] for at in rng.permutation(len(rows))]
        again = frame(write(tmp_path / "b.seg", shuffled), 1000)
        pd.testing.assert_frame_equal(first, again, check_exact=True)


def test_blocks_of_few_samples_are_the_same_table(tmp_path: Path) -> None:
    segments = segments_of(write(tmp_path / "a.seg", ROWS), 100)
    blocks = list(bin_blocks(segments, 1))
    assert [block.row for block in blocks] == [0, 1]
    np.testing.assert_array_equal(binned(segments, 1), binned(segments))


def test_chunks_of_few_rows_are_the_same_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.seg", ROWS)
    whole = frame(path)
    monkeypatch.setattr("omicsfusion.tables.seg_table.CHUNK", 2)
    pd.testing.assert_frame_equal(frame(path), whole)
    path.write_text(text(ROWS).replace("-0.5", "low"))
    assert complaint(path).row == "6"


def test_segments_without_a_mean_are_not_covered_and_it_is_said(tmp_path: Path) -> None:
    rows: list[Row] = [*ROWS, ("S1", "1", 251, 900, "NA"), ("S3", "1", 1, 99, "")]
    path = write(tmp_path / "a.seg", rows)
    table = frame(path)
    assert (tuple(table), tuple(table.index)) == (BINS, ("S1", "S2", "S3"))
    np.testing.assert_array_equal(table.loc[["S1", "S2"]], np.array(VALUES, dtype="f4"))
    assert table.loc["S3"].isna().all()
    assert any("2 segments without a mean" in remark for remark in read_ids(path).remarks)


# The naive way -----------------------------------------------------------------------------------

LAST = 60


@st.composite
def one_sample(draw: st.DrawFn) -> list[tuple[str, int, int, float]]:
    """Segments of one sample: disjoint, or sharing the base of a break."""
    rows = []
    for chromosome in draw(st.lists(st.sampled_from(["1", "2", "X"]), min_size=1, unique=True)):
        cuts = sorted(draw(st.sets(st.integers(1, LAST), min_size=2, max_size=8)))
        for start, end in pairwise(cuts):
            if draw(st.booleans()):
                last = end if draw(st.booleans()) else max(start, end - 1)
                rows.append((chromosome, start, last, draw(st.integers(-40, 40)) / 8))
    return rows


@settings(max_examples=150, deadline=None)
@given(cohort=st.lists(one_sample(), min_size=1, max_size=3), width=st.integers(1, 25))
def test_bins_are_what_counting_base_by_base_gives(
    cohort: list[list[tuple[str, int, int, float]]], width: int
) -> None:
    rows: list[Row] = [
        (f"S{at}", *segment) for at, sample in enumerate(cohort) for segment in sample
    ]
    if not rows:
        return
    with tempfile.TemporaryDirectory() as folder:
        table = frame(write(Path(folder) / "a.seg", rows), width)
    bases: dict[tuple[str, str, int], list[float]] = {}
    for sample, chromosome, start, end, mean in rows:
        for base in range(start, end + 1):
            bases.setdefault((sample, chromosome, base), []).append(mean)
    reached = {(chromosome, (base - 1) // width) for _, chromosome, base in bases}
    names = []
    for chromosome in sorted({name for name, _ in reached}):
        numbers = [number for name, number in reached if name == chromosome]
        for number in range(min(numbers), max(numbers) + 1):
            inside = range(number * width + 1, (number + 1) * width + 1)
            names.append(f"chr{chromosome}:{inside[0]}-{inside[-1]}")
            for sample in table.index:
                found = [m for base in inside for m in bases.get((sample, chromosome, base), [])]
                mean = sum(map(Fraction, found)) / len(found) if found else math.nan
                # Eighths add up exactly: one rounding at the division, one to float32.
                np.testing.assert_array_equal(table.loc[sample, names[-1]], np.float32(mean))
    assert list(table) == names


# How it is written -------------------------------------------------------------------------------

HEADERS = [
    HEADER,
    ("GDC_Aliquot", "Chromosome", "Start", "End", "Num_Probes", "Segment_Mean"),
    ("Sample", "Chromosome", "Start Position", "End Position", "Num markers", "Seg.CN"),
    ("SAMPLE", "CHROM", "LOC_START", "LOC_END", "NUM_MARK", "SEG_MEAN"),
    ("'ID", "chrom", "locStart", "loc end", "n", "segmean"),
]


@pytest.mark.parametrize("header", HEADERS, ids=lambda header: header[-1])
@pytest.mark.parametrize("delimiter", ["\t", ",", ";"])
def test_a_seg_file_is_known_by_its_header(
    header: tuple[str, ...], delimiter: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "segments.txt", ROWS, header=header, delimiter=delimiter)
    ids = read_ids(path)
    assert (ids.form, ids.rows, ids.lines) == (SEG, ("S1", "S2"), (3, 2))
    np.testing.assert_array_equal(frame(path), np.array(VALUES, dtype="f4"))


def test_columns_may_stand_in_any_order_beside_others(tmp_path: Path) -> None:
    table = pd.DataFrame(ROWS, columns=["ID", "chrom", "loc.start", "loc.end", "seg.mean"])
    table.insert(0, "caller", 'a "new" one')
    path = tmp_path / "a.csv"
    table[["seg.mean", "loc.end", "caller", "chrom", "ID", "loc.start"]].to_csv(path, index=False)
    np.testing.assert_array_equal(frame(path), np.array(VALUES, dtype="f4"))


def as_r_writes_it(plain: str) -> bytes:
    """Quoted, with names of rows for which the header has no cell."""
    head, *rows = plain.splitlines()
    quoted = ["\t".join(f'"{cell}"' for cell in head.split("\t"))]
    for at, row in enumerate(rows):
        sample, *rest = row.split("\t")
        quoted.append("\t".join([f'"{at}"', f'"{sample}"', *rest]))
    return "\n".join(quoted).encode()


WRITTEN = {
    "gz": lambda plain: gzip.compress(plain.encode()),
    "windows": lambda plain: plain.replace("\n", "\r\n").encode(),
    "old mac": lambda plain: plain.replace("\n", "\r").encode(),
    "utf-16": lambda plain: plain.encode("utf-16"),
    "byte order mark": lambda plain: b"\xef\xbb\xbf" + plain.encode(),
    "comments": lambda plain: ("#track\n#type=COPY\n" + plain).encode(),
    "blank rows": lambda plain: (plain.replace("S2", "\n\t\t\t\t\t\nS2") + "\n\n").encode(),
    "blanks in cells": lambda plain: plain.replace("\t", " \t ").encode(),
    "row names": as_r_writes_it,
}


@pytest.mark.parametrize("how", WRITTEN)
def test_how_the_text_is_written_does_not_matter(how: str, tmp_path: Path) -> None:
    path = tmp_path / "a.seg"
    path.write_bytes(WRITTEN[how](text(ROWS)))
    assert read_ids(path).form == SEG
    np.testing.assert_array_equal(frame(path), np.array(VALUES, dtype="f4"))


@pytest.mark.parametrize("lacking", range(5))
def test_a_table_that_lacks_one_of_the_columns_is_no_seg_file(lacking: int, tmp_path: Path) -> None:
    header = ["ID", "chrom", "loc.start", "loc.end", "seg.mean"]
    header[lacking] = "other"
    path = tmp_path / "a.tsv"
    path.write_text("\t".join(header) + "\ng1\t1\t2\t3\t4\n")
    assert read_ids(path).form == "text"


def test_numbered_sex_chromosomes_are_kept_and_named(tmp_path: Path) -> None:
    ids = read_ids(write(tmp_path / "a.seg", [*ROWS, ("S1", "24", 1, 9, 1.0)]))
    assert ids.columns[-2:] == ("chr24:1-100000", "chrX:1-100000")
    assert any("chromosome 24 and no Y" in remark for remark in ids.remarks)
    ids = read_ids(write(tmp_path / "b.seg", [*ROWS, ("S1", "23", 1, 9, 1.0)]))
    assert not any("chromosome 23" in remark for remark in ids.remarks)


# What is wrong with it ---------------------------------------------------------------------------

WRONG: dict[str, tuple[Row, str]] = {
    "no sample": (("", "1", 1, 9, 1.0), "1 segments have no sample in column 'ID': line 7"),
    "sample NA": (("NA", "1", 1, 9, 1.0), "1 segments have no sample in column 'ID': line 7"),
    "no chromosome": (("S3", "chr", 1, 9, 1.0), "have no chromosome in column 'chrom': line 7"),
    "start": (("S3", "1", "x", 9, 1.0), "'loc.start' hold no position: line 7: 'x'"),
    "negative": (("S3", "1", -3, 9, 1.0), "'loc.start' hold no position: line 7: '-3'"),
    "no end": (("S3", "1", 1, "NA", 1.0), "'loc.end' hold no position: line 7: 'NA'"),
    "before the first base": (("S3", "1", 0, 0, 1.0), "'loc.end' hold no position: line 7: '0'"),
    "fraction": (("S3", "1", 1, 9.5, 1.0), "'loc.end' hold no position: line 7: '9.5'"),
    "far": (("S3", "1", 1, 2**31, 1.0), "'loc.end' hold no position: line 7: '2147483648'"),
    "backward": (("S3", "1", 9, 3, 1.0), "1 segments end before they start: line 7: '9 to 3'"),
    "word": (("S3", "1", 1, 9, "low"), "'seg.mean' hold text where numbers belong: line 7: 'low'"),
    "infinite": (("S3", "1", 1, 9, "-Inf"), "are infinite or beyond 3.4e38: line 7: '-Inf'"),
    "huge": (("S3", "1", 1, 9, "1e39"), "are infinite or beyond 3.4e38: line 7: '1e39'"),
    "overlap": (("S1", "chr1", 249, 300, 1.0), "lines 3 and 7 (S1, chromosome 1: 51-250 and 249-"),
    "nested": (("S1", "1", 60, 61, 1.0), "lines 3 and 7 (S1, chromosome 1: 51-250 and 60-61)"),
    "twice": (("S2", "1", 151, 200, 2.0), "lines 4 and 7 (S2, chromosome 1: 151-200 and 151-200)"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_segment_that_is_wrong_is_named_with_its_line(name: str, tmp_path: Path) -> None:
    row, words = WRONG[name]
    found = complaint(write(tmp_path / "a.seg", [*ROWS, row]))
    assert words in found.problem
    assert found.row == "7"


def test_decimal_commas_are_recognised(tmp_path: Path) -> None:
    found = complaint(write(tmp_path / "a.seg", [("S1", "1", 1, 9, "-0,5")]))
    assert "decimal point" in found.cure


def test_all_that_is_wrong_is_told_at_once_and_the_first_five_are_named(tmp_path: Path) -> None:
    rows: list[Row] = [("S1", "1", 10 * k + 1, 10 * k + 9, "low") for k in range(8)]
    found = complaint(write(tmp_path / "a.seg", [("S1", "", 1, 9, 1.0), *rows]))
    assert "1 segments have no chromosome in column 'chrom': line 2." in found.problem
    assert "8 cells of column 'seg.mean'" in found.problem
    assert found.problem.count("'low'") == 5
    assert "and 3 more" in found.problem
    assert "Give each segment its chromosome" in found.cure
    assert "Write numbers only" in found.cure


def test_one_shared_base_is_no_overlap_and_a_nested_segment_hides_none(tmp_path: Path) -> None:
    touching: list[Row] = [("S", "1", 1, 50, 1.0), ("S", "1", 20, 20, 2.0)]
    table = frame(write(tmp_path / "a.seg", [*touching, ("S", "1", 50, 60, 1.0)]))
    assert table.iloc[0, 0] == np.float32(1 + 1 / 62)
    found = complaint(write(tmp_path / "c.seg", [*touching, ("S", "1", 49, 60, 1.0)]))
    assert "1 segments overlap" in found.problem
    assert "lines 2 and 4 (S, chromosome 1: 1-50 and 49-60)" in found.problem


def test_a_file_without_any_mean_is_refused(tmp_path: Path) -> None:
    found = complaint(write(tmp_path / "a.seg", [("S1", "1", 1, 9, "NA")]))
    assert "No segment has a mean" in found.problem


def test_two_columns_for_one_thing_are_refused(tmp_path: Path) -> None:
    header = ("ID", "chrom", "loc.start", "loc.end", "Sample", "seg.mean")
    found = complaint(write(tmp_path / "a.seg", ROWS, header=header))
    assert "'ID' and 'Sample' could each be the sample" in found.problem


def test_a_short_row_is_told_also_by_import(tmp_path: Path) -> None:
    path = tmp_path / "a.seg"
    path.write_text(text(ROWS) + "S1\t2\t1\t9\n")
    with pytest.raises(UnreadableTableError, match="another number: line 7"):
        read_ids(path, cells_counted=False)


def test_an_open_quote_below_a_header_marked_as_comment_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.seg"
    lines = (
        "#ID\tchrom\tloc.start\tloc.end\tnum.mark\tseg.mean",
        'S1\t1\t1\t"90\t7\t0.5',
        "S1\t1\t91\t99\t2\t0",
    )
    path.write_text("".join(f"{line}\n" for line in lines))
    with pytest.raises(UnreadableTableError, match="opened and not closed") as raised:
        read_ids(path)
    assert raised.value.row == "2"


PIECES = st.sampled_from([b"\t", b"\n", b"\r", b'"', b"#", b"\0", b"\xff", b"-", b"NA", b"1e999"])
EDIT = st.tuples(st.floats(0, 1), st.integers(0, 9), PIECES | st.binary(max_size=4))


@settings(max_examples=150, deadline=None)
@given(edits=st.lists(EDIT, min_size=1, max_size=4))
def test_no_damage_ends_in_an_exception_of_another_kind(
    edits: list[tuple[float, int, bytes]],
) -> None:
    content = text(ROWS).encode()
    for where, length, piece in edits:
        at = int(where * len(content))
        content = content[:at] + piece + content[at + length :]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.seg"
        path.write_bytes(content)
        try:
            ids = read_ids(path)
            cells = sum(np.asarray(block.cells).size for block in read_blocks(ids))
        except UnreadableTableError:
            return
        assert cells == len(ids.rows) * len(ids.columns)


# Through the stations ----------------------------------------------------------------------------


def cohort_rows() -> list[Row]:
    """Twelve samples that break at ends of bins only; means in eighths."""
    rows: list[Row] = []
    for at in range(12):
        cuts = [0, 1 + at % 3, 5 + at % 2, 8]
        for part, (first, last) in enumerate(pairwise(cuts)):
            for chromosome in ("chr7", "X"):
                mean = ((5 * at + 3 * part + len(chromosome)) % 17 - 8) / 8
                start, end = first * BIN + 1, last * BIN
                rows.append((f"S{at + 1:02d}", chromosome, start, end, mean))
    return rows


def run_with(folder: Path, rows: dict[str, list[Row]], sheet: list[list[str]]) -> Result:
    """Run CHECK_INPUT and IMPORT on a sound cohort with further files and rows of the sheet."""
    cohort = Cohort()
    cohort.raw = {name: text(of_file).encode() for name, of_file in rows.items()}
    width = max(len(row) for row in sheet)
    cohort.sheet[0] += ["sample", "rows"][: width - 3]
    cohort.sheet += sheet
    cohort.sheet[1:] = [row + [""] * (width - len(row)) for row in cohort.sheet[1:]]
    table, samples = cohort.write(folder)
    return run(Request(sheet=table, samples=samples, **DEFAULTS), folder)


def matrix(path: Path) -> np.ndarray:
    return read_rows(path, range(len(read_header(path).samples)))


def test_genes_of_imported_segments_are_their_length_weighted_means(tmp_path: Path) -> None:
    result = run_with(tmp_path, {"cnv.seg": cohort_rows()}, [["cnv", "cnv", "cnv.seg"]])
    assert result.texts("error") + result.texts("warning") == []
    notes = [note for note in result.checked.plan.notes if "cnv.seg" in note]
    assert [note.partition(":")[0] for note in notes] == ["cnv (cnv.seg)"]
    assert "72 segments of 12 samples, averaged into 16 bins of 100 kilobases" in notes[0]
    header = read_header(result.layers["main.cnv"])
    assert header.features[:2] == ("chr7:1-100000", "chr7:100001-200000")
    genes = {
        "IN_A_BIN": ("chr7", 20_000, 30_000),
        "OVER_A_BREAK": ("chr7", 90_000, 340_000),
        "TO_THE_BASE": ("X", 100_000, 700_001),
    }
    bed = tmp_path / "genes.bed"
    bed.write_text("".join(f"{c}\t{s}\t{e}\t{name}\n" for name, (c, s, e) in genes.items()))
    step = GenesFromSegments(read_table(bed, "regions"))
    values = step.fit_transform(matrix(result.layers["main.cnv"]), features=header.features)
    assert step.genes_ == list(genes)
    for column, (chromosome, start, end) in enumerate(genes.values()):
        expected = np.zeros(12)
        for sample, where, first, last, mean in cohort_rows():
            if where == chromosome:
                shared = max(0, min(last, end) - max(first - 1, start))
                expected[int(sample[1:]) - 1] += shared * mean / (end - start)
        np.testing.assert_allclose(values[:, column], expected, rtol=1e-12, atol=1e-12)


def files_of_one_sample() -> tuple[dict[str, list[Row]], list[list[str]]]:
    """A file for each sample, in which it has another id; the last reaches further."""
    files: dict[str, list[Row]] = {}
    for at in range(12):
        name = f"S{at + 1:02d}"
        files[f"{name}.seg"] = [
            (f"8a6f-{at:04d}", *row[1:]) for row in cohort_rows() if row[0] == name
        ]
    files["S12.seg"] += [("8a6f-0011", "22", 5 * BIN, 6 * BIN, 0.25)]
    sheet = [["cnv", "cnv", name, name.removesuffix(".seg")] for name in files]
    return files, sheet


def test_files_of_one_sample_give_the_layer_of_one_file_of_all(tmp_path: Path) -> None:
    files, sheet = files_of_one_sample()
    apart = run_with(tmp_path / "apart", files, sheet)
    assert apart.texts("error") + apart.texts("warning") == []
    assert any("12 SEG files of one sample each" in note for note in apart.checked.plan.notes)
    rows = [*cohort_rows(), ("S12", "22", 5 * BIN, 6 * BIN, 0.25)]
    whole = run_with(tmp_path / "whole", {"cnv.seg": rows}, [["cnv", "cnv", "cnv.seg"]])
    one, other = (result.layers["main.cnv"] for result in (apart, whole))
    assert read_header(one) == read_header(other)
    np.testing.assert_array_equal(matrix(one), matrix(other))
    counts = {
        layer.n_features
        for result in (apart, whole)
        for layer in result.checked.plan.layers
        if layer.layer == "cnv"
    }
    assert counts == {len(read_header(one).features)}


def test_joined_segments_are_sorted_whatever_their_order(tmp_path: Path) -> None:
    part = {
        name: segments_of(write(tmp_path / name, [row for row in ROWS if row[0] == name]), 100)
        for name in ("S2", "S1")
    }
    whole = joined({"B": part["S2"], "A": part["S1"]})
    assert whole.samples == ("A", "B")
    np.testing.assert_array_equal(binned(whole), np.array(VALUES, dtype="f4"))


def test_gaps_that_no_sample_covers_are_no_warning_in_files_of_one_sample(tmp_path: Path) -> None:
    files, sheet = files_of_one_sample()
    files["S12.seg"] += [("8a6f-0011", "22", 9 * BIN, 9 * BIN, 0.25)]
    result = run_with(tmp_path, files, sheet)
    assert np.isnan(matrix(result.layers["main.cnv"])).all(axis=0).sum() == 2
    assert result.texts("warning") == []


def test_a_file_of_several_samples_is_not_taken_for_one(tmp_path: Path) -> None:
    files, sheet = files_of_one_sample()
    files["S03.seg"] += [("other", "1", 1, 9, 1.0)]
    errors = run_with(tmp_path, files, sheet).texts("error")
    assert any("S03.seg" in e and "should hold one sample, but it has 2" in e for e in errors)


def test_seg_files_and_others_do_not_mix_in_a_layer(tmp_path: Path) -> None:
    files, sheet = files_of_one_sample()
    cohort = Cohort()
    cohort.raw = {name: text(rows).encode() for name, rows in files.items()}
    cohort.raw["S04.seg"] = b"bin\tvalue\nchr7:1-100000\t1\n"
    cohort.sheet[0].append("sample")
    cohort.sheet[1:] = [[*row, ""] for row in cohort.sheet[1:]] + sheet
    table, samples = cohort.write(tmp_path)
    errors = run(Request(sheet=table, samples=samples, **DEFAULTS), tmp_path).texts("error")
    assert any("11 files of layer 'cnv'" in e and "1 are not" in e for e in errors)
    request = ImportRequest(
        "cnv",
        "cnv",
        "main",
        "samples",
        tuple(tmp_path / row[2] for row in sheet),
        tuple(row[3] for row in sheet),
    )
    problems = import_layer(request, tmp_path / "mixed.h5ad").errors
    assert "no SEG file" in problems[0].problem
    assert not (tmp_path / "mixed.h5ad").exists()


@pytest.mark.parametrize(
    ("kind", "rows", "words"),
    [
        ("rna_log", "", ("its kind is rna_log", "needs kind cnv")),
        ("clinical", "", ("its kind is clinical", "needs kind cnv")),
        ("cnv", "features", ("its rows are segments", "'rows' of the samplesheet empty")),
    ],
)
@pytest.mark.parametrize("sample", ["", "S01"])
def test_a_samplesheet_that_takes_segments_for_something_else_is_told(
    sample: str, kind: str, rows: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    files, _ = files_of_one_sample()
    name = "S01.seg" if sample else "cnv.seg"
    held = files["S01.seg"] if sample else cohort_rows()
    result = run_with(tmp_path, {name: held}, [["copies", kind, name, sample, rows]])
    errors = [error for error in result.texts("error") if name in error]
    assert any(all(word in error for word in words) for error in errors), errors
    assert "main.copies" not in result.layers


def test_when_no_sample_is_known_samples_are_named_and_no_bins(tmp_path: Path) -> None:
    rows = [("X" + row[0], *row[1:]) for row in cohort_rows()]
    result = run_with(tmp_path, {"cnv.seg": rows}, [["cnv", "cnv", "cnv.seg"]])
    errors = [error for error in result.texts("error") if "No sample of the table" in error]
    assert "The table has XS01, XS02, XS03; samples.tsv" in errors[0]


def test_rows_may_be_stated_as_samples(tmp_path: Path) -> None:
    sheet = [["cnv", "cnv", "cnv.seg", "", "samples"]]
    result = run_with(tmp_path, {"cnv.seg": cohort_rows()}, sheet)
    assert result.texts("error") == []
    assert matrix(result.layers["main.cnv"]).shape == (12, 16)


def test_without_samples_the_kind_is_looked_at_all_the_same(tmp_path: Path) -> None:
    run_with(tmp_path, {"cnv.seg": cohort_rows()}, [["copies", "protein", "cnv.seg"]])
    (tmp_path / "samples.tsv").write_text("")
    request = Request(
        sheet=tmp_path / "samplesheet.csv", samples=tmp_path / "samples.tsv", **DEFAULTS
    )
    assert any("needs kind cnv" in text for text in run(request, tmp_path).texts("error"))
