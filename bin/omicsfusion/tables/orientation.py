"""Which way a table lies: are its rows features or samples?"""

from collections.abc import Collection

from omicsfusion.tables.ids import other_spellings, trailing_parts
from omicsfusion.tables.problems import Problems
from omicsfusion.tables.reading import ANNDATA, SEG, TableIds
from omicsfusion.tables.samplesheet import FEATURES, SAMPLES


def settle_rows(
    ids: TableIds, stated: str, known: Collection[str], samples_name: str, problems: Problems
) -> str | None:
    """Say what the rows of a table are, as stated or found out from the sample ids.

    Parameters
    ----------
    ids
        The table's ids.
    stated
        ``features``, ``samples``, or empty (AnnData and SEG: samples).
    known
        The samples of samples.tsv.
    samples_name
        What the user calls that file.

    Returns
    -------
    ``features`` or ``samples``; None, and an error, when it cannot be said.
    """
    across = len(set(ids.columns) & set(known))
    down = len(set(ids.rows) & set(known))
    stated = stated or (SAMPLES if ids.form in (ANNDATA, SEG) else "")
    if across == 0 and down == 0:
        _no_overlap(ids, stated, known, samples_name, problems)
        return None
    if stated:
        return _agree(ids, stated, across, down, problems)
    if across and down:
        problems.error(
            f"It cannot be told which way the table lies: {across} column headers and {down} row "
            f"ids are samples of {samples_name}.",
            "Say so in the column 'rows' of the samplesheet: features or samples.",
            file=ids.name,
        )
        return None
    return FEATURES if across else SAMPLES


def _agree(ids: TableIds, stated: str, across: int, down: int, problems: Problems) -> str | None:
    here = across if stated == FEATURES else down
    if here:
        return stated
    other = SAMPLES if stated == FEATURES else FEATURES
    place = "first column" if stated == FEATURES else "header"
    problems.error(
        f"Its rows should be {stated}, but the sample ids stand in the {place}: the table lies the "
        "other way.",
        f"Write {other} in the column 'rows' of the samplesheet, or transpose the table.",
        file=ids.name,
    )
    return None


def _no_overlap(
    ids: TableIds, stated: str, known: Collection[str], samples_name: str, problems: Problems
) -> None:
    sides = {FEATURES: [ids.columns], SAMPLES: [ids.rows]}.get(stated, [ids.columns, ids.rows])
    shown_sides = " or ".join(", ".join(side[:3]) for side in sides)
    problems.error(
        f"No sample of the table is in {samples_name}. The table has {shown_sides}; "
        f"{samples_name} has {', '.join(sorted(known)[:3])}.",
        _cure(sides, known),
        file=ids.name,
    )


def _cure(sides: list[tuple[str, ...]], known: Collection[str]) -> str:
    for side in sides:
        meant = other_spellings(side, known)
        if meant:
            text, (other, how) = next(iter(meant.items()))
            return f"{text} is probably {other}: they differ in {how}. Write ids in one way."
    for side in sides:
        pair = trailing_parts(side, known)
        if pair:
            return (
                f"{pair[0]} and {pair[1]} begin alike: perhaps one file names patients and the "
                "other samples. Use the same ids in both."
            )
    return "The ids of the table and of the column 'sample' must be the same."
