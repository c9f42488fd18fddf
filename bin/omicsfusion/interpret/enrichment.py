"""Which gene sets gather at the ends of a network's importance ranking.

Gene set enrichment analysis of a ranked list (Subramanian et al. 2005, PNAS 102:15545), as gseapy
computes it. A gene's score is its mean absolute SHAP value, with the sign of ``direction``:
positive where a higher value raises the output.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from omicsfusion.seeds import seed_for
from omicsfusion.tables.gene_sets import MAX_SIZE, MIN_SIZE, GeneSets
from omicsfusion.tables.genes import gene_of

PERMUTATIONS = 1000

RUN = ["model", "output", "layer"]
COLUMNS = [
    *RUN, "gene_set_file", "term", "es", "nes", "p", "fdr", "n_genes", "leading_edge",
]  # fmt: skip
NOTE_COLUMNS = [*RUN, "note"]
GSEAPY_COLUMNS = {"Term": "term", "ES": "es", "NES": "nes", "NOM p-val": "p", "FDR q-val": "fdr"}


@dataclass(frozen=True)
class Enrichment:
    """Tables of the contract: ``enrichment.tsv`` and ``enrichment_notes.tsv``."""

    table: pd.DataFrame
    notes: pd.DataFrame


def enrich(importance: pd.DataFrame, files: Mapping[str, GeneSets], seed: int) -> Enrichment:
    """Test every file of gene sets against every ranking.

    Parameters
    ----------
    importance
        Rows of ``importance.tsv``: ``model, output, layer, feature, mean_abs_shap, direction``.
    files
        As :func:`omicsfusion.tables.gene_sets.read_gene_sets` returns them.
    seed
        The run's seed.

    Returns
    -------
    A row per model, output, layer, file and set; and a note where a layer could not be tested with
    a file. False discovery rates are within one ranking and file, not across them.
    """
    parts, notes = [], []
    for names, rows in importance.groupby(RUN, sort=True):
        for file, sets in files.items():
            scores = gene_scores(rows, frozenset().union(*sets.values()))
            usable = measured_sets(sets, scores.index)
            run = dict(zip(RUN, names, strict=True))
            reason = _why_not(scores, usable, file)
            if reason:
                notes.append({**run, "note": reason})
                continue
            found = prerank(scores, usable, seed_for(seed, "enrich", *map(str, names), file))
            parts.append(found.assign(**run, gene_set_file=file))
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    return Enrichment(table[COLUMNS], pd.DataFrame(notes, columns=NOTE_COLUMNS))


def gene_scores(rows: pd.DataFrame, genes: frozenset[str]) -> pd.Series:
    """Turn the importance of a layer's features into one signed score per gene.

    Of several features of a gene the one with the largest absolute score counts. A feature without
    a direction has the score 0.

    Returns
    -------
    Index: gene; from the highest score to the lowest, equal ones by name.
    """
    signed = rows["mean_abs_shap"] * np.sign(rows["direction"].astype(float).fillna(0.0))
    table = pd.DataFrame(
        {
            "gene": [gene_of(feature, genes) for feature in rows["feature"]],
            "feature": rows["feature"].to_numpy(),
            "score": signed.to_numpy(dtype=float),
        }
    )
    table["size"] = table["score"].abs()
    table = table.sort_values(["size", "feature"], ascending=[False, True])
    table = table.drop_duplicates("gene").sort_values(["score", "gene"], ascending=[False, True])
    return table.set_index("gene")["score"]


def measured_sets(sets: GeneSets, measured: pd.Index) -> dict[str, list[str]]:
    """Keep the measured genes of each set, and the sets that have enough, but not all, of them."""
    known = set(measured)
    most = min(MAX_SIZE, len(known) - 1)
    kept = {name: sorted(genes & known) for name, genes in sorted(sets.items())}
    return {name: genes for name, genes in kept.items() if MIN_SIZE <= len(genes) <= most}


def prerank(scores: pd.Series, sets: Mapping[str, list[str]], seed: int) -> pd.DataFrame:
    """Run the analysis on one ranking.

    Parameters
    ----------
    scores
        Index: gene; sorted, highest first. All measured genes: they are the background.
    sets
        Measured genes of each set.
    seed
        Of the permutations.

    Returns
    -------
    Columns ``term, es, nes, p, fdr, n_genes, leading_edge`` (genes joined by ``;`` in the order of
    the ranking), by false discovery rate. p is 0 where none of the permutations reached the score.
    """
    import gseapy

    # gseapy turns names into capitals when it thinks that they should be; it gets neutral ones.
    code = {gene: f"G{position:06d}" for position, gene in enumerate(scores.index)}
    name = {short: gene for gene, short in code.items()}
    result = gseapy.prerank(
        rnk=pd.Series(scores.to_numpy(), index=[code[gene] for gene in scores.index]),
        gene_sets={term: [code[gene] for gene in genes] for term, genes in sets.items()},
        min_size=MIN_SIZE,
        max_size=MAX_SIZE,
        permutation_num=PERMUTATIONS,
        ascending=None,  # the ranking is sorted; gseapy's own sort would shuffle ties
        threads=1,
        seed=seed,
        outdir=None,
        no_plot=True,
    ).res2d
    table = result.rename(columns=GSEAPY_COLUMNS)
    table[["es", "nes", "p", "fdr"]] = table[["es", "nes", "p", "fdr"]].astype(float)
    table["n_genes"] = [len(sets[term]) for term in table["term"]]
    table["leading_edge"] = [
        ";".join(name[short] for short in sorted(filter(None, leading.split(";"))))
        for leading in table["Lead_genes"]
    ]
    table = table.sort_values(["fdr", "p", "term"], ignore_index=True)
    return table[[*GSEAPY_COLUMNS.values(), "n_genes", "leading_edge"]]


def _why_not(scores: pd.Series, sets: Mapping[str, list[str]], file: str) -> str:
    """Say why a ranking cannot be tested; empty if it can."""
    if not sets:
        sizes = f"{MIN_SIZE} to {MAX_SIZE}"
        return f"No set of {file} has {sizes} genes among the {len(scores)} of this layer."
    if not scores.to_numpy().any():
        return "No feature of this layer has an importance with a direction."
    return ""
