"""Where features lie on the genome: from a BED file, or from their own names."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from omicsfusion.tables.genes import gene_of
from omicsfusion.tables.text_bytes import open_text

REGION = re.compile(r"(chr[^:]+|\d+|X|Y|MT?):(\d+)(?:-(\d+))?", re.IGNORECASE)
"""A feature's name that tells its position: chr7:100001-200000, 7:100001-200000, chrX:2782116."""

# What stands on top of a BED file that was made for a genome browser.
HEADS = ("#", "track", "browser")


class BedError(ValueError):
    """A file of positions cannot be used; the text says where and what to do."""


@dataclass(frozen=True, order=True)
class Position:
    """A place on the genome; places sort as they lie on it.

    Attributes
    ----------
    chromosome
        Rank and name: 1 to 22 by number, then X, Y and M, then all others by name.
    start, end
        Bases, from 0; the end is not included.
    """

    chromosome: tuple[int, str]
    start: int
    end: int


def read_positions(path: str | Path) -> dict[str, Position]:
    """Read a BED file, plain or gzipped: chromosome, start, end and name, between tabs.

    Further columns are not read. A name that has several lines lies where its first region on the
    genome is.

    Raises
    ------
    BedError
        When a line is no region, or the file holds none.
    """
    path = Path(path)
    found: dict[str, Position] = {}
    try:
        with open_text(path, "utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip() and not line.startswith(HEADS):
                    name, position = _region(path.name, number, line)
                    found[name] = min(position, found.get(name, position))
    except (UnicodeDecodeError, OSError, EOFError) as error:
        raise BedError(
            f"{path.name} cannot be read as text ({error}). Positions come as a BED file, plain "
            f"or gzipped."
        ) from error
    if not found:
        raise BedError(f"{path.name} is empty: it holds no position.")
    return found


def position_of(feature: str, known: Mapping[str, Position]) -> Position | None:
    """Find where a feature lies.

    Parameters
    ----------
    feature
        Its name is looked up in ``known``; then it may tell the position itself
        (``chr7:100001-200000``, from 1, the end included, as genome browsers write it); last its
        gene is looked up (``gene_of``).
    known
        What :func:`read_positions` returns.

    Returns
    -------
    None when nothing tells the position.
    """
    if feature in known:
        return known[feature]
    region = REGION.fullmatch(feature)
    if region is not None:
        start = int(region[2])
        return Position(_chromosome(region[1]), start - 1, int(region[3] or start))
    return known.get(gene_of(feature, known))


def _region(name: str, number: int, line: str) -> tuple[str, Position]:
    cells = [cell.strip() for cell in line.split("\t")]
    numbers = len(cells) > 3 and cells[1].isdecimal() and cells[2].isdecimal()
    if not numbers or not cells[3] or int(cells[1]) > int(cells[2]):
        raise BedError(
            f"{name}, line {number} is no region: a BED line has a chromosome, a start, an end not "
            f"below it and a name, between tabs; it is {line.strip()[:60]!r}."
        )
    return cells[3], Position(_chromosome(cells[0]), int(cells[1]), int(cells[2]))


def _chromosome(text: str) -> tuple[int, str]:
    """Rank a chromosome; ``chr7`` and ``7`` are the same."""
    bare = re.sub("^CHR", "", text.strip().upper())
    if bare.isdecimal():
        return int(bare), ""
    last = {"X": 1, "Y": 2, "M": 3, "MT": 3}
    return 10**9 + last.get(bare, 4), "" if bare in last else bare
