#!/usr/bin/env python3
"""Train an encoder for each omics layer of a cohort, without an outcome."""

import argparse
import sys
from pathlib import Path

from omicsfusion.models.accelerator import NONE, WISHES, NoGpuError
from omicsfusion.models.pretext.heads import OBJECTIVES
from omicsfusion.models.pretext.training import pretrain
from omicsfusion.models.request import ENSEMBLE
from omicsfusion.models.settings import UnknownSettingError
from omicsfusion.pretraining import UnusablePretrainingError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--matrices", nargs="+", required=True, type=Path)
    parser.add_argument("--splits", required=True, type=Path)
    parser.add_argument("--objective", required=True, choices=OBJECTIVES)
    parser.add_argument("--seed", required=True, type=int)
    parser.add_argument("--ensemble", type=int, default=ENSEMBLE, help="networks to pretrain")
    parser.add_argument("--settings", default="")
    parser.add_argument("--gpu", choices=WISHES, default=NONE)
    try:
        pretrain(**vars(parser.parse_args()))
    except (NoGpuError, UnknownSettingError, UnusablePretrainingError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
