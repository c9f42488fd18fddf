"""CONCORDANCE: every pair of layers compared, in each cohort and over the training cohorts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from omicsfusion.concordance.layers import CohortLayer, read_layers
from omicsfusion.concordance.likeness import (
    FEWEST_PAIRS,
    FEWEST_SAMPLES,
    Likeness,
    compare,
    layer_pairs,
)
from omicsfusion.concordance.network import EDGE_COLUMNS, edges_between, find_hubs
from omicsfusion.concordance.swaps import SWAP_COLUMNS, judge, why_not_judged

CONCORDANCE_COLUMNS = [
    "layer",
    "other",
    "cohort",
    "n_samples",
    "n_pairs",
    "judged",
    "median_own_rank",
    "share_own_best",
    "auc",
    "note",
]


@dataclass(frozen=True)
class Concordance:
    """The tables of CONCORDANCE; docs/architecture.md says what their columns mean."""

    concordance: pd.DataFrame
    swaps: pd.DataFrame
    network: pd.DataFrame
    hubs: pd.DataFrame


def examine(paths: Sequence[str | Path], samples: pd.DataFrame, seed: int) -> Concordance:
    """Compare all pairs of layers.

    Parameters
    ----------
    paths
        Layer files of all layers and cohorts.
    samples
        The clean ``samples.tsv``: ``sample, patient, cohort, role``.
    seed
        The run's seed.
    """
    layers = read_layers(paths, samples)
    patients = dict(zip(samples["sample"], samples["patient"], strict=True))
    rows, swaps = [], []
    for one, two in layer_pairs(layers):
        likeness = compare(one, two, patients, seed)
        note = _note(one, two, likeness)
        rows.append(_row(one, two, likeness, note))
        if likeness is not None and not why_not_judged(likeness):
            swaps.append(judge(likeness, (one.layer, two.layer), one.cohort, patients))
    edges = _network(layers)
    return Concordance(
        pd.DataFrame(rows, columns=CONCORDANCE_COLUMNS),
        pd.concat(swaps, ignore_index=True) if swaps else pd.DataFrame(columns=SWAP_COLUMNS),
        edges,
        find_hubs(edges),
    )


def _note(one: CohortLayer, two: CohortLayer, likeness: Likeness | None) -> str:
    notes = [one.note, two.note]
    n = len(set(one.samples) & set(two.samples))
    if likeness is not None:
        notes.append(why_not_judged(likeness))
    elif n < FEWEST_SAMPLES:
        notes.append(f"Not judged: {n} samples have both layers ({FEWEST_SAMPLES} needed).")
    else:
        notes.append(
            f"Not judged: fewer than {FEWEST_PAIRS} pairs of features correlate, or fewer than "
            f"{FEWEST_SAMPLES} patients have both layers."
        )
    return " ".join(note for note in notes if note)


def _row(one: CohortLayer, two: CohortLayer, likeness: Likeness | None, note: str) -> dict:
    row = {
        "layer": one.layer,
        "other": two.layer,
        "cohort": one.cohort,
        "n_samples": len(set(one.samples) & set(two.samples)),
        "n_pairs": 0,
        "judged": "no",
        "note": note,
    }
    if likeness is None:
        return row
    return row | {
        "n_pairs": likeness.n_pairs,
        "judged": "no" if why_not_judged(likeness) else "yes",
        "median_own_rank": float(np.median(likeness.own_rank)),
        "share_own_best": round(float((likeness.own_rank == 1).mean()), 4),
        "auc": round(likeness.auc, 4),
    }


def _network(layers: Sequence[CohortLayer]) -> pd.DataFrame:
    by_names: dict[tuple[str, str], list[tuple[CohortLayer, CohortLayer]]] = {}
    for one, two in layer_pairs([layer for layer in layers if layer.is_training]):
        by_names.setdefault((one.layer, two.layer), []).append((one, two))
    found = [edges_between(pairs) for _, pairs in sorted(by_names.items())]
    found = [edges for edges in found if len(edges)]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=EDGE_COLUMNS)
