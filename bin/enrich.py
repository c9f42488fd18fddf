#!/usr/bin/env python3
"""Find gene sets that gather at the ends of each network's importance ranking."""

import argparse
import sys
from pathlib import Path

import pandas as pd

from omicsfusion.interpret.enrichment import enrich
from omicsfusion.tables.gene_sets import GmtError, read_gene_sets
from omicsfusion.tables.tsv import read_tsv, write_tsv


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--importance", nargs="+", required=True, type=Path)
    parser.add_argument("--gene_sets", nargs="+", required=True, type=Path)
    parser.add_argument("--seed", required=True, type=int)
    args = parser.parse_args()
    try:
        files = read_gene_sets(args.gene_sets)
    except GmtError as error:
        sys.exit(str(error))
    tables = [read_tsv(path, text_columns=("output",)) for path in args.importance]
    found = enrich(pd.concat(tables, ignore_index=True), files, args.seed)
    write_tsv(found.table, "enrichment.tsv")
    write_tsv(found.notes, "enrichment_notes.tsv")


if __name__ == "__main__":
    main()
