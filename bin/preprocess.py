#!/usr/bin/env python3
"""Fit the chain of one layer for each scope of a group, and transform the samples with it."""

import argparse
import sys
from pathlib import Path

from omicsfusion.preprocess.preparing import PrepareRequest, PreparingError, prepare
from omicsfusion.preprocess.step import UnusableInputError
from omicsfusion.recipes.files import FileProblem
from omicsfusion.tables.arguments import named_path
from omicsfusion.tables.cohort_table import LayerFilesError
from omicsfusion.tables.outcome import NO_TASK, TASKS


def main() -> None:
    try:
        prepare(PrepareRequest(**vars(parse_arguments())))
    except (FileProblem, LayerFilesError, PreparingError, UnusableInputError) as error:
        sys.exit(str(error))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--id", required=True, help="layer.group, the start of the outputs' names")
    parser.add_argument(
        "--files", required=True, nargs="+", type=Path, help="the layer's .h5ad of each cohort"
    )
    parser.add_argument("--splits", required=True, type=Path, help="splits.tsv")
    parser.add_argument("--samples", required=True, type=Path, help="the clean samples.tsv")
    parser.add_argument("--group", required=True, help="the group of scopes to handle")
    parser.add_argument("--task", required=True, choices=(*TASKS, NO_TASK))
    parser.add_argument("--recipe", required=True, type=Path, help="the layer's recipe, JSON")
    parser.add_argument(
        "--tables",
        nargs="*",
        type=named_path,
        default=(),
        metavar="NAME=PATH",
        help="the files that the recipe reads",
    )
    parser.add_argument("--covariates", type=Path, help="covariates.tsv, when some are protected")
    return parser.parse_args()


if __name__ == "__main__":
    main()
