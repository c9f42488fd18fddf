#!/usr/bin/env python3
"""Assess the predictions of all models: metrics with intervals, risk groups, curves."""

import argparse
import sys

from omicsfusion.assess.predictions import PredictionsError, gather_predictions
from omicsfusion.assess.summary import assess
from omicsfusion.tables.outcome import TASKS
from omicsfusion.tables.tsv import write_tsv


def main() -> None:
    """Read the files of TRAIN and write the tables of ASSESS into the working directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--predictions", nargs="+", required=True, help="files of TRAIN")
    parser.add_argument("--task", choices=TASKS, required=True)
    parser.add_argument("--seed", type=int, required=True)
    arguments = parser.parse_args()
    try:
        predictions = gather_predictions(arguments.predictions, arguments.task)
    except PredictionsError as problem:
        sys.exit(str(problem))
    write_tsv(predictions, "predictions.tsv")
    for name, table in assess(predictions, arguments.task, arguments.seed).items():
        write_tsv(table, f"{name}.tsv")


if __name__ == "__main__":
    main()
