#!/usr/bin/env python3
"""Check samplesheet, samples and tables before any compute, and write down what will run."""

import argparse
import json
from pathlib import Path

from omicsfusion.tables.arguments import listed
from omicsfusion.tables.checking import check
from omicsfusion.tables.findings import Request
from omicsfusion.tables.outcome import NO_TASK, TASKS
from omicsfusion.tables.plan_text import plan_text
from omicsfusion.tables.problems import write_problems
from omicsfusion.tables.tsv import write_tsv


def staged(text: str) -> tuple[int, Path]:
    """Take LINE=PATH apart."""
    line, _, path = text.partition("=")
    return int(line), Path(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sheet", required=True, type=Path)
    parser.add_argument("--samples", required=True, type=Path)
    parser.add_argument("--task", required=True, choices=(*TASKS, NO_TASK))
    parser.add_argument("--target", default="", help="needed but for --task none")
    parser.add_argument("--class_order", type=listed, default=())
    parser.add_argument("--covariates", type=listed, default=())
    parser.add_argument("--batch")
    parser.add_argument("--group")
    parser.add_argument("--split", default="kfold")
    parser.add_argument("--strict", action="store_true", help="warnings are errors")
    parser.add_argument("--folds", required=True, type=int)
    parser.add_argument("--repeats", required=True, type=int)
    parser.add_argument("--inner_folds", required=True, type=int)
    parser.add_argument("--folds_per_task", required=True, type=int)
    parser.add_argument("--models", required=True, type=listed)
    parser.add_argument("--tables", nargs="*", type=staged, metavar="LINE=PATH")
    arguments = vars(parser.parse_args())
    if arguments["tables"] is not None:
        arguments["tables"] = dict(arguments["tables"])
    checked = check(Request(**arguments))
    write_tsv(checked.layers, "layers.tsv")
    write_tsv(checked.samples, "samples.tsv")
    write_tsv(checked.accounting, "sample_accounting.tsv")
    if checked.covariates is not None:
        write_tsv(checked.covariates, "covariates.tsv")
    write_problems(checked.problems, "problems.tsv")
    Path("plan.json").write_text(json.dumps(checked.plan.as_json(), indent=2) + "\n", "utf-8")
    Path("plan.txt").write_text(plan_text(checked.plan), "utf-8")


if __name__ == "__main__":
    main()
