#!/usr/bin/env python3
"""Assess the predictions of all models: metrics with intervals, risk groups, curves."""

import argparse
import sys

from omicsfusion.assess.patterns import metrics_by_pattern, patterns_of
from omicsfusion.assess.predictions import PredictionsError, gather_predictions
from omicsfusion.assess.summary import assess
from omicsfusion.tables.outcome import TASKS, read_samples
from omicsfusion.tables.tsv import write_tsv


def main() -> None:
    """Read the files of TRAIN and write the tables of ASSESS into the working directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--predictions", nargs="+", required=True, help="files of TRAIN")
    parser.add_argument("--samples", required=True, help="the clean samples.tsv")
    parser.add_argument("--task", choices=TASKS, required=True)
    parser.add_argument("--seed", type=int, required=True)
    arguments = parser.parse_args()
    task, seed = arguments.task, arguments.seed
    patterns = patterns_of(read_samples(arguments.samples, task))
    try:
        predictions = gather_predictions(arguments.predictions, task)
        by_pattern = metrics_by_pattern(predictions, patterns, task, seed)
    except PredictionsError as problem:
        sys.exit(str(problem))
    write_tsv(predictions, "predictions.tsv")
    write_tsv(by_pattern, "metrics_by_pattern.tsv")
    for name, table in assess(predictions, task, seed).items():
        write_tsv(table, f"{name}.tsv")


if __name__ == "__main__":
    main()
