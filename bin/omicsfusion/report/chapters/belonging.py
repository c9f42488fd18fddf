"""Whether the layers of a sample belong together, and which features go together across layers."""

from typing import Any

import pandas as pd

from omicsfusion.report.blocks import Table
from omicsfusion.report.results import Results
from omicsfusion.report.words import count, number, quantity, score, share, shortened, told

MOST_EDGES = 20
MOST_HUBS = 20
MOST_FLAGGED = 30
MOST_NOTES = 10
FLAGS = {"swap": "exchanged", "mismatch": "does not fit"}


def belonging_views(results: Results) -> dict[str, Any] | None:
    """Make the views from the tables of CONCORDANCE; None when none was published."""
    if not any(len(results[name]) for name in ("concordance", "swaps", "network", "hubs")):
        return None
    return {
        "pairs": _pairs(results["concordance"]),
        "notes": _notes(results["concordance"]),
        "flagged": _flagged(results["swaps"]),
        "judged": _judged(results),
        "together": _together(results),
        "edges": _edges(results["network"]),
        "hubs": _hubs(results["hubs"]),
    }


def _pairs(table: pd.DataFrame) -> Table | None:
    if not len(table):
        return None
    rows = []
    for row in table.sort_values(["layer", "other", "cohort"]).to_dict("records"):
        judged = told(row["judged"]) == "yes"
        known = row["n_pairs"] > 0
        rows.append(
            [
                f"{row['layer']} and {row['other']}",
                row["cohort"],
                f"{row['n_samples']:,}",
                f"{row['n_pairs']:,}",
                share(row["share_own_best"], 1) if known else "—",
                quantity(row["median_own_rank"]) if known else "—",
                score(row["auc"]) if known else "—",
                "yes" if judged else "no",
            ]
        )
    return Table(
        "Does a sample's profile in one layer fit its own profile in the other?",
        ["Layers", "Cohort", "Samples", "Feature pairs", "Fit best", "Rank", "AUC", "Judged"],
        rows,
        text_columns=(1,),
        note="Over the pairs of features that correlate most between the two layers. Fit best: "
        "share of samples that fit their own profile better than everyone else's. Rank: the own "
        "profile's place among all, in the median sample. AUC: 0.5, own profiles fit no better "
        "than others'; 1, always better. Judged: whether that is enough to tell single samples.",
    )


def _notes(table: pd.DataFrame) -> list[str]:
    told_of = table[table["note"].map(told) != ""]
    lines = [
        f"{row['layer']} and {row['other']}, {row['cohort']}: {told(row['note'])}"
        for row in told_of.head(MOST_NOTES).to_dict("records")
    ]
    rest = len(told_of) - len(lines)
    return [*lines, f"And {count(rest, 'further note')} in qc/concordance.tsv."] if rest else lines


def _judged(results: Results) -> str:
    table = results["concordance"]
    judged = int((table["judged"].map(told) == "yes").sum())
    if not len(table):
        return ""
    if not judged:
        return "No two layers go together closely enough to tell whether samples were mixed up."
    flagged = results["swaps"]["flag"].isin(list(FLAGS))
    n = results["swaps"].loc[flagged, "sample"].nunique()
    found = f"{count(n, 'sample is', 'samples are')} flagged" if n else "no sample is flagged"
    return f"Close enough to judge single samples: {count(judged, 'pair')} of layers; {found}."


def _flagged(swaps: pd.DataFrame) -> Table | None:
    found = swaps[swaps["flag"].isin(list(FLAGS))]
    if not len(found):
        return None
    found = found.sort_values(["flag", "layer", "other", "sample"], ascending=[False, *[True] * 3])
    rows = [
        [
            shortened(row["sample"]),
            f"{row['layer']} and {row['other']}\n{row['cohort']}",
            _said(row),
            score(row["own_similarity"]),
            f"{quantity(row['own_rank'])} of {quantity(row['n'])}",
            f"{shortened(told(row['best_match']), 24)}\n{score(row['best_similarity'])}",
        ]
        for row in found.head(MOST_FLAGGED).to_dict("records")
    ]
    rest = len(found) - len(rows)
    return Table(
        "Samples whose layers may come from different patients",
        ["Sample", "Layers, cohort", "Found", "Own fit", "Rank", "Best fit"],
        rows,
        text_columns=(1, 2),
        note="Fit: similarity of the two profiles, in standard deviations of strangers' "
        "similarities. Flagged only: nobody was removed or exchanged."
        + (f" {count(rest, 'further row')} in qc/swaps.tsv." if rest > 0 else ""),
    )


def _said(row: dict[str, Any]) -> str:
    partner = told(row["swapped_with"])
    flag = FLAGS[row["flag"]]
    return f"{flag} with {shortened(partner, 24)}" if partner else flag


def _together(results: Results) -> str:
    """Say which two features correlate most, and which feature has most correlations."""
    network, hubs = results["network"], results["hubs"]
    if not len(network):
        return "No features of two layers correlate clearly enough."
    top = network.loc[network["rho"].abs().idxmax()]
    pair = (
        f"{shortened(top['feature'])} ({top['layer']}) and {shortened(top['other_feature'])} "
        f"({top['other_layer']}), Spearman {score(top['rho'])}"
    )
    said = (
        f"{count(len(network), 'pair')} of features of two layers published. The closest: {pair}."
    )
    if not len(hubs):
        return said
    hub = hubs.sort_values("rank").iloc[0]
    return (
        f"{said} {shortened(hub['feature'])} ({hub['layer']}) has the most correlations to other "
        f"layers, {hub['degree']:,}."
    )


def _edges(network: pd.DataFrame) -> Table | None:
    if not len(network):
        return None
    ordered = network.assign(_size=-network["rho"].abs()).sort_values(
        ["_size", "layer", "feature", "other_layer", "other_feature"]
    )
    rows = [
        [
            f"{shortened(row['feature'])}",
            row["layer"],
            shortened(row["other_feature"]),
            row["other_layer"],
            score(row["rho"]),
            "< 0.001" if row["fdr"] < 0.001 else number(row["fdr"], 2),
            f"{row['n']:,}",
        ]
        for row in ordered.head(MOST_EDGES).to_dict("records")
    ]
    return Table(
        "The strongest correlations between features of two layers",
        ["Feature", "Layer", "Feature", "Layer", "Spearman", "FDR", "Samples"],
        rows,
        text_columns=(1, 2, 3),
        note=f"The {len(rows)} strongest of {len(network):,} published. Correlations over all "
        "training samples: they describe the cohort, and no model was given them.",
    )


def _hubs(hubs: pd.DataFrame) -> Table | None:
    if not len(hubs):
        return None
    rows = [
        [shortened(row["feature"]), row["layer"], f"{row['degree']:,}", f"{row['n_layers']:,}"]
        for row in hubs.sort_values("rank").head(MOST_HUBS).to_dict("records")
    ]
    return Table(
        "Features with the most correlations to other layers",
        ["Feature", "Layer", "Correlated features", "In layers"],
        rows,
        text_columns=(1,),
    )
