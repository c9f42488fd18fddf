#!/usr/bin/env python3
"""Explain the test samples of every outer fold by expected gradients of its own network."""

import argparse
import sys
from pathlib import Path

from omicsfusion.interpret.explanation import explain_model
from omicsfusion.models.accelerator import NONE, WISHES, NoGpuError, settle_gpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--id", dest="out", required=True, help="stem of the output files")
    parser.add_argument("--model", required=True)
    parser.add_argument("--matrices", nargs="+", required=True, type=Path, help="of all groups")
    parser.add_argument("--models", nargs="+", required=True, type=Path, help="folders of TRAIN")
    parser.add_argument("--splits", required=True, type=Path)
    parser.add_argument("--seed", required=True, type=int)
    parser.add_argument("--gpu", choices=WISHES, default=NONE)
    arguments = vars(parser.parse_args())
    try:
        settle_gpu(arguments.pop("gpu"))
    except NoGpuError as error:
        sys.exit(str(error))
    explain_model(**arguments)


if __name__ == "__main__":
    main()
