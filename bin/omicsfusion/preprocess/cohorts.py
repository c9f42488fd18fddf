"""One layer over all cohorts, its features aligned."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from omicsfusion.tables.layer import LayerHeader, read_header, read_rows


@dataclass(frozen=True)
class CohortsLayer:
    """The values of a layer of all used samples.

    Attributes
    ----------
    layer, kind
        As in the samplesheet.
    samples
        Ids of the rows, sorted.
    features
        Those of the training cohorts: the first cohort's by name, in the order of its file, then
        what the next ones add.
    X
        float32, samples x features; NaN where a value is missing or a cohort lacks the feature.
    categories
        For kind ``clinical``, per feature: the levels whose positions X holds, None for a numeric
        feature; else empty.
    """

    layer: str
    kind: str
    samples: tuple[str, ...]
    features: tuple[str, ...]
    X: np.ndarray
    categories: tuple[tuple[str, ...] | None, ...] = ()

    def rows_of(self, samples: Iterable[str]) -> tuple[np.ndarray, tuple[str, ...]]:
        """Return the rows of those of ``samples`` that have the layer, and their ids, sorted."""
        wanted = set(samples)
        rows = [row for row, sample in enumerate(self.samples) if sample in wanted]
        return self.X[rows], tuple(self.samples[row] for row in rows)


class CohortsError(ValueError):
    """The files of a layer do not belong together; the text says why."""


def read_cohorts(paths: Sequence[str | Path], samples: pd.DataFrame) -> CohortsLayer:
    """Read a layer from the files of all its cohorts.

    Parameters
    ----------
    paths
        Layer files (``tables/layer.py``) of one layer, one per cohort, in any order.
    samples
        The clean ``samples.tsv``: ``sample, cohort, role``. Samples of the files that are not in it
        are ignored.

    Raises
    ------
    CohortsError
        When the files hold different layers or kinds, or a covariate is a number in one cohort and
        a word in another.
    """
    headers = {path: read_header(path) for path in paths}
    paths = sorted(paths, key=lambda path: headers[path].cohort)
    ordered = [headers[path] for path in paths]
    _refuse_strangers(ordered)
    training = set(samples.loc[samples["role"] == "train", "cohort"])
    sources = [header for header in ordered if header.cohort in training]
    features = tuple(dict.fromkeys(feature for header in sources for feature in header.features))
    categories = _union_of_levels(ordered, sources, features)
    blocks, ids = [], []
    for path, header in zip(paths, ordered, strict=True):
        used = set(samples.loc[samples["cohort"] == header.cohort, "sample"])
        rows = [row for row, sample in enumerate(header.samples) if sample in used]
        blocks.append(_aligned(read_rows(path, rows), header, features, categories))
        ids += [header.samples[row] for row in rows]
    order = sorted(range(len(ids)), key=ids.__getitem__)
    return CohortsLayer(
        layer=ordered[0].layer,
        kind=ordered[0].kind,
        samples=tuple(ids[row] for row in order),
        features=features,
        X=np.concatenate(blocks)[order],
        categories=categories,
    )


def _refuse_strangers(headers: Sequence[LayerHeader]) -> None:
    found = sorted({(header.layer, header.kind) for header in headers})
    if len(found) > 1:
        named = ", ".join(f"{layer} ({kind})" for layer, kind in found)
        raise CohortsError(f"These files should hold one layer of one kind, but hold {named}.")


def _union_of_levels(
    headers: Sequence[LayerHeader], sources: Sequence[LayerHeader], features: Sequence[str]
) -> tuple[tuple[str, ...] | None, ...]:
    """Levels of each covariate over all cohorts, sorted; None for a numeric one."""
    if not any(header.types for header in headers):
        return ()
    types: dict[str, set[str]] = {feature: set() for feature in features}
    levels: dict[str, set[str]] = {feature: set() for feature in features}
    for header in headers:
        for feature, kind in zip(header.features, header.types, strict=True):
            if feature in types:
                types[feature].add(kind)
                levels[feature].update(header.categories.get(feature, ()))
    torn = [feature for feature in features if len(types[feature]) > 1]
    if torn:
        raise CohortsError(
            f"The covariates {', '.join(torn)} are numbers in one cohort and words in another. "
            "Write them the same way in all."
        )
    return tuple(
        tuple(sorted(levels[feature])) if types[feature] == {"categorical"} else None
        for feature in features
    )


def _aligned(
    X: np.ndarray,
    header: LayerHeader,
    features: Sequence[str],
    categories: Sequence[tuple[str, ...] | None],
) -> np.ndarray:
    """Put the columns of one cohort in the order of ``features``, with common codes of levels."""
    position = {feature: column for column, feature in enumerate(header.features)}
    source = np.array([position.get(feature, -1) for feature in features], dtype=np.int64)
    out = np.full((len(X), len(features)), np.nan, dtype=np.float32)
    out[:, source >= 0] = X[:, source[source >= 0]]
    for column, levels in enumerate(categories):
        if levels is not None and source[column] >= 0:
            out[:, column] = _recoded(out[:, column], header.categories[features[column]], levels)
    return out


def _recoded(codes: np.ndarray, own: Sequence[str], common: Sequence[str]) -> np.ndarray:
    """Translate positions in ``own`` levels to positions in ``common`` ones; NaN stays."""
    target = np.array([*(common.index(level) for level in own), np.nan], dtype=np.float32)
    return target[np.where(np.isnan(codes), len(own), codes).astype(np.int64)]
