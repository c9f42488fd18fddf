#!/usr/bin/env python3
"""List the training sets of the learning curve: those of the run, cut down to shares of them."""

import argparse
from pathlib import Path

from omicsfusion.learning_splits import make_learning_splits
from omicsfusion.scopes import read_splits
from omicsfusion.tables.duplicate_pairs import links_of, read_duplicates
from omicsfusion.tables.outcome import TASKS, read_outcome, read_samples
from omicsfusion.tables.tsv import write_tsv


def main() -> None:
    """Write learning_splits.tsv, learning_groups.tsv and learning_shares.tsv."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", required=True, type=Path, help="the clean samples.tsv")
    parser.add_argument("--splits", required=True, type=Path, help="splits.tsv")
    parser.add_argument("--task", required=True, choices=TASKS)
    parser.add_argument("--inner_folds", required=True, type=int)
    parser.add_argument("--folds_per_task", required=True, type=int)
    parser.add_argument("--seed", required=True, type=int)
    parser.add_argument(
        "--duplicates",
        nargs="*",
        default=(),
        metavar="TSV",
        help="<layer>.duplicates.tsv: pairs of samples that no split may part",
    )
    arguments = parser.parse_args()
    made = make_learning_splits(
        read_samples(arguments.samples, arguments.task),
        read_outcome(arguments.samples, arguments.task),
        read_splits(arguments.splits),
        arguments.inner_folds,
        arguments.folds_per_task,
        arguments.seed,
        links_of(read_duplicates(arguments.duplicates)),
    )
    write_tsv(made.splits, "learning_splits.tsv")
    write_tsv(made.groups, "learning_groups.tsv")
    write_tsv(made.shares, "learning_shares.tsv")


if __name__ == "__main__":
    main()
