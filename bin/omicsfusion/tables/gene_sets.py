"""Gene sets from GMT files."""

from collections.abc import Sequence
from pathlib import Path

GeneSets = dict[str, frozenset[str]]

MIN_SIZE = 5
"""Fewest measured genes of a set that is used; panels of proteins are small."""

MAX_SIZE = 500
"""Most measured genes of a set that is used; larger ones say little."""


class GmtError(ValueError):
    """Files of gene sets cannot be used; the text names every file, line and cure."""


def read_gene_sets(paths: Sequence[str | Path]) -> dict[str, GeneSets]:
    """Read GMT files: on each line a set's name, a description and its genes, between tabs.

    Returns
    -------
    File name -> name of the set -> genes; files sorted by name.

    Raises
    ------
    GmtError
        When a file is no GMT, holds no set, or has the name of another.
    """
    problems: list[str] = []
    files: dict[str, GeneSets] = {}
    for path in sorted(map(Path, paths), key=lambda path: path.name):
        if path.name in files:
            problems.append(f"Two files of gene sets have the name {path.name}: rename one.")
        files[path.name] = _read_gmt(path, problems)
    if problems:
        raise GmtError("\n".join(problems))
    return files


def _read_gmt(path: Path, problems: list[str]) -> GeneSets:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        problems.append(
            f"{path.name} is no text file (UTF-8). Gene sets come as a plain .gmt file."
        )
        return {}
    sets: GeneSets = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        name, *rest = (part.strip() for part in line.split("\t"))
        genes = frozenset(gene for gene in rest[1:] if gene)
        if not name or not genes:
            problems.append(
                f"{path.name}, line {number} is no gene set: a GMT line has a name, a description "
                f"and at least one gene, between tabs."
            )
            return {}
        if name in sets:
            problems.append(f"{path.name}, line {number}: a second set is named {name!r}.")
        sets[name] = genes
    if not sets:
        problems.append(f"{path.name} is empty: it holds no gene set.")
    return sets
