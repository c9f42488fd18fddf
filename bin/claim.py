#!/usr/bin/env python3
"""Say what models would have claimed with the usual mistakes, beside what they are worth."""

import argparse
import sys
from pathlib import Path

from omicsfusion.assess.optimism import mistake_of, score_claims
from omicsfusion.assess.predictions import PredictionsError, gather_predictions
from omicsfusion.tables.arguments import listed
from omicsfusion.tables.outcome import TASKS
from omicsfusion.tables.tsv import write_tsv


def main() -> None:
    """Read the predictions of the run and of the mistakes and write optimism.tsv."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--predictions", type=Path, required=True, help="predictions.tsv")
    parser.add_argument("--claimed", type=Path, nargs="*", default=(), help="files of TRAIN")
    parser.add_argument("--mistakes", type=listed, required=True, help="those that were made")
    parser.add_argument("--task", choices=TASKS, required=True)
    arguments = parser.parse_args()
    task = arguments.task
    files: dict[str, list[Path]] = {}
    for path in sorted(arguments.claimed):
        files.setdefault(mistake_of(path.name), []).append(path)
    try:
        whole = gather_predictions([arguments.predictions], task)
        claims = {mistake: gather_predictions(paths, task) for mistake, paths in files.items()}
    except PredictionsError as problem:
        sys.exit(str(problem))
    write_tsv(score_claims(whole, claims, task, arguments.mistakes), "optimism.tsv")


if __name__ == "__main__":
    main()
