"""The ids of every layer of every cohort: what CHECK_INPUT knows of a layer."""

from collections.abc import Sequence
from dataclasses import dataclass

from omicsfusion.tables.ids import check_features, check_ids, near_name, shown
from omicsfusion.tables.numbers import is_number
from omicsfusion.tables.orientation import settle_rows
from omicsfusion.tables.problems import Problems
from omicsfusion.tables.reading import SEG, TableIds, read_ids
from omicsfusion.tables.samples import SampleTable
from omicsfusion.tables.samplesheet import CLINICAL, CNV, FEATURES, SAMPLES, SheetRow
from omicsfusion.tables.seg_bins import Segments, joined
from omicsfusion.tables.unreadable import UnreadableTableError

# Files of one sample each become one layer: what one file lacks is missing. Above this share of
# features that not all files have, they were probably made in different ways.
MAX_UNSHARED = 0.2


@dataclass(frozen=True)
class LayerIds:
    """One layer of one cohort.

    Attributes
    ----------
    cohort, layer, kind, role
        As in the samplesheet.
    rows
        ``features`` or ``samples``.
    sources
        Files, as the user wrote them.
    source_samples
        The sample of each source, when each file holds one; else empty.
    samples
        All samples of the table, in samples.tsv or not, sorted.
    n_features
        How many features.
    name
        What the user calls the (first) file.
    notes
        What the user should be told.
    """

    cohort: str
    layer: str
    kind: str
    role: str
    rows: str
    sources: tuple[str, ...]
    source_samples: tuple[str, ...]
    samples: tuple[str, ...]
    n_features: int
    name: str
    notes: tuple[str, ...]


def find_layers(
    sheet: Sequence[SheetRow], samples: SampleTable, problems: Problems
) -> list[LayerIds]:
    """Read the ids of all tables; layers whose reading is settled come back, problems are told."""
    groups: dict[tuple[str, str], list[SheetRow]] = {}
    for row in sheet:
        groups.setdefault((row.cohort, row.layer), []).append(row)
    found = []
    for group in groups.values():
        if group[0].sample:
            layer = _layer_of_single_samples(group, samples, problems)
        elif len(group) == 1:
            layer = _layer_of_table(group[0], samples, problems)
        else:
            layer = None  # two tables of one layer: the samplesheet's check has said so
        if layer is not None:
            found.append(layer)
    return found


def _ids(row: SheetRow, problems: Problems) -> TableIds | None:
    try:
        return read_ids(row.path, row.file)
    except UnreadableTableError as error:
        problems.error(error.problem, error.cure, file=row.file, row=error.row)
    except OSError as error:
        problems.error(
            f"The file cannot be read ({error.strerror}).", "May you read it?", file=row.file
        )
    return None


def check_seg(row: SheetRow, ids: TableIds, problems: Problems) -> None:
    """Report a SEG file that the samplesheet takes for something else."""
    if ids.form != SEG:
        return
    if row.kind != CNV:
        problems.error(
            f"It is a SEG file (segments of copy number), but its kind is {row.kind}.",
            f"A SEG file needs kind {CNV} in the samplesheet.",
            file=ids.name,
        )
    if row.rows == FEATURES:
        problems.error(
            "It is a SEG file: its rows are segments, not features.",
            "Leave the column 'rows' of the samplesheet empty for it.",
            file=ids.name,
        )


def _layer_of_table(row: SheetRow, samples: SampleTable, problems: Problems) -> LayerIds | None:
    ids = _ids(row, problems)
    if ids is None:
        return None
    before = len(problems.errors)
    check_seg(row, ids, problems)
    if len(problems.errors) > before:
        return None
    rows = settle_rows(ids, row.rows, samples.table.index, samples.name, problems)
    check_ids(ids.columns, "column", problems, file=ids.name)
    check_ids(ids.rows, "row", problems, file=ids.name, places=ids.lines)
    if rows is None:
        return None
    features, found = (ids.rows, ids.columns) if rows == FEATURES else (ids.columns, ids.rows)
    check_features(features, problems, file=ids.name)
    if row.kind == CLINICAL and "cohort" in features:
        problems.error(
            "A clinical table may have no column 'cohort'.",
            "The cohort of a sample stands in samples.tsv: rename or delete the column.",
            file=ids.name,
            column="cohort",
        )
    if len(problems.errors) > before:
        return None
    notes = [f"{row.layer} ({ids.name}): {remark}" for remark in ids.remarks]
    if not row.rows and ids.form != SEG:
        other = "columns" if rows == FEATURES else "rows"
        notes.append(f"{row.layer} ({ids.name}): samples are {other} (found out from their ids)")
    return LayerIds(
        cohort=row.cohort,
        layer=row.layer,
        kind=row.kind,
        role=row.role,
        rows=rows,
        sources=(row.file,),
        source_samples=(),
        samples=tuple(sorted(found)),
        n_features=len(features),
        name=ids.name,
        notes=tuple(notes),
    )


def column_of_sample(ids: TableIds, sample: str) -> int:
    """Find the column of values in a file that holds one sample.

    Raises
    ------
    UnreadableTableError
        The file has several columns and none has the sample's name, or it has no header.
    """
    if sample in ids.columns:
        return ids.columns.index(sample)
    if len(ids.columns) > 1:
        hint = near_name(sample, ids.columns)
        raise UnreadableTableError(
            f"The file should hold sample {sample!r}, but it has {len(ids.columns)} columns "
            f"({shown(ids.columns)}), none of that name. {hint}".strip(),
            "Give a file of two columns, feature and value, or name the column as the sample.",
        )
    if is_number(ids.columns[0]):
        raise UnreadableTableError(
            "The file seems to have no header: its first line holds a number.",
            f"Add a first line with the names of the two columns, such as feature and {sample}.",
            row="1",
        )
    return 0


def segments_of_one(ids: TableIds) -> Segments:
    """Return the segments of a SEG file that holds one sample, whatever it is called there.

    Raises
    ------
    UnreadableTableError
        It is no SEG file, or holds several samples.
    """
    if ids.segments is None:
        raise UnreadableTableError(
            "It is no SEG file, but other files of the layer are.",
            "Give all samples of a layer in one format.",
        )
    if len(ids.rows) > 1:
        raise UnreadableTableError(
            f"The SEG file should hold one sample, but it has {len(ids.rows)}: {shown(ids.rows)}.",
            "Leave the column 'sample' of the samplesheet empty for a SEG file of several samples, "
            "whose own ids are then used.",
        )
    return ids.segments


def _layer_of_single_samples(
    group: Sequence[SheetRow], samples: SampleTable, problems: Problems
) -> LayerIds | None:
    before = len(problems.errors)
    if any(not row.sample for row in group):
        return None
    group = sorted(group, key=lambda row: row.sample)
    first = group[0]
    features: list[set[str]] = []
    segments: dict[str, Segments] = {}
    for row in group:
        ids = _ids(row, problems)
        if ids is None:
            continue
        _check_single(row, ids, problems)
        if ids.segments is None:
            features.append(set(ids.rows))
        else:
            segments[row.sample] = ids.segments
    if features and segments:
        problems.error(
            f"{len(segments)} files of layer {first.layer!r} of cohort {first.cohort!r} are SEG "
            f"files and {len(features)} are not.",
            "Give all samples of a layer in one format.",
            file=first.file,
        )
    if len(problems.errors) > before:
        return None
    notes: list[str] = []
    if segments:
        rows, n_features = SAMPLES, joined(segments).n_bins
    else:
        rows = FEATURES
        n_features, notes = _features_of_files(features, first, problems)
    found = sorted(row.sample for row in group)
    if not set(found) & set(samples.table.index):
        problems.error(
            f"No sample of layer {first.layer!r} is in {samples.name}. The samplesheet has "
            f"{', '.join(found[:3])}; {samples.name} has {', '.join(samples.table.index[:3])}.",
            "Use the same ids in both.",
            file=first.file,
        )
    if len(problems.errors) > before:
        return None
    what = "SEG files" if segments else "files"
    return LayerIds(
        cohort=first.cohort,
        layer=first.layer,
        kind=first.kind,
        role=first.role,
        rows=rows,
        sources=tuple(row.file for row in group),
        source_samples=tuple(row.sample for row in group),
        samples=tuple(found),
        n_features=n_features,
        name=first.file,
        notes=(f"{first.layer}: {len(group)} {what} of one sample each", *notes),
    )


def _features_of_files(
    features: Sequence[set[str]], first: SheetRow, problems: Problems
) -> tuple[int, list[str]]:
    """Check that files of one sample each share their features; return how many, and notes."""
    union, shared = set.union(*features), set.intersection(*features)
    check_features(sorted(union), problems, file=first.file)
    unshared = 1 - len(shared) / len(union)
    if unshared > MAX_UNSHARED:
        problems.error(
            f"The files of layer {first.layer!r} of cohort {first.cohort!r} share only "
            f"{len(shared)} of {len(union)} features.",
            f"At most {MAX_UNSHARED:.0%} may be missing from some file: were they made with the "
            "same annotation and the same names?",
            file=first.file,
        )
    if not unshared:
        return len(union), []
    lacking = f"{len(union) - len(shared)} of {len(union)} features are missing from some files"
    return len(union), [f"{first.layer}: {lacking}"]


def _check_single(row: SheetRow, ids: TableIds, problems: Problems) -> None:
    check_seg(row, ids, problems)
    check_ids(ids.rows, "row", problems, file=ids.name, places=ids.lines)
    try:
        if ids.form == SEG:
            segments_of_one(ids)
        else:
            column_of_sample(ids, row.sample)
    except UnreadableTableError as error:
        problems.error(error.problem, error.cure, file=ids.name, row=error.row)
    if row.kind == CLINICAL:
        problems.error(
            "A clinical layer cannot be given as files of one sample each.",
            "Give one table, or use --covariates.",
            file=ids.name,
        )
