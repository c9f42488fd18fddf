#!/usr/bin/env python3
"""Assess the predictions of all models: metrics with intervals, comparisons, the verdict."""

import argparse
import json
import sys
from pathlib import Path

import pandas as pd

from omicsfusion.assess.comparison.across_sites import OtherRunError, read_verdict
from omicsfusion.assess.comparison.judging import Background, compare
from omicsfusion.assess.comparison.omics_controls import score_omics_controls
from omicsfusion.assess.comparison.verdict import Margins
from omicsfusion.assess.patterns import metrics_by_pattern, patterns_of
from omicsfusion.assess.predictions import MEMBER_KEYS, PredictionsError, gather_predictions
from omicsfusion.assess.seed_spread import seed_spread
from omicsfusion.assess.summary import assess
from omicsfusion.assess.whole_controls import whole_controls
from omicsfusion.tables.outcome import TASKS, read_samples
from omicsfusion.tables.tsv import write_tsv


def main() -> None:
    """Read the files of TRAIN and write the tables of ASSESS into the working directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--predictions", nargs="+", required=True, help="files of TRAIN")
    parser.add_argument("--members", nargs="+", required=True, help="of single networks")
    parser.add_argument(
        "--omics_controls", nargs="*", default=(), help="files of TRAIN, of permuted omics"
    )
    parser.add_argument("--samples", required=True, help="the clean samples.tsv")
    parser.add_argument("--task", choices=TASKS, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--networks", default="", help="families that are networks: a,b")
    parser.add_argument("--margin", type=float, required=True, help="a difference worth having")
    parser.add_argument("--equivalence", type=float, required=True, help="one not worth seeking")
    parser.add_argument("--trials", type=int, required=True, help="by which networks were tuned")
    parser.add_argument("--split", required=True, help="how the samples were split")
    parser.add_argument("--label_source", default="", help="layer the outcome was made from")
    parser.add_argument("--site_verdict", help="verdict.json of a run that left sites out")
    arguments = parser.parse_args()
    task, seed = arguments.task, arguments.seed
    samples = read_samples(arguments.samples, task)
    patterns = patterns_of(samples)
    try:
        predictions = gather_predictions(arguments.predictions, task)
        members = gather_predictions(arguments.members, task, MEMBER_KEYS)
        by_pattern = metrics_by_pattern(predictions, patterns, task, seed)
        controlled = arguments.omics_controls
        permuted = gather_predictions(controlled, task) if controlled else None
    except PredictionsError as problem:
        sys.exit(str(problem))
    real = predictions[predictions["permutation"] == 0]
    controls = predictions[predictions["permutation"] > 0]
    predictions = pd.concat([real, whole_controls(controls, real)])
    write_tsv(predictions, "predictions.tsv")
    write_tsv(by_pattern, "metrics_by_pattern.tsv")
    tables = assess(predictions, task, seed)
    tables["seeds"] = seed_spread(members, predictions, tables["metrics"], task)
    for name, table in tables.items():
        write_tsv(table, f"{name}.tsv")
    networks = arguments.networks.split(",")
    of_omics = None
    if permuted is not None:
        of_omics = score_omics_controls(real, whole_controls(permuted, real), networks, task)
        write_tsv(of_omics, "omics_controls.tsv")
    try:
        comparison, ranks, verdict = compare(
            predictions,
            networks,
            task,
            seed,
            Margins(arguments.margin, arguments.equivalence),
            Background(
                arguments.label_source,
                layers_lack=patterns[(samples["role"] == "train").to_numpy()].nunique() > 1,
                networks_tuned=arguments.trials > 0,
                split=arguments.split,
            ),
            across_sites=read_verdict(arguments.site_verdict) if arguments.site_verdict else None,
            omics_controls=of_omics,
            patterns=patterns,
        )
    except OtherRunError as problem:
        sys.exit(f"--site_verdict: {problem}")
    write_tsv(comparison, "comparison.tsv")
    write_tsv(ranks, "ranks.tsv")
    text = json.dumps(verdict, indent=2, ensure_ascii=False, allow_nan=False)
    Path("verdict.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
