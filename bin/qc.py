#!/usr/bin/env python3
"""Examine the layers before anything is learnt from them: samples, features, sex, pictures."""

import argparse
import sys

from omicsfusion.qc.layer_checks import METHODS, check_layer
from omicsfusion.tables.cohort_table import LayerFilesError, open_tables
from omicsfusion.tables.layer import read_header
from omicsfusion.tables.tsv import read_tsv, write_tsv


def main() -> None:
    args = parse_arguments()
    samples = read_tsv(args.samples, text_columns=("role", "batch"))
    covariates = read_tsv(args.covariates) if args.covariates else None
    files: dict[str, list[str]] = {}
    for path in args.files:
        files.setdefault(read_header(path).layer, []).append(path)
    for layer, paths in sorted(files.items()):
        try:
            tables = open_tables(paths, samples)
        except LayerFilesError as error:
            sys.exit(str(error))
        found = check_layer(layer, tables, samples, covariates, METHODS)
        write_tsv(found.samples, f"{layer}.qc_samples.tsv")
        write_tsv(found.features, f"{layer}.qc_features.tsv")
        write_tsv(found.distributions, f"{layer}.qc_distributions.tsv")
        write_tsv(found.embedding, f"{layer}.embedding.tsv")
        write_tsv(found.embedding_summary, f"{layer}.embedding_summary.tsv")
        write_tsv(found.summary, f"{layer}.qc_summary.tsv")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--files", required=True, nargs="+", help="the .h5ad of each layer and cohort"
    )
    parser.add_argument("--samples", required=True, help="the clean samples.tsv")
    parser.add_argument("--covariates", help="covariates.tsv, in which the samples' sex may stand")
    return parser.parse_args()


if __name__ == "__main__":
    main()
