"""Which gene a feature is of."""

from collections.abc import Container

SEPARATORS = ("|", "_", ":")


def gene_of(feature: str, genes: Container[str]) -> str:
    """Name the gene of a feature.

    It is the feature's id if that is in ``genes``, else what stands before the first ``|``, ``_``
    or ``:``, as in ``TP53|7157``, ``AKT1_pS473`` and ``MLH1:cg00893636``.
    """
    if feature in genes:
        return feature
    cut = min((feature.find(mark) for mark in SEPARATORS if mark in feature), default=len(feature))
    return feature[:cut]
