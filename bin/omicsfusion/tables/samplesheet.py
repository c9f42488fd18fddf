"""The samplesheet: one row per table of a layer, or per file of one sample."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from omicsfusion.tables.delimiters import DELIMITER_NAMES
from omicsfusion.tables.ids import near_name, shown
from omicsfusion.tables.numbers import is_missing
from omicsfusion.tables.problems import Problems
from omicsfusion.tables.text_table import read_cells
from omicsfusion.tables.unreadable import UnreadableTableError

REQUIRED = ("layer", "kind", "file")
COLUMNS = (*REQUIRED, "cohort", "role", "sample", "rows")
KINDS = (
    "rna_counts",
    "mirna_counts",
    "rna_log",
    "mirna_log",
    "array",
    "methylation_beta",
    "protein",
    "rppa",
    "metabolite",
    "microbiome_counts",
    "mutation",
    "cnv",
    "clinical",
)
CLINICAL = "clinical"
CNV = "cnv"
TRAIN = "train"
EXTERNAL = "external"
FEATURES = "features"
SAMPLES = "samples"
DEFAULTS = {"cohort": "main", "role": TRAIN}

_NAME = re.compile(r"[A-Za-z0-9_]+", re.ASCII)


@dataclass(frozen=True)
class SheetRow:
    """One row of the samplesheet.

    Attributes
    ----------
    line
        Its line in the sheet; the header is line 1.
    cohort, layer, kind, role
        As in the sheet, defaults filled in.
    file
        The table as the user wrote it.
    path
        Where it lies.
    sample
        The sample, when the file holds one; else empty.
    rows
        ``features``, ``samples``, or empty when not stated.
    """

    line: int
    cohort: str
    layer: str
    kind: str
    role: str
    file: str
    path: Path
    sample: str
    rows: str


def read_samplesheet(
    sheet: Path, problems: Problems, staged: Mapping[int, Path] | None = None
) -> tuple[list[SheetRow], list[str]]:
    """Read and check the samplesheet.

    Parameters
    ----------
    sheet
        The file. Comma-separated; tabs and semicolons are understood too.
    problems
        Takes what is wrong.
    staged
        Line of the sheet -> where its table lies (a line without one: the file does not exist).
        None: paths are absolute or relative to the sheet.

    Returns
    -------
    The sound rows, sorted by cohort, layer, sample and line; and notes for the user.
    """
    try:
        table, cells = read_cells(sheet)
    except UnreadableTableError as error:
        problems.error(error.problem, error.cure, file=sheet.name, row=error.row)
        return [], []
    header = table.header
    if not _check_header(header, sheet, problems):
        return [], []
    rows = []
    for line, row in zip(table.lines, cells, strict=True):
        named = dict(zip(header, row, strict=False))
        parsed = _row(line, named, sheet, staged, problems)
        if parsed is not None:
            rows.append(parsed)
    rows.sort(key=lambda row: (row.cohort, row.layer, row.sample, row.line))
    _check_together(rows, sheet.name, problems)
    notes = [f"{sheet.name}: {remark}" for remark in table.remarks]
    if table.delimiter != ",":
        notes.append(f"{sheet.name}: its cells are separated by {DELIMITER_NAMES[table.delimiter]}")
    return rows, notes


def _check_header(header: Sequence[str], sheet: Path, problems: Problems) -> bool:
    before = len(problems.errors)
    for name in header:
        if name not in COLUMNS:
            problems.error(
                f"The samplesheet has a column {name!r} that is not known.",
                f"{near_name(name, COLUMNS)} Its columns are {', '.join(COLUMNS)}.".strip(),
                file=sheet.name,
                row=1,
                column=name,
            )
    for name in REQUIRED:
        if name not in header:
            problems.error(
                f"The samplesheet lacks the column {name!r}.",
                "It needs at least the columns layer, kind and file.",
                file=sheet.name,
                row=1,
            )
    twice = sorted({name for name in header if list(header).count(name) > 1})
    if twice:
        problems.error(
            f"The samplesheet has more than one column {shown(twice)}.",
            "Keep one of them.",
            file=sheet.name,
            row=1,
        )
    return len(problems.errors) == before


def _row(
    line: int,
    cells: Mapping[str, str],
    sheet: Path,
    staged: Mapping[int, Path] | None,
    problems: Problems,
) -> SheetRow | None:
    before = len(problems.errors)
    values = {name: "" if is_missing(cells.get(name, "")) else cells[name] for name in COLUMNS}
    values = {name: text or DEFAULTS.get(name, "") for name, text in values.items()}
    for name in REQUIRED:
        if not values[name]:
            problems.error(
                f"The cell {name!r} is empty.",
                "Fill it in.",
                file=sheet.name,
                row=line,
                column=name,
            )
    for name in ("layer", "cohort"):
        if values[name] and not _NAME.fullmatch(values[name]):
            problems.error(
                f"The {name} is called {values[name]!r}.",
                "Use letters without accents, digits and _ only: the name becomes a file's name.",
                file=sheet.name,
                row=line,
                column=name,
            )
    for name, known in (
        ("kind", KINDS),
        ("role", (TRAIN, EXTERNAL)),
        ("rows", (FEATURES, SAMPLES)),
    ):
        _check_choice(values[name], name, known, line, sheet, problems)
    if values["layer"] == CLINICAL and values["kind"] in KINDS and values["kind"] != CLINICAL:
        problems.error(
            "The layer name 'clinical' is reserved for kind clinical.",
            "Give the layer another name.",
            file=sheet.name,
            row=line,
            column="layer",
        )
    path = _path(values["file"], line, sheet, staged, problems)
    if len(problems.errors) > before or path is None:
        return None
    return SheetRow(line=line, path=path, **values)


def _check_choice(
    value: str, name: str, known: Sequence[str], line: int, sheet: Path, problems: Problems
) -> None:
    if value and value not in known:
        hint = near_name(value, known)
        problems.error(
            f"The {name} {value!r} is not known.",
            f"{hint} Known are: {', '.join(known)}.".strip(),
            file=sheet.name,
            row=line,
            column=name,
        )


def _path(
    file: str,
    line: int,
    sheet: Path,
    staged: Mapping[int, Path] | None,
    problems: Problems,
) -> Path | None:
    if not file:
        return None
    path = staged.get(line) if staged is not None else sheet.parent / file
    if path is None or not path.exists():
        problems.error(
            f"The file {file!r} does not exist.",
            "Write an absolute path, or one relative to the folder of the samplesheet.",
            file=sheet.name,
            row=line,
            column="file",
        )
        return None
    return path


def _check_together(rows: Sequence[SheetRow], sheet: str, problems: Problems) -> None:
    _check_roles(rows, sheet, problems)
    by_layer: dict[tuple[str, str], list[SheetRow]] = {}
    for row in rows:
        by_layer.setdefault((row.cohort, row.layer), []).append(row)
    for (cohort, layer), group in by_layer.items():
        lines = [row.line for row in sorted(group, key=lambda row: row.line)]
        if len(group) > 1 and not all(row.sample for row in group):
            problems.error(
                f"Layer {layer!r} of cohort {cohort!r} has {len(group)} tables "
                f"(lines {shown(map(str, lines))}).",
                "One layer of a cohort is one table: join them, or give the layers other names; "
                "if each file holds one sample, name it in the column 'sample'.",
                file=sheet,
                row=lines[1],
            )
        twice = sorted(
            {
                row.sample
                for row in group
                if row.sample and sum(other.sample == row.sample for other in group) > 1
            }
        )
        if twice:
            problems.error(
                f"Layer {layer!r} of cohort {cohort!r} has more than one file for {shown(twice)}.",
                "Keep one file for each sample.",
                file=sheet,
                row=max(row.line for row in group if row.sample == twice[0]),
                column="sample",
            )
    for layer in sorted({row.layer for row in rows}):
        kinds = sorted({row.kind for row in rows if row.layer == layer})
        if len(kinds) > 1:
            problems.error(
                f"Layer {layer!r} has more than one kind: {', '.join(kinds)}.",
                "A layer is of one kind in all cohorts.",
                file=sheet,
                row=max(row.line for row in rows if row.layer == layer),
                column="kind",
            )


def _check_roles(rows: Sequence[SheetRow], sheet: str, problems: Problems) -> None:
    for cohort in sorted({row.cohort for row in rows}):
        if len({row.role for row in rows if row.cohort == cohort}) > 1:
            problems.error(
                f"Cohort {cohort!r} is called train in some rows and external in others.",
                "A cohort has one role: give the external samples another cohort name.",
                file=sheet,
                row=max(row.line for row in rows if row.cohort == cohort),
                column="role",
            )
    if rows and all(row.role == EXTERNAL for row in rows):
        problems.error(
            "All cohorts are external, so there is nothing to train on.",
            "Give the cohort to train on the role train.",
            file=sheet,
            column="role",
        )
