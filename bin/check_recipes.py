#!/usr/bin/env python3
"""Settle how each layer is prepared, from its kind and the user's --preprocess file."""

import argparse
from pathlib import Path

from omicsfusion.recipes.catalogue import read_catalogue
from omicsfusion.recipes.wishes import Run, settle_recipes
from omicsfusion.tables.arguments import listed, named_path
from omicsfusion.tables.problems import Problems, write_problems
from omicsfusion.tables.tsv import read_tsv


def main() -> None:
    args = parse_arguments()
    layers = read_tsv(args.layers, text_columns=("layer", "kind"))
    kinds = dict(zip(layers["layer"], layers["kind"], strict=True))
    problems = Problems()
    recipes = settle_recipes(
        read_catalogue(),
        Run(kinds, args.batch, args.covariates),
        args.preprocess,
        dict(args.files),
        problems,
    )
    for layer, recipe in recipes.items():
        Path(f"{layer}.recipe.json").write_text(recipe.to_json() + "\n", encoding="utf-8")
    write_problems(problems, "recipes.problems.tsv")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", required=True, help="layers.tsv")
    parser.add_argument("--preprocess", type=Path, help="the user's choices, YAML")
    parser.add_argument(
        "--files",
        nargs="*",
        type=named_path,
        default=(),
        metavar="NAME=PATH",
        help="the files that --preprocess names",
    )
    parser.add_argument("--batch", action="store_true", help="batches are known")
    parser.add_argument("--covariates", type=listed, default=())
    return parser.parse_args()


if __name__ == "__main__":
    main()
