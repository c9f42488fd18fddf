#!/usr/bin/env python3
"""Score the models that were trained on shares of the patients: the learning curve."""

import argparse
import sys
from pathlib import Path

from omicsfusion.assess.learning_curve import group_of, learning_curve, predictions_by_share
from omicsfusion.assess.predictions import PredictionsError, gather_predictions
from omicsfusion.tables.outcome import TASKS
from omicsfusion.tables.tsv import read_tsv, write_tsv


def main() -> None:
    """Read the predictions of the run and of the shares and write learning_curve.tsv."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--predictions", type=Path, required=True, help="predictions.tsv")
    parser.add_argument("--of_shares", type=Path, nargs="*", default=(), help="files of TRAIN")
    parser.add_argument("--groups", required=True, help="learning_groups.tsv")
    parser.add_argument("--shares", required=True, help="learning_shares.tsv")
    parser.add_argument("--task", choices=TASKS, required=True)
    parser.add_argument("--seed", type=int, required=True)
    arguments = parser.parse_args()
    task = arguments.task
    files: dict[str, list[Path]] = {}
    for path in sorted(arguments.of_shares):
        files.setdefault(group_of(path.name), []).append(path)
    try:
        whole = gather_predictions([arguments.predictions], task)
        tables = {group: gather_predictions(paths, task) for group, paths in files.items()}
    except PredictionsError as problem:
        sys.exit(str(problem))
    by_share = predictions_by_share(tables, read_tsv(arguments.groups, text_columns=("group",)))
    shares = read_tsv(arguments.shares, text_columns=("reason",)).fillna({"reason": ""})
    curve = learning_curve(whole, by_share, shares, task, arguments.seed)
    write_tsv(curve, "learning_curve.tsv")


if __name__ == "__main__":
    main()
