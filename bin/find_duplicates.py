#!/usr/bin/env python3
"""Find pairs of samples whose profiles in one layer are all but identical."""

import argparse
import sys

import pandas as pd

from omicsfusion.qc.duplicates import SUMMARY_COLUMNS, find_duplicates
from omicsfusion.tables.cohort_table import LayerFilesError, open_tables
from omicsfusion.tables.tsv import read_tsv, write_tsv


def main() -> None:
    args = parse_arguments()
    samples = read_tsv(args.samples, text_columns=("role",))
    try:
        tables = open_tables(args.files, samples)
    except LayerFilesError as error:
        sys.exit(str(error))
    found = find_duplicates(args.layer, tables, samples)
    write_tsv(found.pairs, f"{args.layer}.duplicates.tsv")
    summary = (args.layer, found.n_samples, found.n_pairs_compared, len(found.pairs), found.note)
    write_tsv(
        pd.DataFrame([summary], columns=list(SUMMARY_COLUMNS)),
        f"{args.layer}.duplicates_summary.tsv",
    )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layer", required=True, help="the layer, the start of the outputs' names")
    parser.add_argument(
        "--files", required=True, nargs="+", help="the layer's .h5ad of each cohort"
    )
    parser.add_argument("--samples", required=True, help="the clean samples.tsv")
    return parser.parse_args()


if __name__ == "__main__":
    main()
