"""Pictures of a layer in two dimensions: what lies near what. They describe; nothing uses them.

PCA and UMAP are fitted on the training cohorts' samples, and external samples are projected into
them; t-SNE and Harmony have no projection and show training samples only.
"""

import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pandas as pd

from omicsfusion.preprocess.outliers import N_COMPONENTS, centre_and_spread, robust_z
from omicsfusion.qc.display_scale import RobustScale, on_display_scale
from omicsfusion.qc.harmony import batched_samples, drawn_together
from omicsfusion.seeds import seed_for
from omicsfusion.tables.cohort_table import CohortTable

MOST_FEATURES = 5000
# UMAP and t-SNE start from this many principal components.
COMPONENTS = 30
# Fewer training samples than this make no neighbourhoods.
FEWEST_FOR_NEIGHBOURS = 10
FEWEST_FOR_PCA = 3
NEIGHBOURS = 15
PERPLEXITY = 30.0
# Up to this size all components cost less than the first ones by iteration.
SMALL = 200
# A picture is the same whatever the seed of the run: no result hangs on it.
SEED = 0
FEATURES_AT_ONCE = 500
DECIMALS = 4

EMBEDDING_COLUMNS = ("layer", "cohort", "sample", "method", "x", "y")
EMBEDDING_SUMMARY_COLUMNS = (
    "layer",
    "method",
    "n_samples",
    "n_features",
    "explained_x",
    "explained_y",
    "note",
)


@dataclass(frozen=True)
class Components:
    """Principal components of a layer.

    Attributes
    ----------
    train, external
        Scores, samples x at most ``COMPONENTS``; training and external samples sorted by id. No
        columns when there is no picture.
    explained
        Share of the variance of the prepared features that each component explains.
    n_features
        Features used.
    note
        Why there are none; else empty.
    """

    train: np.ndarray
    external: np.ndarray
    explained: np.ndarray
    n_features: int
    note: str = ""


def principal_components(
    tables: Sequence[CohortTable], features: Sequence[str], logarithm: bool
) -> Components:
    """Fit PCA on the training cohorts' samples and project the external ones.

    Parameters
    ----------
    features
        The most variable ones. Missing values count as the feature's median; features are centred
        on it, divided by their robust standard deviation, and clipped (``RobustScale``).
    """
    train = _rows([table for table in tables if table.is_training], features)
    external = _rows([table for table in tables if not table.is_training], features)
    note = _obstacle(len(train), len(features))
    if note:
        empty = np.empty((0, 0))
        return Components(empty, empty, np.empty(0), len(features), note)
    prepared, projected = np.empty(train.shape), np.empty(external.shape)
    for start in range(0, len(features), FEATURES_AT_ONCE):
        here = slice(start, start + FEATURES_AT_ONCE)
        block = on_display_scale(train[:, here], logarithm)
        scale = RobustScale.of(block)
        prepared[:, here] = scale.applied(block)
        projected[:, here] = scale.applied(on_display_scale(external[:, here], logarithm))
    del train, external
    from sklearn.decomposition import PCA

    n = min(COMPONENTS, len(prepared) - 1, len(features))
    is_small = min(prepared.shape) <= max(SMALL, 2 * n)
    pca = PCA(n, svd_solver="full" if is_small else "arpack", random_state=SEED)
    scores = pca.fit_transform(prepared)
    outside = pca.transform(projected) if len(projected) else np.empty((0, n))
    return Components(scores, outside, pca.explained_variance_ratio_, len(features))


def _rows(tables: Sequence[CohortTable], features: Sequence[str]) -> np.ndarray:
    """Return the values of some features, samples of all the tables sorted by id."""
    if not tables:
        return np.empty((0, len(features)), dtype=np.float32)
    X = np.concatenate([table.columns(features) for table in tables])
    return X[np.argsort(np.array([s for table in tables for s in table.samples], dtype=object))]


def _obstacle(n_train: int, n_features: int) -> str:
    if n_train < FEWEST_FOR_PCA:
        return f"{n_train} training samples, fewer than {FEWEST_FOR_PCA}."
    if n_features < 2:
        return f"{n_features} features vary among the training samples, fewer than 2."
    return ""


class Placed(NamedTuple):
    """Where a method has placed samples.

    Attributes
    ----------
    points
        Samples x 2.
    rows
        Which samples: positions among all, training ones first.
    note
        Who is missing, or why nobody is there; else empty.
    """

    points: np.ndarray
    rows: np.ndarray
    note: str = ""


def embed(
    layer: str,
    tables: Sequence[CohortTable],
    components: Components,
    methods: Sequence[str],
    batches: Mapping[str, str],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Place the samples in two dimensions.

    Parameters
    ----------
    components
        From :func:`principal_components`.
    methods
        Of ``pca``, ``umap``, ``harmony``, ``tsne``.
    batches
        Sample -> batch, of the samples that have one. Without any there is no ``harmony``.

    Returns
    -------
    ``EMBEDDING_COLUMNS``, sorted by method and sample, and ``EMBEDDING_SUMMARY_COLUMNS``, one row
    per method.
    """
    training = people_of(tables, training=True)
    people = [*training, *people_of(tables, training=False)]
    batch_of_each = [batches.get(sample, "") for sample, _ in training]
    points = [pd.DataFrame(columns=list(EMBEDDING_COLUMNS))]
    summary = []
    for method in sorted(methods):
        if method == "harmony" and not batches:
            continue
        placed = _place(method, layer, components, batch_of_each)
        shown = pd.DataFrame([people[row] for row in placed.rows], columns=["sample", "cohort"])
        x, y = placed.points.round(DECIMALS).T
        shown = shown.assign(layer=layer, method=method, x=x, y=y).sort_values("sample")
        explained = [np.nan, np.nan]
        if method == "pca" and len(shown):
            explained = [*components.explained[:2].tolist(), 0.0][:2]
        points.append(shown[list(EMBEDDING_COLUMNS)])
        summary.append((layer, method, len(shown), components.n_features, *explained, placed.note))
    drawn = [table for table in points if len(table)] or points[:1]
    return pd.concat(drawn, ignore_index=True), pd.DataFrame(
        summary, columns=list(EMBEDDING_SUMMARY_COLUMNS)
    )


def people_of(tables: Sequence[CohortTable], training: bool) -> list[tuple[str, str]]:
    """Return ``(sample, cohort)`` in the order of the rows of the components."""
    return sorted(
        (sample, table.header.cohort)
        for table in tables
        if table.is_training == training
        for sample in table.samples
    )


def _place(method: str, layer: str, components: Components, batches: Sequence[str]) -> Placed:
    """Place the training samples, and external ones where there is a way."""
    train, external = components.train, components.external
    if components.note:
        return _nowhere(components.note)
    everyone = np.arange(len(train) + len(external))
    if method == "pca":
        return Placed(_two_columns(np.vstack([train, external])), everyone)
    if len(train) < FEWEST_FOR_NEIGHBOURS:
        return _nowhere(f"{len(train)} training samples, fewer than {FEWEST_FOR_NEIGHBOURS}.")
    seed = seed_for(SEED, "qc", method, layer)
    if method == "umap":
        return Placed(_umap(train, external, seed), everyone)
    if method == "harmony":
        return _harmony(components, batches, seed)
    left_out = f"without the {len(external)} external samples: t-SNE projects none"
    return Placed(_tsne(train, seed), everyone[: len(train)], left_out if len(external) else "")


def _nowhere(note: str) -> Placed:
    return Placed(np.empty((0, 2)), np.empty(0, dtype=np.int64), note)


def _two_columns(scores: np.ndarray) -> np.ndarray:
    return np.pad(scores, ((0, 0), (0, max(2 - scores.shape[1], 0))))[:, :2]


def _umap(train: np.ndarray, external: np.ndarray, seed: int) -> np.ndarray:
    """Place by UMAP (McInnes, Healy & Melville, arXiv:1802.03426), the same each time.

    Where an external sample comes to lie depends a little on which others are projected with it.
    """
    with _without_tensorflow(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from umap import UMAP

        neighbours = min(NEIGHBOURS, len(train) - 1)
        model = UMAP(n_neighbors=neighbours, random_state=seed, n_jobs=1)
        placed: np.ndarray = model.fit_transform(train)
        if len(external):
            placed = np.vstack([placed, model.transform(external)])
    return placed.astype(np.float64)


@contextmanager
def _without_tensorflow() -> Iterator[None]:
    """Keep umap from importing tensorflow, which it does not need here: 7 s and 230 MB less."""
    modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
    hidden = "tensorflow" not in modules
    if hidden:
        modules["tensorflow"] = None
    try:
        yield
    finally:
        if hidden:
            del modules["tensorflow"]


def _harmony(components: Components, batches: Sequence[str], seed: int) -> Placed:
    """Place the training samples of known, large enough batches by UMAP after Harmony."""
    found = batched_samples(batches)
    if found.obstacle:
        return _nowhere(found.obstacle)
    together = drawn_together(components.train[found.rows], found.batches, seed)
    nobody = np.empty((0, together.shape[1]))
    left_out = list(found.left_out)
    if len(components.external):
        left_out.append(f"the {len(components.external)} external samples: Harmony projects none")
    note = f"without {'; '.join(left_out)}" if left_out else ""
    return Placed(_umap(together, nobody, seed), found.rows, note)


def _tsne(train: np.ndarray, seed: int) -> np.ndarray:
    """Place by t-SNE (van der Maaten & Hinton, JMLR 9:2579, 2008), started from the PCA."""
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(train) - 1) / 3)
    model = TSNE(perplexity=perplexity, init="pca", random_state=seed, n_jobs=1)
    return model.fit_transform(train).astype(np.float64)


def distances(components: Components) -> tuple[np.ndarray, np.ndarray]:
    """Return how far training and external samples lie from the middle of the training samples.

    As the rule that leaves out outliers measures it (``OutlierRule``): root of the sum of the
    squared robust z-scores over the first ``N_COMPONENTS`` components. NaN without components.
    """
    train, external = components.train, components.external
    far = np.zeros(len(train)), np.zeros(len(external))
    for axis in range(min(train.shape[1], N_COMPONENTS)):
        centre, spread = centre_and_spread(train[:, axis])
        for squares, scores in zip(far, (train, external), strict=True):
            squares += robust_z(scores[:, axis], centre, spread) ** 2
    return np.sqrt(far[0]), np.sqrt(far[1])
