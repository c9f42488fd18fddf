"""What became of the features: the fitted chains of many scopes as tables."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from omicsfusion.scopes import FINAL, OUTER, Scope

if TYPE_CHECKING:
    from omicsfusion.preprocess.chain import Chain
    from omicsfusion.preprocess.step import Step

SCOPE_COLUMNS = ["layer", "repeat", "fold", "inner"]
STEPS_COLUMNS = [*SCOPE_COLUMNS, "position", "step", "method", "n_in", "n_out", "did", "skipped"]
DROPPED_COLUMNS = [*SCOPE_COLUMNS, "step", "reason", "n"]
KEPT_COLUMNS = ["layer", "feature", "n_outer", "n_kept", "in_final"]


def steps_table(layer: str, chains: Mapping[Scope, "Chain"]) -> pd.DataFrame:
    """Say for each scope and step how many features came in and went out, and what was done.

    A chain that ended early (no feature was left) has rows up to the step where it did.

    Returns
    -------
    Columns ``layer, repeat, fold, inner, position`` (from 1)``, step, method, n_in, n_out, did,
    skipped`` (why the values pass through unchanged; empty when they do not).
    """
    rows = [
        (
            *_scope(layer, scope),
            position,
            *name,
            n_in,
            n_out,
            getattr(step, "did_", ""),
            getattr(step, "skipped_", ""),
        )
        for scope, chain in chains.items()
        for position, name, step, n_in, n_out in _walk(chain)
    ]
    return pd.DataFrame(rows, columns=STEPS_COLUMNS)


def dropped_table(layer: str, chains: Mapping[Scope, "Chain"]) -> pd.DataFrame:
    """Say for each scope why features were left out, and how many for each reason.

    Returns
    -------
    Columns ``layer, repeat, fold, inner, step, reason, n``; within a step by falling n.
    """
    rows = [
        (*_scope(layer, scope), name[0], reason, n)
        for scope, chain in chains.items()
        for _, name, step, _, _ in _walk(chain)
        for reason, n in sorted(
            getattr(step, "dropped_", {}).items(), key=lambda found: (-found[1], found[0])
        )
    ]
    return pd.DataFrame(rows, columns=DROPPED_COLUMNS)


def kept_table(layer: str, chains: Mapping[Scope, "Chain"]) -> pd.DataFrame:
    """Count for each feature the outer training sets in which it was kept.

    Returns
    -------
    Columns ``layer, feature, n_outer`` (outer scopes where the layer has features)``, n_kept`` (of
    them)``, in_final`` (0 or 1); features kept at least once, by falling n_kept, then by name.
    """
    n_outer, counts = 0, Counter[str]()
    final: set[str] = set()
    for scope, chain in chains.items():
        names = chain.get_feature_names_out()
        if scope.inner == OUTER:
            n_outer += len(names) > 0
            counts.update(names)
        elif scope.inner == FINAL:
            final.update(names)
    ranked = sorted({*counts, *final}, key=lambda name: (-counts[name], name))
    rows = [(layer, name, n_outer, counts[name], int(name in final)) for name in ranked]
    return pd.DataFrame(rows, columns=KEPT_COLUMNS)


def _walk(chain: "Chain") -> Iterator[tuple[int, tuple[str, str], "Step", int, int]]:
    """Walk the fitted steps: position, (step, method), the step, features in and out."""
    names = np.asarray(chain.features_in_, dtype=object)
    for position, (name, step) in enumerate(zip(chain.names, chain.steps, strict=True), 1):
        if not hasattr(step, "n_features_in_"):
            return
        n_in = len(names)
        names = step.get_feature_names_out(names)
        yield position, name, step, n_in, len(names)


def _scope(layer: str, scope: Scope) -> tuple[str, int, int, str]:
    return layer, scope.repeat, scope.fold, scope.inner
