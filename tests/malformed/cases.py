"""The corpus of malformed inputs: what is broken, and what the user then sees.

``CASES`` maps a name to its :class:`Case`; ``write_case(name, folder)`` writes its files.
"""

import gzip
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.malformed.cohort import SAMPLES, Cohort

DEFAULTS: dict[str, Any] = {
    "task": "classification",
    "target": "subtype",
    "folds": 3,
    "repeats": 1,
    "inner_folds": 2,
    "folds_per_task": 0,
    "models": ("clinical", "linear", "fused"),
}
SURVIVAL = {"task": "survival", "target": "os"}
REGRESSION = {"task": "regression", "target": "score"}


@dataclass(frozen=True)
class Case:
    """One malformed input.

    Attributes
    ----------
    breaks
        Changes a sound cohort.
    error
        Words that one error's text holds, all of them; empty when the input works.
    warning
        Words that one warning's text holds.
    note
        Words that one note of the plan holds.
    lost
        Samples that are left out (works only).
    missing
        Cells of rna (feature's row, sample) that are missing in the end (works only).
    same
        Whether the imported numbers are those of the sound cohort (works only).
    options
        What the user asked for, beside :data:`DEFAULTS`.
    """

    breaks: Callable[[Cohort], None]
    error: tuple[str, ...] = ()
    warning: tuple[str, ...] = ()
    note: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    missing: tuple[tuple[int, str], ...] = ()
    same: bool = True
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def works(self) -> bool:
        """Whether the run goes on."""
        return not self.error


CASES: dict[str, Case] = {}


def case(**expected: Any) -> Callable[[Callable[[Cohort], None]], Callable[[Cohort], None]]:
    """Register a function that breaks a cohort, under its own name."""

    def register(breaks: Callable[[Cohort], None]) -> Callable[[Cohort], None]:
        CASES[breaks.__name__] = Case(breaks, **expected)
        return breaks

    return register


def write_case(name: str, folder: Path) -> tuple[Path, Path]:
    """Write the files of a case; return the paths of samplesheet and samples.tsv."""
    cohort = Cohort()
    CASES[name].breaks(cohort)
    return cohort.write(folder)


# How the file is written -------------------------------------------------------------------------


@case()
def nothing_is_wrong(cohort: Cohort) -> None:
    pass


@case()
def byte_order_mark(cohort: Cohort) -> None:
    for name in ("rna.tsv", "samples.tsv"):
        cohort.raw[name] = b"\xef\xbb\xbf" + cohort.text(name).encode()
    cohort.raw["samplesheet.csv"] = (
        b"\xef\xbb\xbf" + "".join(",".join(row) + "\n" for row in cohort.sheet).encode()
    )


@case()
def windows_line_ends(cohort: Cohort) -> None:
    for name in ("rna.tsv", "samples.tsv"):
        cohort.raw[name] = cohort.text(name).replace("\n", "\r\n").encode()


@case()
def old_mac_line_ends(cohort: Cohort) -> None:
    cohort.raw["rna.tsv"] = cohort.text("rna.tsv").replace("\n", "\r").encode()


@case()
def no_newline_at_the_end(cohort: Cohort) -> None:
    cohort.raw["rna.tsv"] = cohort.text("rna.tsv").rstrip("\n").encode()


@case(note=("rna.tsv", "UTF-16"))
def utf_16(cohort: Cohort) -> None:
    cohort.raw["rna.tsv"] = cohort.text("rna.tsv").encode("utf-16")


@case(note=("rna.tsv", "Windows-1252"))
def latin_1_letters(cohort: Cohort) -> None:
    cohort.rna[1][0] = "β-catenin µg"
    cohort.raw["rna.tsv"] = cohort.text("rna.tsv").replace("β", "b").encode("latin-1")


@case()
def letters_beyond_ascii_in_utf_8(cohort: Cohort) -> None:
    cohort.rna[1][0] = "β-catenin µg"


@case()
def commas_in_a_file_named_tsv(cohort: Cohort) -> None:
    cohort.raw["rna.tsv"] = cohort.text("rna.tsv", ",").encode()


@case()
def semicolons_in_a_file_named_tsv(cohort: Cohort) -> None:
    cohort.raw["rna.tsv"] = cohort.text("rna.tsv", ";").encode()


@case(note=("samplesheet.csv", "tabs"))
def samplesheet_with_tabs(cohort: Cohort) -> None:
    cohort.raw["samplesheet.csv"] = "".join("\t".join(row) + "\n" for row in cohort.sheet).encode()


@case(error=("rna.tsv", "No tabs, commas or semicolons", "spaces"))
def cells_separated_by_spaces(cohort: Cohort) -> None:
    cohort.raw["rna.tsv"] = cohort.text("rna.tsv", " ").encode()


@case(error=("rna.tsv", "one column only"))
def one_column(cohort: Cohort) -> None:
    cohort.raw["rna.tsv"] = "\n".join(row[0] for row in cohort.rna).encode()


@case()
def gzipped(cohort: Cohort) -> None:
    cohort.raw["rna.tsv.gz"] = gzip.compress(cohort.text("rna.tsv").encode())
    cohort.sheet[1][2] = "rna.tsv.gz"


@case()
def gzipped_without_saying_so(cohort: Cohort) -> None:
    cohort.raw["rna.tsv"] = gzip.compress(cohort.text("rna.tsv").encode())


@case()
def named_gz_and_not_gzipped(cohort: Cohort) -> None:
    cohort.raw["rna.tsv.gz"] = cohort.text("rna.tsv").encode()
    cohort.sheet[1][2] = "rna.tsv.gz"


@case(error=("rna.tsv.gz", "damaged or was cut off"))
def truncated_gzip(cohort: Cohort) -> None:
    cohort.raw["rna.tsv.gz"] = gzip.compress(cohort.text("rna.tsv").encode())[:-40]
    cohort.sheet[1][2] = "rna.tsv.gz"


@case(error=("rna.tsv.gz", "damaged or was cut off"))
def damaged_gzip(cohort: Cohort) -> None:
    content = bytearray(gzip.compress(cohort.text("rna.tsv").encode()))
    content[len(content) // 2] ^= 0xFF
    cohort.raw["rna.tsv.gz"] = bytes(content)
    cohort.sheet[1][2] = "rna.tsv.gz"


@case(error=("rna.tsv", "The file is empty"))
def empty_file(cohort: Cohort) -> None:
    cohort.raw["rna.tsv"] = b""


@case(error=("rna.tsv", "The file is empty"))
def blank_lines_only(cohort: Cohort) -> None:
    cohort.raw["rna.tsv"] = b"\n\n  \n"


@case(error=("rna.tsv", "a header and no rows"))
def only_a_header(cohort: Cohort) -> None:
    del cohort.rna[1:]


@case(error=("rna.tsv", "not text: it holds binary data"))
def binary_junk(cohort: Cohort) -> None:
    cohort.raw["rna.tsv"] = bytes(range(256)) * 20


@case(error=("rna.tsv", "Excel workbook", "tab-separated"))
def excel_workbook(cohort: Cohort) -> None:
    cohort.raw["rna.tsv"] = b"PK\x03\x04" + bytes(100)


@case(error=("rna.h5ad", "not AnnData"))
def text_named_h5ad(cohort: Cohort) -> None:
    cohort.raw["rna.h5ad"] = cohort.text("rna.tsv").encode()
    cohort.sheet[1][2] = "rna.h5ad"


@case(error=("rna.h5ad", "cannot be read"))
def truncated_h5ad(cohort: Cohort) -> None:
    cohort.raw["rna.h5ad"] = b"\x89HDF\r\n\x1a\n" + bytes(200)
    cohort.sheet[1][2] = "rna.h5ad"


@case(error=("rna.parquet", "cannot be read"))
def truncated_parquet(cohort: Cohort) -> None:
    cohort.raw["rna.parquet"] = b"PAR1" + bytes(200)
    cohort.sheet[1][2] = "rna.parquet"


@case()
def every_cell_quoted(cohort: Cohort) -> None:
    rows = [[f'"{cell}"' for cell in row] for row in cohort.rna]
    cohort.raw["rna.tsv"] = "".join(",".join(row) + "\n" for row in rows).encode()


@case()
def a_quoted_name_with_the_delimiter_in_it(cohort: Cohort) -> None:
    cohort.rna[1][0] = '"1,2-propanediol, total"'
    cohort.raw["rna.tsv"] = cohort.text("rna.tsv", ",").encode()


@case()
def a_quotation_mark_inside_a_name(cohort: Cohort) -> None:
    cohort.rna[1][0] = 'GENE 5" UTR'


@case(error=("rna.tsv", "row 3", "quotation mark is opened and not closed"))
def a_quotation_mark_never_closed(cohort: Cohort) -> None:
    cohort.rna[2][0] = '"GENE'


@case(note=("rna.tsv", "header is line 3"))
def comment_lines_above_the_header(cohort: Cohort) -> None:
    cohort.raw["rna.tsv"] = ("# made by a tool\n# 1.2\n" + cohort.text("rna.tsv")).encode()


@case()
def a_header_that_begins_like_a_comment(cohort: Cohort) -> None:
    cohort.rna[0][0] = "#OTU ID"


@case()
def blank_and_empty_rows(cohort: Cohort) -> None:
    lines = cohort.text("rna.tsv").splitlines()
    lines[3:3] = ["", "   ", "\t" * len(SAMPLES)]
    cohort.raw["rna.tsv"] = ("\n".join(lines) + "\n\n\t\t\n").encode()


@case(note=("rna.tsv", "no cell above the ids"))
def header_without_a_corner_as_r_writes_it(cohort: Cohort) -> None:
    del cohort.rna[0][0]


@case(error=("rna.tsv", "row 5", "The header has 13 cells", "RNA004", "has 11"))
def a_row_too_short(cohort: Cohort) -> None:
    del cohort.rna[4][-2:]


@case(error=("rna.tsv", "row 4", "has 14"))
def a_row_too_long(cohort: Cohort) -> None:
    cohort.rna[3].append("1")


@case(error=("rna.tsv", "ends with a delimiter"))
def rows_that_end_with_a_delimiter(cohort: Cohort) -> None:
    for row in cohort.rna[1:]:
        row.append("")


@case(error=("rna.tsv", "columns have no id", "column 14"))
def empty_columns_at_the_end(cohort: Cohort) -> None:
    for row in cohort.rna:
        row.extend(["", ""])


# Ids ---------------------------------------------------------------------------------------------


@case(error=("rna.tsv", "column ids stand more than once", "S02"))
def duplicated_header(cohort: Cohort) -> None:
    cohort.rna[0][3] = "S02"


@case(error=("rna.tsv", "row 7", "RNA002 (lines 3, 7)"))
def duplicated_feature(cohort: Cohort) -> None:
    cohort.rna[6][0] = "RNA002"


@case(error=("rna.tsv", "row 7", "RNA002 (lines 3, 7)"))
def duplicated_feature_but_for_blanks(cohort: Cohort) -> None:
    cohort.rna[6][0] = " RNA002 "


@case(error=("samples.tsv", "row 6", "S02 (lines 3, 6)"))
def duplicated_sample(cohort: Cohort) -> None:
    cohort.samples[5][0] = "S02"


@case(error=("rna.tsv", "row 3", "1 rows have no id"))
def a_row_without_an_id(cohort: Cohort) -> None:
    cohort.rna[2][0] = ""


@case(note=("rna.tsv", "blanks around 2 ids"))
def trailing_blanks_in_ids(cohort: Cohort) -> None:
    cohort.rna[0][2] += " "
    cohort.rna[0][4] += "\u00a0"
    cohort.samples[3][0] += "  "


@case(error=("rna.tsv", "s05 here, S05 in samples.tsv", "upper and lower case"))
def one_id_in_another_case(cohort: Cohort) -> None:
    cohort.rna[0][5] = "s05"


@case(error=("rna.tsv", "No sample of the table", "s01", "S01", "upper and lower case"))
def all_ids_in_another_case(cohort: Cohort) -> None:
    cohort.rna[0] = [cell.lower() for cell in cohort.rna[0]]


@case(error=("rna.tsv", "9 samples are written in two ways", "leading zeros", "1 here, 01 in"))
def ids_that_lost_their_leading_zeros(cohort: Cohort) -> None:
    for row in cohort.samples[1:]:
        row[0] = row[0].replace("S", "")
    for name in ("rna.tsv", "protein.tsv", "mutation.tsv"):
        header = cohort.tables[name][0]
        header[1:] = [str(int(cell[1:])) if name == "rna.tsv" else cell[1:] for cell in header[1:]]


@case()
def numeric_ids_with_leading_zeros_everywhere(cohort: Cohort) -> None:
    for row in cohort.samples[1:]:
        row[0] = row[0].replace("S", "0")
    for rows in cohort.tables.values():
        rows[0][1:] = [cell.replace("S", "0") for cell in rows[0][1:]]


@case(error=("rna.tsv", "No sample of the table", "'.', '-', '_'"))
def dots_that_r_made_of_dashes(cohort: Cohort) -> None:
    for row in cohort.samples[1:]:
        row[0] = row[0].replace("S", "TCGA-")
    for name in ("rna.tsv", "protein.tsv", "mutation.tsv"):
        dash = "." if name == "rna.tsv" else "-"
        header = cohort.tables[name][0]
        header[1:] = [cell.replace("S", f"TCGA{dash}") for cell in header[1:]]


@case(error=("rna.tsv", "No sample of the table", "begin alike"))
def aliquots_where_patients_are_listed(cohort: Cohort) -> None:
    cohort.rna[0][1:] = [f"{cell}-01A" for cell in cohort.rna[0][1:]]


@case(error=("rna.tsv", "No sample of the table", "X7, X8, X9", "S01, S02, S03"))
def no_sample_in_common(cohort: Cohort) -> None:
    cohort.rna[0][1:] = [f"X{index}" for index in range(7, 7 + len(SAMPLES))]


@case(warning=("rna.tsv", "spreadsheet", "1-Mar, Mar-1, 2-Sep", "43160"))
def gene_names_mangled_by_a_spreadsheet(cohort: Cohort) -> None:
    for row, name in zip(cohort.rna[1:], ["1-Mar", "Mar-1", "2-Sep", "43160"], strict=False):
        row[0] = name


@case(warning=("differ only in upper and lower case", "S01 / s01"), lost=("s01",))
def two_samples_that_differ_in_case(cohort: Cohort) -> None:
    cohort.samples.append(["s01", *cohort.samples[1][1:]])


@case(warning=("2 samples of the tables are not in samples.tsv", "S01, S02"), lost=("S01", "S02"))
def samples_not_listed(cohort: Cohort) -> None:
    del cohort.samples[1:3]


@case(warning=("1 of 13 samples are in no omics table", "S99"), lost=("S99",))
def a_sample_without_any_layer(cohort: Cohort) -> None:
    cohort.samples.append(["S99", *cohort.samples[1][1:]])


@case(error=("samples.tsv", "no column 'sample'", "'Sample'"))
def no_sample_column(cohort: Cohort) -> None:
    cohort.samples[0][0] = "Sample"


@case(error=("samples.tsv", "More than one column", "age"))
def duplicated_column_of_samples(cohort: Cohort) -> None:
    cohort.samples[0][-1] = "age"


# Which way the table lies ------------------------------------------------------------------------


def _transpose(cohort: Cohort) -> None:
    cohort.tables["rna.tsv"] = [list(column) for column in zip(*cohort.rna, strict=True)]


@case(note=("rna.tsv", "samples are rows"))
def transposed_table(cohort: Cohort) -> None:
    _transpose(cohort)


@case(error=("rna.tsv", "rows should be features", "the other way"))
def transposed_against_its_statement(cohort: Cohort) -> None:
    _transpose(cohort)
    cohort.sheet[0].append("rows")
    for row in cohort.sheet[1:]:
        row.append("features")


@case(error=("rna.tsv", "cannot be told which way", "rows"))
def ids_of_samples_on_both_sides(cohort: Cohort) -> None:
    for row, sample in zip(cohort.rna[1:], SAMPLES, strict=False):
        row[0] = sample


# Cells -------------------------------------------------------------------------------------------

GAPS = ((0, "S01"), (1, "S02"), (2, "S03"), (3, "S04"), (4, "S05"), (5, "S06"))


def _gaps(cohort: Cohort, spellings: list[str]) -> None:
    for (row, sample), spelling in zip(GAPS, spellings, strict=True):
        cohort.rna[1 + row][1 + SAMPLES.index(sample)] = spelling


@case(missing=GAPS)
def plain_spellings_of_missing(cohort: Cohort) -> None:
    _gaps(cohort, ["", "NA", "nan", "NaN", "na", " NA "])


@case(missing=GAPS, warning=("rna.tsv", "6 cells", "'#N/A'", "'.'", "'NULL'", "taken for missing"))
def unusual_spellings_of_missing(cohort: Cohort) -> None:
    _gaps(cohort, ["N/A", "#N/A", "NULL", "None", ".", "-"])


@case(error=("rna.tsv", "row 4", "S02", "'low'", "where numbers belong"))
def a_word_among_numbers(cohort: Cohort) -> None:
    cohort.rna[3][2] = "low"


@case(error=("rna.tsv", "row 4", "S02", "'<0.5'", "limit of detection"))
def below_detection(cohort: Cohort) -> None:
    cohort.rna[3][2] = "<0.5"


@case(error=("rna.tsv", "'description'", "text in every row", "delete it"))
def a_column_of_words(cohort: Cohort) -> None:
    for index, row in enumerate(cohort.rna):
        row.insert(1, f"kinase {index}" if index else "description")


@case(error=("rna.tsv", "row 2", "'3,14'", "decimal point"))
def decimal_commas(cohort: Cohort) -> None:
    cohort.rna[1][1:] = ["3,14"] * len(SAMPLES)


@case(error=("rna.tsv", "decimal point"))
def decimal_commas_and_semicolons(cohort: Cohort) -> None:
    for row in cohort.rna[1:]:
        row[1:] = [f"{float(cell):.2f}".replace(".", ",") for cell in row[1:]]
    cohort.raw["rna.tsv"] = cohort.text("rna.tsv", ";").encode()


@case(error=("rna.tsv", "decimal commas in a comma-separated table"))
def decimal_commas_in_a_table_with_commas(cohort: Cohort) -> None:
    for row in cohort.rna[1:]:
        row[1:] = [f"{float(cell):.2f}".replace(".", ",") for cell in row[1:]]
    cohort.raw["rna.tsv"] = cohort.text("rna.tsv", ",").encode()


@case(error=("rna.tsv", "row 2", "'1,234'", "thousands"))
def thousands_separators(cohort: Cohort) -> None:
    cohort.rna[1][1] = "1,234"


@case(error=("rna.tsv", "row 6", "S03", "2 cells are infinite"))
def infinite_values(cohort: Cohort) -> None:
    cohort.rna[5][3] = "-inf"
    cohort.rna[6][4] = "Infinity"


@case(error=("rna.tsv", "row 3", "S01", "beyond 3.4e38"))
def a_number_too_large(cohort: Cohort) -> None:
    cohort.rna[2][1] = "1e200"


@case(error=("rna.tsv", "row 3", "'#DIV/0!'", "spreadsheet"))
def an_error_of_a_spreadsheet(cohort: Cohort) -> None:
    cohort.rna[2][1] = "#DIV/0!"


@case(error=("mutation.tsv", "'TRUE'", "1 for true"))
def truth_values(cohort: Cohort) -> None:
    for row in cohort.tables["mutation.tsv"][1:]:
        row[1:] = ["TRUE" if cell == "1" else "FALSE" for cell in row[1:]]


@case(error=("rna.tsv", "No cell of the table holds a value"))
def a_table_of_missing_values(cohort: Cohort) -> None:
    for row in cohort.rna[1:]:
        row[1:] = ["NA"] * len(SAMPLES)


@case(
    warning=("rna.tsv", "1 samples have no value at all", "S03"),
    missing=tuple((row, "S03") for row in range(20)),
)
def a_sample_of_missing_values(cohort: Cohort) -> None:
    for row in cohort.rna[1:]:
        row[3] = ""


@case(same=False)
def an_extreme_but_legal_value(cohort: Cohort) -> None:
    cohort.rna[2][1] = "36893"


# Values that do not fit the kind -----------------------------------------------------------------


def _kind(cohort: Cohort, kind: str) -> None:
    """Call the RNA table by another kind."""
    cohort.sheet[1][1] = kind


def _whole_numbers(cohort: Cohort) -> None:
    for row in cohort.rna[1:]:
        row[1:] = [f"{8 * float(cell):.0f}" for cell in row[1:]]


@case(same=False)
def sound_counts(cohort: Cohort) -> None:
    _kind(cohort, "rna_counts")
    _whole_numbers(cohort)


@case(error=("rna.tsv", "1 of 240 values are negative", "RNA004, sample S02: -3", "0 or more"))
def a_negative_count(cohort: Cohort) -> None:
    _kind(cohort, "rna_counts")
    _whole_numbers(cohort)
    cohort.rna[4][2] = "-3"


@case(error=("rna.tsv", "are negative", "and 7 more", "logged or centred", "kind mirna_log"))
def logged_values_given_as_counts(cohort: Cohort) -> None:
    _kind(cohort, "mirna_counts")
    cohort.rna[4][1:] = [str(-index / 4) for index in range(1, len(SAMPLES) + 1)]


@case(warning=("rna.tsv", "of 240 values are no whole numbers", "Expected counts", "rna_log"))
def normalised_values_given_as_counts(cohort: Cohort) -> None:
    _kind(cohort, "rna_counts")


@case(warning=("rna.tsv", "no whole numbers", "Relative abundances are no counts"))
def relative_abundances_given_as_counts(cohort: Cohort) -> None:
    _kind(cohort, "microbiome_counts")


def _betas(cohort: Cohort) -> None:
    _kind(cohort, "methylation_beta")
    for row in cohort.rna[1:]:
        row[1:] = [f"{float(cell) / 20:.4f}" for cell in row[1:]]


@case(same=False)
def sound_beta_values(cohort: Cohort) -> None:
    _betas(cohort)


@case(error=("rna.tsv", "1 of 240 values lie outside 0 to 1", "RNA002, sample S12: 1.5"))
def a_beta_value_above_one(cohort: Cohort) -> None:
    _betas(cohort)
    cohort.rna[2][-1] = "1.5"


@case(error=("rna.tsv", "outside 0 to 1", "look like M-values"))
def m_values_given_as_beta_values(cohort: Cohort) -> None:
    _kind(cohort, "methylation_beta")
    for row in cohort.rna[1:]:
        row[1:] = [f"{float(cell) - 6:.3f}" for cell in row[1:]]


@case(error=("rna.tsv", "outside 0 to 1", "look like percentages"))
def percentages_given_as_beta_values(cohort: Cohort) -> None:
    _kind(cohort, "methylation_beta")
    for row in cohort.rna[1:]:
        row[1:] = [f"{5 * float(cell):.2f}" for cell in row[1:]]


@case(error=("mutation.tsv", "1 of 72 values are negative", "MUTATION002, sample S03: -1"))
def a_negative_mutation(cohort: Cohort) -> None:
    cohort.tables["mutation.tsv"][2][3] = "-1"


@case(warning=("mutation.tsv", "2 of 72 calls are fractions", "allele fractions (VAF)"), same=False)
def allele_fractions(cohort: Cohort) -> None:
    cohort.tables["mutation.tsv"][2][3:5] = ["0.31", "0.07"]


@case(
    warning=("mutation.tsv", "1 of 72 calls are above 1", "Numbers of mutations are fine"),
    same=False,
)
def a_gene_mutated_twice(cohort: Cohort) -> None:
    cohort.tables["mutation.tsv"][2][3] = "2"


@case(warning=("rna.tsv", "of 240 values are negative", "metabolite", "(PQN)"), same=False)
def metabolites_that_were_centred(cohort: Cohort) -> None:
    _kind(cohort, "metabolite")
    for row in cohort.rna[1:]:
        row[1:] = [f"{float(cell) - 6:.3f}" for cell in row[1:]]


@case(error=("rna.tsv", "No feature varies", "20 features", "12 samples"))
def a_constant_layer(cohort: Cohort) -> None:
    for row in cohort.rna[1:]:
        row[1:] = ["7.5"] * len(SAMPLES)


@case(warning=("rna.tsv", "12 of 20 features have the same value in all samples"), same=False)
def a_mostly_constant_layer(cohort: Cohort) -> None:
    for row in cohort.rna[1:13]:
        row[1:] = ["7.5"] * len(SAMPLES)


@case(
    warning=("rna.tsv", "2 of 20 features have no value in any sample: RNA003, RNA017"),
    missing=tuple((row, sample) for row in (2, 16) for sample in SAMPLES),
)
def features_of_missing_values(cohort: Cohort) -> None:
    for row in (3, 17):
        cohort.rna[row][1:] = ["NA"] * len(SAMPLES)


def _keep_samples(cohort: Cohort, layer: str, n: int) -> None:
    for row in cohort.tables[f"{layer}.tsv"]:
        del row[1 + n :]


@case(error=("protein.tsv", "Layer 'protein' has one training sample (S01)"))
def a_layer_of_one_sample(cohort: Cohort) -> None:
    _keep_samples(cohort, "protein", 1)


@case(warning=("protein.tsv", "Layer 'protein' has 3 training samples: S01, S02, S03"), same=False)
def a_layer_of_three_samples(cohort: Cohort) -> None:
    _keep_samples(cohort, "protein", 3)


@case(
    warning=("samples.tsv", "1 of 3 batches have one sample: site7 (S04)"),
    options={"batch": "site"},
)
def a_batch_of_one_sample(cohort: Cohort) -> None:
    cohort.set_sample("site", {"S04": "site7"})


# The samplesheet ---------------------------------------------------------------------------------


@case(error=("samplesheet.csv", "row 2", "'rna_lgo' is not known", "Did you mean 'rna_log'?"))
def an_unknown_kind(cohort: Cohort) -> None:
    cohort.sheet[1][1] = "rna_lgo"


@case(error=("samplesheet.csv", "'cohrt' that is not known", "Did you mean 'cohort'?"))
def an_unknown_column_of_the_samplesheet(cohort: Cohort) -> None:
    cohort.sheet[0].append("cohrt")
    for row in cohort.sheet[1:]:
        row.append("main")


@case(error=("samplesheet.csv", "lacks the column 'kind'"))
def a_samplesheet_without_kinds(cohort: Cohort) -> None:
    for row in cohort.sheet:
        del row[1]


@case(error=("samplesheet.csv", "row 3", "'proteins.tsv' does not exist"))
def a_path_that_does_not_exist(cohort: Cohort) -> None:
    cohort.sheet[2][2] = "proteins.tsv"


@case(error=("samplesheet.csv", "row 4", "The cell 'file' is empty"))
def a_row_without_a_file(cohort: Cohort) -> None:
    cohort.sheet[3][2] = ""


@case(error=("samplesheet.csv", "row 4", "'rna'", "2 tables (lines 2, 4)"))
def two_tables_of_one_layer(cohort: Cohort) -> None:
    cohort.sheet[3][:2] = ["rna", "rna_log"]


@case(error=("samplesheet.csv", "row 2", "'RNA seq'", "letters without accents"))
def a_layer_name_with_a_blank(cohort: Cohort) -> None:
    cohort.sheet[1][0] = "RNA seq"


@case(error=("samplesheet.csv", "reserved for kind clinical"))
def a_layer_named_clinical(cohort: Cohort) -> None:
    cohort.sheet[1][0] = "clinical"


@case(error=("samplesheet.csv", "train in some rows and external in others"))
def a_cohort_of_two_roles(cohort: Cohort) -> None:
    cohort.sheet[0].append("role")
    for row, role in zip(cohort.sheet[1:], ["train", "external", "train"], strict=True):
        row.append(role)


@case(error=("samplesheet.csv", "role 'extern' is not known", "'external'"))
def an_unknown_role(cohort: Cohort) -> None:
    cohort.sheet[0].append("role")
    for row in cohort.sheet[1:]:
        row.append("extern")


@case(error=("samplesheet.csv", "a header and no rows"))
def an_empty_samplesheet(cohort: Cohort) -> None:
    del cohort.sheet[1:]


def _split_rna(cohort: Cohort, kept: Callable[[int, int], bool]) -> None:
    """Write a file per sample instead of rna.tsv; ``kept``: which (feature, sample) it holds."""
    cohort.sheet[0].append("sample")
    del cohort.sheet[1]
    for row in cohort.sheet[1:]:
        row.append("")
    for at, sample in enumerate(SAMPLES):
        rows = [
            [row[0], row[1 + at]] for index, row in enumerate(cohort.rna[1:]) if kept(index, at)
        ]
        cohort.tables[f"rna_{sample}.tsv"] = [["feature", "value"], *rows]
        cohort.sheet.append(["rna", "rna_log", f"rna_{sample}.tsv", sample])
    del cohort.tables["rna.tsv"]


@case(note=("rna", "12 files of one sample each"))
def a_file_for_each_sample(cohort: Cohort) -> None:
    _split_rna(cohort, lambda row, at: True)


@case(missing=((19, "S03"),), note=("1 of 20 features", "missing from some files"))
def a_file_that_lacks_a_feature(cohort: Cohort) -> None:
    _split_rna(cohort, lambda row, at: (row, at) != (19, 2))


@case(error=("share only 10 of 20 features", "At most 20%"))
def files_of_different_features(cohort: Cohort) -> None:
    _split_rna(cohort, lambda row, at: at != 2 or row < 10)


@case(error=("rna_S04.tsv", "no header"))
def a_file_of_one_sample_without_a_header(cohort: Cohort) -> None:
    _split_rna(cohort, lambda row, at: True)
    del cohort.tables["rna_S04.tsv"][0]


@case(error=("more than one file for S02",))
def two_files_of_one_sample(cohort: Cohort) -> None:
    _split_rna(cohort, lambda row, at: True)
    cohort.sheet[5][3] = "S02"


# Segments of copy number -------------------------------------------------------------------------

SEG_HEADER = ["ID", "chrom", "loc.start", "loc.end", "num.mark", "seg.mean"]


def _segments(cohort: Cohort) -> list[list[str]]:
    """Add a layer in a SEG file, two segments a sample that break at different places."""
    rows = [SEG_HEADER]
    for at, sample in enumerate(SAMPLES, 1):
        cut = 50_000 * at
        rows.append([sample, "chr7", "1", str(cut), "40", f"{at / 8:g}"])
        rows.append([sample, "chr7", str(cut + 1), "700000", "30", f"{-at / 4:g}"])
    cohort.tables["cnv.seg"] = rows
    cohort.sheet.append(["cnv", "cnv", "cnv.seg"])
    return rows


@case(note=("cnv.seg", "24 segments of 12 samples", "7 bins of 100 kilobases"))
def segments(cohort: Cohort) -> None:
    _segments(cohort)


@case(note=("cnv", "12 SEG files of one sample each"))
def segments_in_a_file_for_each_sample(cohort: Cohort) -> None:
    rows = _segments(cohort)
    del cohort.tables["cnv.seg"], cohort.sheet[-1]
    cohort.sheet = [[*row, ""] for row in cohort.sheet]
    cohort.sheet[0][-1] = "sample"
    for at, sample in enumerate(SAMPLES):
        held = [[f"aliquot{at}", *row[1:]] for row in rows if row[0] == sample]
        cohort.tables[f"cnv_{sample}.seg"] = [SEG_HEADER, *held]
        cohort.sheet.append(["cnv", "cnv", f"cnv_{sample}.seg", sample])


@case(note=("cnv.seg", "1 segments without a mean count as not covered"))
def a_segment_without_a_mean(cohort: Cohort) -> None:
    _segments(cohort)[4][-1] = "NA"


@case(error=("cnv.seg", "SEG file", "kind is rna_log", "needs kind cnv"))
def segments_of_another_kind(cohort: Cohort) -> None:
    _segments(cohort)
    cohort.sheet[-1][1] = "rna_log"


@case(error=("cnv.seg", "its rows are segments, not features", "Leave the column 'rows'"))
def segments_whose_rows_should_be_features(cohort: Cohort) -> None:
    _segments(cohort)
    cohort.sheet = [[*row, ""] for row in cohort.sheet]
    cohort.sheet[0][-1], cohort.sheet[-1][-1] = "rows", "features"


@case(error=("cnv.seg", "row 5", "S02, chromosome 7: 1-100000 and 90001-700000", "overlap"))
def segments_that_overlap(cohort: Cohort) -> None:
    _segments(cohort)[4][2] = "90001"


@case(error=("cnv.seg", "row 5", "end before they start", "'100001 to 7000'"))
def a_segment_that_ends_before_it_starts(cohort: Cohort) -> None:
    _segments(cohort)[4][3] = "7000"


@case(error=("cnv.seg", "row 5", "'loc.start' hold no position", "'1,001'"))
def a_position_with_a_thousands_separator(cohort: Cohort) -> None:
    _segments(cohort)[4][2] = "1,001"


@case(error=("cnv.seg", "row 5", "'seg.mean' hold text", "'-0,5'", "decimal point"))
def a_mean_with_a_decimal_comma(cohort: Cohort) -> None:
    _segments(cohort)[4][-1] = "-0,5"


@case(error=("cnv.seg", "row 5", "1 segments have no sample", "Give each segment its sample"))
def a_segment_of_no_sample(cohort: Cohort) -> None:
    _segments(cohort)[4][0] = " "


@case(error=("cnv.seg", "row 5", "1 segments have no chromosome"))
def a_segment_on_no_chromosome(cohort: Cohort) -> None:
    _segments(cohort)[4][1] = "NA"


@case(error=("cnv.seg", "row 5", "The header has 6 cells", "has 5"))
def a_segment_with_a_cell_too_few(cohort: Cohort) -> None:
    del _segments(cohort)[4][-1]


@case(error=("cnv.seg", "No sample of the table", "S01-01A", "begin alike"))
def segments_of_aliquots_where_samples_are_listed(cohort: Cohort) -> None:
    for row in _segments(cohort)[1:]:
        row[0] += "-01A"


# The outcome -------------------------------------------------------------------------------------


@case(
    error=("samples.tsv", "no column 'subtyp'", "Did you mean 'subtype'?"),
    options={"target": "subtyp"},
)
def a_target_misspelt(cohort: Cohort) -> None:
    pass


@case(error=("Use --target os:",), options={"task": "survival", "target": "os_time"})
def a_survival_target_named_by_one_column(cohort: Cohort) -> None:
    pass


@case(error=("names subtype more than once",), options={"target": "subtype,site,subtype"})
def a_target_named_twice(cohort: Cohort) -> None:
    pass


@case(
    error=("no column 'sit'", "Did you mean 'site'?", "The columns are: patient, subtype"),
    options={"target": "subtype,sit"},
)
def the_second_target_misspelt(cohort: Cohort) -> None:
    pass


@case(
    warning=("samples.tsv", "2 of 12 samples have no site: S01, S02", "another target"),
    options={"target": "subtype,site"},
)
def a_second_target_that_some_lack(cohort: Cohort) -> None:
    cohort.set_sample("site", {"S01": "", "S02": "NA"})


@case(
    error=("orders the classes of one target, and --target names 2",),
    options={"target": "subtype,site", "class_order": ("A", "B")},
)
def an_order_of_classes_of_two_targets(cohort: Cohort) -> None:
    pass


@case(error=("samples.tsv", "os_event", "'yes'", "1 where the event happened"), options=SURVIVAL)
def event_coded_yes_and_no(cohort: Cohort) -> None:
    cohort.set_sample(
        "os_event", {sample: "yes" if at % 2 else "no" for at, sample in enumerate(SAMPLES)}
    )


@case(error=("samples.tsv", "os_event", "must be 0", "subtract 1"), options=SURVIVAL)
def event_coded_one_and_two(cohort: Cohort) -> None:
    cohort.set_sample("os_event", {sample: str(1 + at % 2) for at, sample in enumerate(SAMPLES)})


@case(error=("samples.tsv", "row 4", "os_event", "cells say 3"), options=SURVIVAL)
def an_impossible_event(cohort: Cohort) -> None:
    cohort.set_sample("os_event", {"S03": "3"})


@case(error=("samples.tsv", "No training sample has an event"), options=SURVIVAL)
def all_censored(cohort: Cohort) -> None:
    cohort.set_sample("os_event", dict.fromkeys(SAMPLES, "0"))


@case(error=("samples.tsv", "row 3", "2 of 12", "zero or less", "5%"), options=SURVIVAL)
def many_negative_times(cohort: Cohort) -> None:
    cohort.set_sample("os_time", {"S02": "-5", "S05": "0"})


@case(
    warning=("samples.tsv", "1 of 36", "zero or less: S02"),
    lost=("S02",),
    options=SURVIVAL,
    same=False,
)
def one_negative_time(cohort: Cohort) -> None:
    for rows in cohort.tables.values():
        rows[0] += [f"{cell}{letter}" for letter in "ab" for cell in SAMPLES]
        for row in rows[1:]:
            row += row[1:] * 2
    for letter in "ab":
        cohort.samples += [
            [f"{row[0]}{letter}", f"{row[1]}{letter}", *row[2:]] for row in cohort.samples[1:13]
        ]
    cohort.set_sample("os_time", {"S02": "-5"})


@case(error=("samples.tsv", "row 3", "os_time", "'3 years'"), options=SURVIVAL)
def a_time_in_words(cohort: Cohort) -> None:
    cohort.set_sample("os_time", {"S02": "3 years"})


@case(error=("samples.tsv", "row 3", "os_time", "decimal"), options=SURVIVAL)
def a_time_with_a_decimal_comma(cohort: Cohort) -> None:
    cohort.set_sample("os_time", {"S02": "3,5"})


@case(warning=("samples.tsv", "2 of 12 samples have no subtype", "S01, S02"), lost=("S01", "S02"))
def a_missing_outcome(cohort: Cohort) -> None:
    cohort.set_sample("subtype", {"S01": "", "S02": "NA"})


@case(warning=("samples.tsv", "'N/A'", "taken for missing"), lost=("S01",))
def an_outcome_of_n_a(cohort: Cohort) -> None:
    cohort.set_sample("subtype", {"S01": "N/A"})


@case(error=("samples.tsv", "subtype", "of one class (A)"))
def one_class_only(cohort: Cohort) -> None:
    cohort.set_sample("subtype", dict.fromkeys(SAMPLES, "A"))


@case(error=("samples.tsv", "subtype", "Class 'C' has one member only"))
def a_class_with_one_member(cohort: Cohort) -> None:
    cohort.set_sample("subtype", {"S05": "C"})


@case(warning=("samples.tsv", "Class 'C' has 2 members for 3 folds"))
def a_class_smaller_than_the_folds(cohort: Cohort) -> None:
    cohort.set_sample("subtype", {"S05": "C", "S07": "C"})


@case(warning=("samples.tsv", "Classes differ only in upper and lower case: A / a"))
def classes_that_differ_in_case(cohort: Cohort) -> None:
    cohort.set_sample("subtype", {"S01": "a", "S03": "a", "S05": "a"})


@case(error=("samples.tsv", "looks like regression"), options={"target": "score"})
def classes_that_are_numbers(cohort: Cohort) -> None:
    for letter in "ab":
        cohort.samples += [[f"{row[0]}{letter}", *row[1:]] for row in cohort.samples[1:13]]
    for rows in cohort.tables.values():
        rows[0] += [f"{cell}{letter}" for letter in "ab" for cell in SAMPLES]
        for row in rows[1:]:
            row += row[1:] * 2
    at = cohort.samples[0].index("score")
    for index, row in enumerate(cohort.samples[1:]):
        row[at] = str(index / 4)


@case(error=("samples.tsv", "row 5", "score", "'high'"), options=REGRESSION)
def a_word_in_a_regression_outcome(cohort: Cohort) -> None:
    cohort.set_sample("score", {"S04": "high"})


@case(error=("samples.tsv", "score", "the same for all 12"), options=REGRESSION)
def a_constant_regression_outcome(cohort: Cohort) -> None:
    cohort.set_sample("score", dict.fromkeys(SAMPLES, "2.5"))


@case(error=("patients (or groups)", "for 20 folds"), options={"folds": 20})
def more_folds_than_patients(cohort: Cohort) -> None:
    pass


# Covariates, groups, splits ----------------------------------------------------------------------


@case(error=("no column 'agee'", "Did you mean 'age'?"), options={"covariates": ("agee",)})
def a_covariate_misspelt(cohort: Cohort) -> None:
    pass


@case(error=("'subtype' is the outcome",), options={"covariates": ("subtype",)})
def the_outcome_as_a_covariate(cohort: Cohort) -> None:
    pass


@case(error=("same as the outcome", "sex"), options={"covariates": ("sex",)})
def a_copy_of_the_outcome_as_a_covariate(cohort: Cohort) -> None:
    cohort.set_sample("sex", {sample: "12"[at % 2] for at, sample in enumerate(SAMPLES)})


@case(warning=("same value (f)", "sex"), options={"covariates": ("sex",)})
def a_constant_covariate(cohort: Cohort) -> None:
    cohort.set_sample("sex", dict.fromkeys(SAMPLES, "f"))


@case(error=("age", "row 3", "'forty'"), options={"covariates": ("age",)})
def a_word_in_a_numeric_covariate(cohort: Cohort) -> None:
    cohort.set_sample("age", {"S02": "forty"})


@case(error=("part", "row 13", "no value"), options={"split": "column:part"})
def a_split_without_a_value(cohort: Cohort) -> None:
    cohort.set_sample("part", {"S12": ""})


@case(error=("different parts of the split", "P01"), options={"split": "column:part"})
def a_patient_on_both_sides_of_the_split(cohort: Cohort) -> None:
    cohort.set_sample("patient", {"S12": "P01"})


@case(error=("no column 'centre'", "--group"), options={"group": "centre"})
def a_group_column_that_is_not_there(cohort: Cohort) -> None:
    pass
