#!/usr/bin/env python3
"""Train one model on every scope of a group and predict the samples it has not seen."""

import argparse
import sys
from pathlib import Path

from omicsfusion.models.accelerator import NONE, WISHES, NoGpuError
from omicsfusion.models.design_matrix import NoCovariateError
from omicsfusion.models.gene_network import GeneNetworkError
from omicsfusion.models.heads.suitable import AUTO, UnsuitableHeadError
from omicsfusion.models.registry import UnknownModelError, UnsuitableModelError
from omicsfusion.models.request import ENSEMBLE, MissingKnowledgeError, OtherStudyError
from omicsfusion.models.settings import UnknownSettingError
from omicsfusion.models.training_task import train_group
from omicsfusion.pretraining import UnusablePretrainingError
from omicsfusion.tables.arguments import listed
from omicsfusion.tables.gene_sets import GmtError
from omicsfusion.tables.positions import BedError

UNUSABLE = (
    BedError,
    GeneNetworkError,
    GmtError,
    MissingKnowledgeError,
    NoCovariateError,
    NoGpuError,
    OtherStudyError,
    UnknownModelError,
    UnknownSettingError,
    UnsuitableHeadError,
    UnsuitableModelError,
    UnusablePretrainingError,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--id", dest="out", required=True, help="stem of the output files")
    parser.add_argument("--model", required=True)
    parser.add_argument("--matrices", nargs="+", required=True, type=Path)
    parser.add_argument("--splits", required=True, type=Path)
    parser.add_argument("--samples", required=True, type=Path)
    parser.add_argument("--horizons", type=Path)
    parser.add_argument("--group", required=True)
    parser.add_argument("--task", required=True)
    parser.add_argument("--target", required=True)
    parser.add_argument("--seed", required=True, type=int)
    parser.add_argument("--gene_sets", nargs="+", type=Path, default=())
    parser.add_argument("--network", type=Path)
    parser.add_argument("--positions", type=Path)
    parser.add_argument("--head", default=AUTO)
    parser.add_argument("--class_order", type=listed, default=())
    parser.add_argument("--ensemble", type=int, default=ENSEMBLE, help="networks per fit")
    parser.add_argument("--mc_dropout", type=int, default=0, help="thinned networks of each")
    parser.add_argument("--distil", action="store_true", help="one network in place of each fit's")
    parser.add_argument("--trials", type=int, default=0)
    parser.add_argument("--settings", default="")
    parser.add_argument("--tuning_minutes", type=int, default=0)
    parser.add_argument("--studies", nargs="+", type=Path, default=())
    parser.add_argument("--pretrained", type=Path, help="encoders of an earlier pretraining")
    parser.add_argument("--gpu", choices=WISHES, default=NONE, help="what networks ask for")
    parser.add_argument("--cpus", type=int, default=1)
    arguments = parser.parse_args()
    try:
        train_group(**vars(arguments))
    except UNUSABLE as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
