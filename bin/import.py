#!/usr/bin/env python3
"""Read one layer's table into an AnnData file and report cells that are no numbers."""

import argparse
from pathlib import Path

from omicsfusion.tables.importing import ImportRequest, import_layer
from omicsfusion.tables.problems import write_problems
from omicsfusion.tables.samplesheet import FEATURES, KINDS, SAMPLES


def joined(text: str) -> tuple[str, ...]:
    """Split a list that is joined by semicolons."""
    return tuple(part for part in text.split(";") if part)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layer", required=True)
    parser.add_argument("--kind", required=True, choices=KINDS)
    parser.add_argument("--cohort", required=True)
    parser.add_argument("--rows", required=True, choices=(FEATURES, SAMPLES))
    parser.add_argument("--files", required=True, nargs="+", type=Path)
    parser.add_argument("--samples", type=joined, default=(), help="the sample of each file")
    arguments = vars(parser.parse_args())
    arguments["files"] = tuple(arguments["files"])
    request = ImportRequest(**arguments)
    out = f"{request.cohort}.{request.layer}"
    problems = import_layer(request, Path(f"{out}.h5ad"))
    write_problems(problems, f"{out}.problems.tsv")


if __name__ == "__main__":
    main()
