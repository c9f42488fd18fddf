"""SEG files: one row per segment of copy number, as DNAcopy, GDC, cBioPortal and GISTIC write them.

Here they are recognised, read and checked; :mod:`seg_bins` makes a table of samples and bins.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from omicsfusion.tables.numbers import cure_for_text, is_missing, number_in, plain_numbers
from omicsfusion.tables.seg_bins import BIN, Segments, arranged
from omicsfusion.tables.text_bytes import open_text
from omicsfusion.tables.text_table import TextTable
from omicsfusion.tables.unreadable import UnreadableTableError

# What the columns are called, but for case, dots, underscores and blanks.
NAMES = {
    "sample": ("id", "sample", "gdcaliquot"),
    "chromosome": ("chrom", "chromosome"),
    "start": ("locstart", "start", "startposition"),
    "end": ("locend", "end", "endposition"),
    "mean": ("segmean", "segmentmean", "segcn"),
}
# A SEG file has 5 to 10 columns; headers of a million are not looked through.
MOST_COLUMNS = 100
# Rows that are text at one time: 5 words each.
CHUNK = 100_000
# The largest position that BAM files and their kin hold; every chromosome that is known is shorter.
LAST_BASE = 2**31 - 1
LARGEST = float(np.finfo(np.float32).max)
# How the sex chromosomes are called where all are numbered.
NUMBERED = {"23": "X", "24": "Y"}
SHOWN = 5


def seg_columns(table: TextTable) -> dict[str, int] | None:
    """Return where the columns of a SEG file stand in its header; None for other tables.

    Returns
    -------
    Key of :data:`NAMES` -> position.

    Raises
    ------
    UnreadableTableError
        Two columns could be the same of them.
    """
    if len(table.columns) > MOST_COLUMNS:
        return None
    header = table.header
    plain = [re.sub(r"[\s._']", "", cell).lower() for cell in header]
    found = {
        what: [at for at, name in enumerate(plain) if name in names]
        for what, names in NAMES.items()
    }
    if not all(found.values()):
        return None
    for what, places in found.items():
        if len(places) > 1:
            named = " and ".join(repr(header[at]) for at in places)
            raise UnreadableTableError(
                f"The table is a SEG file (segments of copy number), but its columns {named} could "
                f"each be the {what}.",
                "Delete one of them.",
            )
    return {what: places[0] for what, places in found.items()}


def read_segments(
    table: TextTable, columns: Mapping[str, int], width: int = BIN
) -> tuple[Segments, dict[str, int], tuple[str, ...]]:
    """Read the segments of a SEG file.

    Parameters
    ----------
    table
        How the file is written; its rows are as long as its header.
    columns
        As :func:`seg_columns` returns them.
    width
        Bases of a bin.

    Returns
    -------
    The segments that have a mean; the line where each sample comes first; what the user should be
    told.

    Raises
    ------
    UnreadableTableError
        With all that is wrong with the cells; segments of a sample overlap; none has a mean.
    """
    faults = _Faults({what: table.header[at] for what, at in columns.items()})
    parts, row = [], 0
    for cells in _text(table, columns):
        lines = np.array(table.lines[row : row + len(cells)])
        parts.append(_checked(cells, lines, faults))
        row += len(cells)
    if row != len(table.rows):
        raise UnreadableTableError(
            f"{row} rows were read where {len(table.rows)} were expected.",
            "Look for stray quotation marks, and remove them.",
        )
    faults.refuse()
    rows = pd.concat(parts, ignore_index=True)
    first = rows.drop_duplicates("sample").set_index("sample")["line"]
    held = rows[rows["mean"].notna()]
    if held.empty:
        raise UnreadableTableError("No segment has a mean.", "Is it the right table?")
    segments = arranged(held, first.index, width)
    _refuse_overlaps(segments.table)
    segments = replace(segments, table=segments.table.drop(columns="line"))
    places = {sample: int(first[sample]) for sample in segments.samples}
    return segments, places, _remarks(segments, len(rows) - len(held))


def _text(table: TextTable, columns: Mapping[str, int]) -> Iterator[pd.DataFrame]:
    """Read the columns that are needed as text, some rows at a time."""
    # Above the ids the header may have no cell: then the rows have one more in front.
    shift = int(table.corner is None)
    above = set(range(table.header_line)) | {line - 1 for line in table.blank}
    names = {at + shift: what for what, at in columns.items()}
    with open_text(table.path, table.encoding) as lines:
        chunks = pd.read_csv(
            lines,
            sep=table.delimiter,
            header=None,
            usecols=list(names),
            dtype=str,
            na_filter=False,
            skiprows=above,
            skip_blank_lines=False,
            chunksize=CHUNK,
        )
        for chunk in chunks:
            yield chunk.rename(columns=names)


def _checked(cells: pd.DataFrame, lines: np.ndarray, faults: "_Faults") -> pd.DataFrame:
    """Turn the cells of some rows into ids and numbers, and note what is none."""
    rows = pd.DataFrame({"line": lines})
    for what, clean in (("sample", _sample), ("chromosome", _chromosome)):
        codes, words = pd.factorize(cells[what])
        rows[what] = np.array([clean(word) for word in words], dtype=object)[codes]
        faults.note(what, (rows[what] == "").to_numpy(), lines, cells[what])
    right = np.ones(len(cells), dtype=bool)
    for what, least in (("start", 0), ("end", 1)):
        values, _ = _numbers(cells[what].to_numpy())
        whole = (values == np.rint(values)) & (values >= least) & (values <= LAST_BASE)
        faults.note(what, ~whole, lines, cells[what])
        rows[what] = np.where(whole, values, 0).astype(np.int64)
        right &= whole
    backward = right & (rows["end"] < rows["start"]).to_numpy()
    faults.note("order", backward, lines, cells["start"] + " to " + cells["end"])
    values, words = _numbers(cells["mean"].to_numpy())
    faults.note("mean", words, lines, cells["mean"])
    faults.note("infinite", np.abs(values) > LARGEST, lines, cells["mean"])
    return rows.assign(mean=values)


def _sample(word: str) -> str:
    return "" if is_missing(word) else word.strip()


def _chromosome(word: str) -> str:
    """Return the bare name, the same for chr7, Chr7, 07 and 7; empty where there is none."""
    bare = re.sub("^chr", "", "" if is_missing(word) else word.strip(), flags=re.IGNORECASE)
    if re.fullmatch("[0-9]+", bare):
        return bare.lstrip("0") or "0"
    return bare.upper() if bare.upper() in ("X", "Y", "M", "MT") else bare


def _numbers(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers in cells, NaN where there is none; and which cells hold other words."""
    # Arrow's array cannot be written to.
    numbers, words = np.array(plain_numbers(cells)), np.zeros(len(cells), dtype=bool)
    for place in np.flatnonzero(np.isnan(numbers)):
        number = number_in(cells[place])
        words[place] = number is None
        numbers[place] = np.nan if number is None else number
    return numbers, words


class _Faults:
    """Cells that are not what they should be: how many of each kind, and the first of them.

    Parameters
    ----------
    names
        What the file calls its columns.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._count: Counter[str] = Counter()
        self._first: dict[str, list[tuple[int, str]]] = {}

    def note(self, kind: str, wrong: np.ndarray, lines: np.ndarray, cells: pd.Series) -> None:
        """Note the rows where something is wrong."""
        places = np.flatnonzero(wrong)
        self._count[kind] += len(places)
        first = self._first.setdefault(kind, [])
        first += [(int(lines[at]), cells.iloc[at]) for at in places[: SHOWN - len(first)]]

    def refuse(self) -> None:
        """Raise what was noted, all of it together."""
        told = [self._words(kind) for kind, count in self._count.items() if count]
        if told:
            first = min(line for places in self._first.values() for line, _ in places)
            raise UnreadableTableError(
                " ".join(problem for problem, _ in told),
                " ".join(dict.fromkeys(cure for _, cure in told)),
                row=str(first),
            )

    def _words(self, kind: str) -> tuple[str, str]:
        count, first = self._count[kind], self._first[kind]
        column = repr(self._names.get(kind, self._names["mean"]))
        more = f" and {count - len(first)} more" if count > len(first) else ""
        if kind in ("sample", "chromosome"):
            lines = ", ".join(str(line) for line, _ in first)
            return (
                f"{count} segments have no {kind} in column {column}: line {lines}{more}.",
                f"Give each segment its {kind}, or delete it.",
            )
        places = "; ".join(f"line {line}: {text!r}" for line, text in first) + more
        if kind in ("start", "end"):
            return (
                f"{count} cells of column {column} hold no position: {places}.",
                f"A position is a whole number, at most {LAST_BASE}, without separators: mend it, "
                "or delete the segment.",
            )
        if kind == "order":
            return (
                f"{count} segments end before they start: {places}.",
                "Look whether the columns of start and end were exchanged.",
            )
        if kind == "mean":
            return (
                f"{count} cells of column {column} hold text where numbers belong: {places}.",
                cure_for_text([text for _, text in first]),
            )
        return (
            f"{count} cells of column {column} are infinite or beyond 3.4e38: {places}.",
            "Leave a cell empty where a mean is not known (the logarithm of zero is infinite: add "
            "a small number before it).",
        )


def _refuse_overlaps(table: pd.DataFrame) -> None:
    """Raise where segments of one sample share more than one base.

    One is allowed, because many files name the base of a break twice: as the end of one segment and
    the start of the next.

    Parameters
    ----------
    table
        Of :class:`Segments`, with ``line``.
    """
    sample, chromosome = (table[name].cat.codes.to_numpy() for name in ("sample", "chromosome"))
    begins = (np.diff(sample, prepend=-1) != 0) | (np.diff(chromosome, prepend=-1) != 0)
    # Each chromosome of each sample is lifted above all before it: one running maximum does.
    group = np.cumsum(begins)
    lift = group * (LAST_BASE + 1)
    start, end, line = (table[name].to_numpy() for name in ("start", "end", "line"))
    reached = np.maximum.accumulate(end + lift)
    before = np.concatenate([[0], reached[:-1]]) - lift
    wrong = np.flatnonzero(np.minimum(before, end) - start + 1 > 1)
    if not len(wrong):
        return
    places, lines = [], []
    for at in wrong[:SHOWN]:
        other = np.flatnonzero((group[:at] == group[at]) & (end[:at] == before[at]))[-1]
        first, last = sorted((other, at), key=lambda row: int(line[row]))
        spans = " and ".join(f"{start[row]}-{end[row]}" for row in (first, last))
        place = f"{table['sample'][at]}, chromosome {table['chromosome'][at]}: {spans}"
        places.append(f"lines {line[first]} and {line[last]} ({place})")
        lines.append(int(line[last]))
    more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
    raise UnreadableTableError(
        f"{len(wrong)} segments overlap another of the same sample: {'; '.join(places)}{more}.",
        "A base has one segment in each sample: keep the segments of one run of one caller, and "
        "remove rows that stand twice.",
        row=str(lines[0]),
    )


def _remarks(segments: Segments, n_without: int) -> tuple[str, ...]:
    remarks = [
        f"a SEG file: {len(segments.table)} segments of {len(segments.samples)} samples, averaged "
        f"into {segments.n_bins} bins of {segments.width // 1000} kilobases"
    ]
    if n_without:
        remarks.append(f"{n_without} segments without a mean count as not covered")
    for number, sex in NUMBERED.items():
        if number in segments.reach and sex not in segments.reach:
            remarks.append(
                f"there is a chromosome {number} and no {sex}: if it is {sex}, call it so, because "
                "cohorts and genes are matched by name"
            )
    return tuple(remarks)
