#!/usr/bin/env python3
"""Fit the chain of one layer for each scope of a group, and transform the samples with it."""

import argparse
import sys

from omicsfusion.preprocess.cohorts import CohortsError, read_cohorts
from omicsfusion.preprocess.fitting import (
    count_features,
    fit_chains,
    transform_scopes,
    write_chains,
)
from omicsfusion.preprocess.matrices import write_matrices
from omicsfusion.scopes import read_splits
from omicsfusion.tables.tsv import read_tsv, write_tsv


def main() -> None:
    args = parse_arguments()
    splits = read_splits(args.splits, args.group)
    if splits.empty:
        sys.exit(f"{args.splits} has no scopes in the group {args.group!r}.")
    try:
        layer = read_cohorts(args.files, read_tsv(args.samples, text_columns=("role",)))
    except CohortsError as error:
        sys.exit(str(error))
    chains = fit_chains(layer, splits)
    write_chains(f"{args.id}.chains.h5", chains)
    write_matrices(
        f"{args.id}.matrices.h5",
        layer.layer,
        layer.kind,
        args.group,
        transform_scopes(layer, splits, chains),
    )
    write_tsv(count_features(layer.layer, chains), f"{args.id}.features.tsv")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--id", required=True, help="layer.group, the start of the outputs' names")
    parser.add_argument(
        "--files", required=True, nargs="+", help="the layer's .h5ad of each cohort"
    )
    parser.add_argument("--splits", required=True, help="splits.tsv")
    parser.add_argument("--samples", required=True, help="the clean samples.tsv")
    parser.add_argument("--group", required=True, help="the group of scopes to handle")
    return parser.parse_args()


if __name__ == "__main__":
    main()
