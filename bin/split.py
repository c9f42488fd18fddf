#!/usr/bin/env python3
"""List the scopes of a run, their groups, and for survival the horizons."""

import argparse
import sys
from collections.abc import Callable

import pandas as pd

from omicsfusion.splits import (
    SplitError,
    choose_horizons,
    list_groups,
    make_splits,
    pretraining_splits,
)
from omicsfusion.tables.duplicate_pairs import links_of, read_duplicates
from omicsfusion.tables.outcome import (
    NO_TASK,
    TASKS,
    further_targets,
    read_outcome,
    read_samples,
)
from omicsfusion.tables.tsv import write_tsv


def main() -> None:
    args = parse_arguments()
    samples = read_samples(args.samples, args.task)
    try:
        splits = splits_of(samples, args)
        horizons = choose_horizons(samples, args.horizons) if args.task == "survival" else None
    except SplitError as error:
        sys.exit(str(error))
    write_tsv(splits, "splits.tsv")
    write_tsv(list_groups(splits), "groups.tsv")
    if horizons is not None:
        write_tsv(horizons, "horizons.tsv")


def splits_of(samples: pd.DataFrame, args: argparse.Namespace) -> pd.DataFrame:
    """Split as asked; where nothing is predicted, nobody is tested."""
    links = links_of(read_duplicates(args.duplicates))
    if args.task == NO_TASK:
        return pretraining_splits(samples, args.seed, links)
    return make_splits(
        samples,
        read_outcome(args.samples, args.task),
        how=args.split,
        folds=args.folds,
        repeats=args.repeats,
        inner_folds=args.inner_folds,
        folds_per_task=args.folds_per_task,
        seed=args.seed,
        links=links,
        further={
            name: read_outcome(args.samples, args.task, name) for name in further_targets(samples)
        },
    )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", required=True, help="the clean samples.tsv")
    parser.add_argument("--task", required=True, choices=(*TASKS, NO_TASK))
    parser.add_argument(
        "--split", required=True, help="kfold, or column:NAME, leave_out:NAME, temporal:NAME"
    )
    parser.add_argument("--folds", required=True, type=whole_number(2))
    parser.add_argument("--repeats", required=True, type=whole_number(1))
    parser.add_argument("--inner_folds", required=True, type=whole_number(2))
    parser.add_argument("--folds_per_task", required=True, type=whole_number(0))
    parser.add_argument("--seed", required=True, type=int)
    parser.add_argument("--horizons", type=times, default=(), help="times joined by commas")
    parser.add_argument(
        "--duplicates",
        nargs="*",
        default=(),
        metavar="TSV",
        help="<layer>.duplicates.tsv: pairs of samples that no split may part",
    )
    return parser.parse_args()


def whole_number(least: int) -> Callable[[str], int]:
    """Make a reader of whole numbers that are not smaller than ``least``."""

    def read(text: str) -> int:
        number = int(text)
        if number < least:
            raise argparse.ArgumentTypeError(f"{number} is too small: it must be at least {least}")
        return number

    return read


def times(text: str) -> tuple[float, ...]:
    """Read numbers joined by commas."""
    return tuple(float(part) for part in text.split(","))


if __name__ == "__main__":
    main()
