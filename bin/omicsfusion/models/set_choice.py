"""Which gene sets a network reads in a scope, and which columns are of their genes.

The choice never looks at values or the outcome: it hangs on the names of the features alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from omicsfusion.models.registry import CLINICAL
from omicsfusion.tables.gene_sets import MAX_SIZE, MIN_SIZE, GeneSets
from omicsfusion.tables.genes import gene_of

MOST_SETS = 300


@dataclass(frozen=True)
class ChosenSets:
    """The gene sets of one scope.

    Attributes
    ----------
    names
        Of the sets, sorted.
    columns
        Layer -> for each set the columns (from 0) of its genes, ascending; there may be none.
    """

    names: tuple[str, ...]
    columns: Mapping[str, tuple[np.ndarray, ...]]

    def in_none(self, layer: str, width: int) -> np.ndarray:
        """Return which of the ``width`` columns of a layer are in no set; bool."""
        alone = np.ones(width, bool)
        for columns in self.columns[layer]:
            alone[columns] = False
        return alone


def choose_sets(features: Mapping[str, Sequence[str]], sets: GeneSets) -> ChosenSets:
    """Choose the sets with ``MIN_SIZE`` to ``MAX_SIZE`` measured genes, ``MOST_SETS`` at most.

    A gene is measured when it is the gene of a feature (``gene_of``) of any layer but the
    covariates. If there are too many sets, one after the other is taken that says most of genes
    which those before it do not hold: a gene that is in k of them counts 1 / (1 + k). Of equal sets
    the first by name is taken.

    Parameters
    ----------
    features
        Layer -> names of its columns.
    """
    genes = frozenset().union(*sets.values())
    of_layer = {layer: _columns_of_genes(layer, names, genes) for layer, names in features.items()}
    measured = frozenset().union(*of_layer.values())
    kept = {name: sorted(sets[name] & measured) for name in sorted(sets)}
    kept = {name: those for name, those in kept.items() if MIN_SIZE <= len(those) <= MAX_SIZE}
    names = _most_telling(kept) if len(kept) > MOST_SETS else list(kept)
    columns = {
        layer: tuple(_columns_of_set(kept[name], columns) for name in names)
        for layer, columns in of_layer.items()
    }
    return ChosenSets(tuple(names), columns)


def _columns_of_genes(
    layer: str, names: Sequence[str], genes: frozenset[str]
) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    if layer != CLINICAL:
        for column, name in enumerate(names):
            gene = gene_of(name, genes)
            if gene in genes:
                found.setdefault(gene, []).append(column)
    return found


def _columns_of_set(genes: Sequence[str], columns: Mapping[str, Sequence[int]]) -> np.ndarray:
    """Return the columns of a set's genes, ascending."""
    return np.array(sorted(c for gene in genes for c in columns.get(gene, ())), dtype=np.int64)


def _most_telling(sets: Mapping[str, Sequence[str]]) -> list[str]:
    """Take ``MOST_SETS`` of them, greedily; sorted by name."""
    number = {gene: k for k, gene in enumerate(sorted(set().union(*sets.values())))}
    members = [np.array([number[gene] for gene in genes]) for genes in sets.values()]
    flat = np.concatenate(members)
    first = np.cumsum([0, *(len(genes) for genes in members[:-1])])
    times = np.zeros(len(number))
    taken = np.zeros(len(members), bool)
    for _ in range(MOST_SETS):
        worth = np.add.reduceat(1 / (1 + times[flat]), first)
        best = int(np.argmax(np.where(taken, -1.0, worth)))
        taken[best] = True
        times[members[best]] += 1
    return [name for name, one in zip(sets, taken, strict=True) if one]
