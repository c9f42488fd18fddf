"""How often the verdict is 'helped' at smaller effects: a picture of what verdict.py has found.

    .tools/bin/python benchmarks/verdict_power.py verdicts.tsv [more.tsv ...] --out FILE.svg

For each effect and each of both questions of an interaction the share of cohorts with 'helped', and
its exact 95 % interval (Clopper and Pearson, Biometrika 26, 1934).
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
import pandas as pd
from scipy.stats import binomtest

QUESTIONS = {"shallow": "against linear", "best_layer": "against the best single layer"}
COLOURS = {"shallow": "#1b6ca8", "best_layer": "#b3541e"}
APART = 0.008
"""By how much points of one effect are moved apart, so that both can be seen."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("verdicts", nargs="+", type=Path)
    parser.add_argument("--out", required=True, type=Path)
    given = parser.parse_args()
    table = pd.concat([pd.read_csv(path, sep="\t") for path in given.verdicts])
    found = shares(table[table["signal"] == "interaction"])
    print(found.to_string(index=False))
    matplotlib.rcParams["svg.hashsalt"] = "omicsfusion"  # the same bytes every time
    figure = picture(found)
    figure.savefig(given.out, metadata={"Date": None})


def shares(table: pd.DataFrame) -> pd.DataFrame:
    """Count 'helped' by question and effect, with an interval."""
    rows = []
    for (question, effect), part in table.groupby(["question", "effect"]):
        helped = int((part["verdict"] == "helped").sum())
        interval = binomtest(helped, len(part)).proportion_ci(0.95, method="exact")
        share = helped / len(part)
        rows.append((question, effect, len(part), share, interval.low, interval.high))
    columns = ["question", "effect", "cohorts", "share", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def picture(found: pd.DataFrame) -> plt.Figure:
    """Draw the shares against the effect."""
    figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
    for place, (question, label) in enumerate(QUESTIONS.items()):
        part = found[found["question"] == question]
        x = part["effect"] + (place - 0.5) * 2 * APART
        bars = [part["share"] - part["low"], part["high"] - part["share"]]
        axes.errorbar(
            x, part["share"], bars, fmt="o-", capsize=3, color=COLOURS[question], label=label
        )
    axes.set_xlabel("share of patients whose class is the interaction's (else drawn at random)")
    axes.set_ylabel("share of cohorts: helped")
    axes.set_ylim(-0.03, 1.03)
    axes.legend(frameon=False, loc="upper left")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


if __name__ == "__main__":
    main()
