"""The values of one layer: of each sample side by side, and of the features in bins."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from omicsfusion.report.blocks import Figure
from omicsfusion.report.colours import CATEGORIES, SVG_DASHES
from omicsfusion.report.figures.distributions import histogram, ribbons
from omicsfusion.report.words import count, number, quantity, share

MEASURES = {
    "missing": "Samples without a value",
    "zeros": "Values that are zero",
    "mean": "Mean",
    "sd": "Standard deviation",
}
SHARES = ("missing", "zeros")
MOST_RIBBONS = 400


def value_views(
    distributions: pd.DataFrame,
    features: pd.DataFrame,
    layer: str,
    flagged: set[str],
    place: int,
    cohorts: Mapping[str, int],
) -> dict[str, Any]:
    """Make the figures of one layer; a view without data is None or empty.

    Parameters
    ----------
    distributions, features
        ``qc_distributions`` and ``qc_features`` of the layer.
    flagged
        Samples that get a mark.
    place
        Number of the layer on the page, for the figures' keys.
    cohorts
        Cohort -> place from left to right.
    """
    in_order = features.assign(_cohort=features["cohort"].map(cohorts))
    bins = in_order.sort_values(["_cohort", "low"], kind="stable")
    return {
        "distributions": _distributions(distributions, layer, flagged, place, cohorts),
        "histograms": _histograms(bins, layer, place),
        "histogram_legend": _legend(bins),
        "histograms_note": _alike(bins),
    }


def _distributions(
    table: pd.DataFrame, layer: str, flagged: set[str], place: int, cohorts: Mapping[str, int]
) -> Figure | None:
    if not len(table):
        return None
    in_order = table.assign(_cohort=table["cohort"].map(cohorts))
    ordered = in_order.sort_values(["_cohort", "q50", "sample"], ignore_index=True)
    step = -(-len(ordered) // MOST_RIBBONS)
    thinned = ordered[(ordered.index % step == 0) | ordered["sample"].isin(flagged)]
    ends: list[tuple[str, int]] = []
    for cohort, group in thinned.groupby("cohort", sort=False):
        ends.append((str(cohort), (ends[-1][1] if ends else 0) + len(group)))
    marks = list(thinned["sample"].isin(flagged))
    data, layout, height = ribbons(thinned, marks, ends)
    some = (
        f" Of {len(ordered):,} samples one in {step}, by their medians, is drawn, and all "
        "flagged ones."
        if step > 1
        else ""
    )
    medians = table["q50"]
    return Figure(
        f"distributions-{place}",
        f"The values of each sample of {layer}, samples side by side: a sample that stands out, or "
        "a step between cohorts, shows here. Counts and other abundances are drawn as "
        f"log2(x + 1).{some}",
        f"Quantiles of the values of {count(len(table), 'sample')}; medians from "
        f"{quantity(medians.min())} to {quantity(medians.max())}, {count(sum(marks), 'sample')} "
        "flagged.",
        data,
        layout,
        height,
    )


def _histograms(table: pd.DataFrame, layer: str, place: int) -> list[Figure]:
    figures = []
    for measure, words in MEASURES.items():
        rows = table[table["measure"] == measure]
        if not (rows["low"] < rows["high"]).any():
            continue
        rows = rows[rows["low"] < rows["high"]]
        data, layout, height = histogram(rows, measure in SHARES)
        common = rows.loc[rows["n"].idxmax()]
        figures.append(
            Figure(
                f"histogram-{place}-{measure}",
                words,
                f"{words} over the features of {layer}, from {quantity(rows['low'].min())} to "
                f"{quantity(rows['high'].max())}; most features lie at {quantity(common['low'])} "
                f"to {quantity(common['high'])}.",
                data,
                layout,
                height,
            )
        )
    return figures


def _legend(table: pd.DataFrame) -> list[dict[str, str]]:
    """Name the lines of the histograms; one needs no name."""
    cohorts = list(table["cohort"].unique())
    return [
        {
            "name": str(cohort),
            "colour": CATEGORIES[place % len(CATEGORIES)],
            "dash": SVG_DASHES[place % len(SVG_DASHES)],
        }
        for place, cohort in enumerate(cohorts if len(cohorts) > 1 else [])
    ]


def _alike(table: pd.DataFrame) -> str:
    """Say of which measures there is nothing to draw: all features are alike in them."""
    parts = []
    for measure, words in MEASURES.items():
        rows = table[table["measure"] == measure]
        if len(rows) and not (rows["low"] < rows["high"]).any():
            value = rows["low"].iloc[0]
            text = share(value, 1) if measure in SHARES else number(value)
            parts.append(f"{words}: {text} for every feature.")
    return " ".join(parts)
