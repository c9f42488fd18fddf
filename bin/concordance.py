#!/usr/bin/env python3
"""Find swapped samples and correlated features by comparing the layers with one another."""

import argparse

from omicsfusion.concordance.examine import examine
from omicsfusion.concordance.network import write_graph
from omicsfusion.tables.tsv import read_tsv, write_tsv


def main() -> None:
    args = parse_arguments()
    samples = read_tsv(args.samples, text_columns=("role",))
    found = examine(args.files, samples, args.seed)
    write_tsv(found.concordance, "concordance.tsv")
    write_tsv(found.swaps, "swaps.tsv")
    write_tsv(found.network, "network.tsv")
    write_tsv(found.hubs, "hubs.tsv")
    write_graph(found.network, "network.graphml")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--files", required=True, nargs="+", help="the .h5ad of each layer and cohort"
    )
    parser.add_argument("--samples", required=True, help="the clean samples.tsv")
    parser.add_argument("--seed", required=True, type=int)
    return parser.parse_args()


if __name__ == "__main__":
    main()
