#!/usr/bin/env python3
"""Permute the outcomes of a cohort, as a negative control, and split it anew.

With --clinical the covariates are also written as they go with the outcome.
"""

import argparse
from pathlib import Path

import pandas as pd

from omicsfusion.folds import SplitError
from omicsfusion.negative_control import (
    GROUP_COLUMNS,
    control_splits,
    draw_donors,
    move_rows,
    name_of,
    permute_outcomes,
)
from omicsfusion.splits import COLUMNS
from omicsfusion.tables.duplicate_pairs import links_of, read_duplicates
from omicsfusion.tables.outcome import (
    TASKS,
    further_targets,
    outcome_columns,
    read_outcome,
    read_samples,
)
from omicsfusion.tables.tsv import write_tsv


def main() -> None:
    """Write pNNN.samples.tsv, .splits.tsv, .groups.tsv and .permutation.tsv, and pNNN/*.h5ad."""
    args = parse_arguments()
    name = name_of(args.number)
    links = links_of(read_duplicates(args.duplicates))
    samples = read_samples(args.samples, args.task)
    donors = draw_donors(samples, args.task, args.split, args.seed, args.number, links)
    permuted = permute_outcomes(samples, args.task, donors)
    write_tsv(permuted, f"{name}.samples.tsv")
    reason = ""
    try:
        splits, groups = control_splits(
            permuted,
            read_outcome(f"{name}.samples.tsv", args.task),
            args.split,
            args.folds,
            args.inner_folds,
            args.folds_per_task,
            args.seed,
            args.number,
            links,
            {
                target: read_outcome(f"{name}.samples.tsv", args.task, target)
                for target in further_targets(samples.columns)
            },
        )
    except SplitError as error:
        # Sites that are held out whole may be left without a class. The run goes on without it.
        reason = str(error)
        splits, groups = pd.DataFrame(columns=COLUMNS), pd.DataFrame(columns=GROUP_COLUMNS)
    write_tsv(splits, f"{name}.splits.tsv")
    write_tsv(groups, f"{name}.groups.tsv")
    write_tsv(account(samples, permuted, args, reason), f"{name}.permutation.tsv")
    if args.clinical:
        Path(name).mkdir()
    for layer in args.clinical:
        move_rows(layer, Path(name) / layer.name, donors)


def account(
    samples: pd.DataFrame, permuted: pd.DataFrame, args: argparse.Namespace, reason: str
) -> pd.DataFrame:
    """Say how many training samples there are, and how many have the outcome that they had."""
    first = list(outcome_columns(args.task).values())
    before, after = (
        table[table["role"] == "train"].set_index("sample").sort_index()[first]
        for table in (samples, permuted)
    )
    same = ((before == after) | (before.isna() & after.isna())).all(axis=1)
    row = {"permutation": args.number, "n_samples": len(same), "n_kept": int(same.sum())}
    return pd.DataFrame([{**row, "reason": reason}])


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", required=True, help="the clean samples.tsv")
    parser.add_argument("--number", required=True, type=int, help="which control, from 1")
    parser.add_argument("--task", required=True, choices=TASKS)
    parser.add_argument("--split", required=True, help="as split.py takes it")
    parser.add_argument("--folds", required=True, type=int)
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
    parser.add_argument(
        "--clinical", nargs="*", type=Path, default=(), help="the covariates' .h5ad of each cohort"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
