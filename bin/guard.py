#!/usr/bin/env python3
"""Look for leakage and confounding in the splits, the batches and the input tables."""

import argparse
import sys
from pathlib import Path

from omicsfusion.guard.findings import as_table, failures
from omicsfusion.guard.guarding import GuardRequest, guard
from omicsfusion.pretraining import UnusablePretrainingError
from omicsfusion.tables.outcome import TASKS
from omicsfusion.tables.tsv import write_tsv


def main() -> None:
    try:
        findings = guard(GuardRequest(**vars(parse_arguments())))
    except UnusablePretrainingError as error:
        sys.exit(str(error))
    write_tsv(as_table(findings), "guards.tsv")
    if problem := failures(findings):
        sys.exit(problem)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--splits", required=True, type=Path, help="splits.tsv")
    parser.add_argument("--samples", required=True, type=Path, help="the clean samples.tsv")
    parser.add_argument(
        "--duplicates", nargs="*", type=Path, default=(), help="<layer>.duplicates.tsv"
    )
    parser.add_argument(
        "--files", required=True, nargs="+", type=Path, help="the .h5ad of each layer and cohort"
    )
    parser.add_argument("--task", required=True, choices=TASKS)
    parser.add_argument("--split", required=True, help="how the samples were split")
    parser.add_argument("--seed", required=True, type=int)
    parser.add_argument("--pretrained", type=Path, help="encoders from which networks begin")
    return parser.parse_args()


if __name__ == "__main__":
    main()
