#!/usr/bin/env python3
"""Write what PREPROCESS and TRAIN are given where one of the usual mistakes is made."""

import argparse
from pathlib import Path

from omicsfusion.look_ahead import look_ahead, mistaken_recipe, outcome_as_covariates
from omicsfusion.recipes.catalogue import read_catalogue
from omicsfusion.recipes.recipe import Recipe
from omicsfusion.scopes import read_splits
from omicsfusion.tables.mistakes import BATCH, MISTAKES
from omicsfusion.tables.outcome import TASKS, read_samples
from omicsfusion.tables.tsv import write_tsv


def main() -> None:
    """Write the scopes and groups of the mistake, and in a folder named after it the recipes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mistake", required=True, choices=MISTAKES)
    parser.add_argument("--samples", required=True, type=Path, help="the clean samples.tsv")
    parser.add_argument("--splits", required=True, type=Path, help="splits.tsv")
    parser.add_argument("--recipes", required=True, type=Path, nargs="+", help="*.recipe.json")
    parser.add_argument("--task", required=True, choices=TASKS)
    arguments = parser.parse_args()
    mistake, task = arguments.mistake, arguments.task
    made = look_ahead(read_splits(arguments.splits), mistake)
    write_tsv(made.prepare, f"{mistake}.prepare.tsv")
    write_tsv(made.train, f"{mistake}.train.tsv")
    write_tsv(made.networks, f"{mistake}.networks.tsv")
    write_tsv(made.groups, f"{mistake}.groups.tsv")
    folder = Path(mistake)
    folder.mkdir(exist_ok=True)
    for path in arguments.recipes:
        recipe = Recipe.from_json(path.read_text(encoding="utf-8"))
        changed = mistaken_recipe(mistake, recipe, task, read_catalogue())
        (folder / path.name).write_text(changed.to_json() + "\n", encoding="utf-8")
    if mistake == BATCH:
        samples = read_samples(arguments.samples, task)
        write_tsv(outcome_as_covariates(samples, task), f"{mistake}.covariates.tsv")


if __name__ == "__main__":
    main()
