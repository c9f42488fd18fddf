"""All checks of one layer over all its cohorts, as the tables that QC writes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from omicsfusion.preprocess.batch.policy import labels_of
from omicsfusion.qc.display_scale import takes_logarithm
from omicsfusion.qc.embedding import (
    EMBEDDING_COLUMNS,
    EMBEDDING_SUMMARY_COLUMNS,
    MOST_FEATURES,
    Components,
    distances,
    embed,
    people_of,
    principal_components,
)
from omicsfusion.qc.feature_checks import (
    histograms,
    measure_features,
    most_variable,
)
from omicsfusion.qc.sample_checks import (
    DISTRIBUTION_COLUMNS,
    distributions,
    judge_samples,
    measure_samples,
)
from omicsfusion.qc.scales import scale_signs
from omicsfusion.qc.sex import SexCalls, call_sex, given_sex
from omicsfusion.qc.signs import ScaleSigns
from omicsfusion.tables.cohort_table import CLINICAL, CohortTable

SAMPLE_COLUMNS = (
    "layer",
    "cohort",
    "sample",
    "patient",
    "role",
    "n_features",
    "missing",
    "zeros",
    "total",
    "median",
    "spread",
    "pc_distance",
    "outlier",
    "reasons",
    "sex_called",
    "sex_given",
    "sex_agrees",
)
SUMMARY_COLUMNS = ("layer", "cohort", "name", "value", "note")
METHODS = ("pca", "umap", "harmony", "tsne")
# Digits of shares, quantiles and distances: more would be those of the machine.
SIGNIFICANT = 6


@dataclass(frozen=True)
class LayerChecks:
    """The tables of ``docs/architecture.md``, QC."""

    samples: pd.DataFrame
    features: pd.DataFrame
    distributions: pd.DataFrame
    embedding: pd.DataFrame
    embedding_summary: pd.DataFrame
    summary: pd.DataFrame


def check_layer(
    layer: str,
    tables: Sequence[CohortTable],
    samples: pd.DataFrame,
    covariates: pd.DataFrame | None = None,
    methods: Sequence[str] = METHODS,
) -> LayerChecks:
    """Examine a layer; nothing is changed or removed.

    Parameters
    ----------
    layer
        Name of the layer.
    tables
        From :func:`omicsfusion.tables.cohort_table.open_tables`.
    samples
        The clean ``samples.tsv``: ``sample, patient, cohort, role`` and, where the run names
        batches, ``batch`` (text).
    covariates
        ``covariates.tsv``, in which the sex of the samples may stand.
    methods
        Of ``METHODS``: which pictures to make, ``harmony`` only where the run names batches. The
        distance in the principal components is measured in any case.
    """
    if tables[0].header.kind == CLINICAL:
        return _clinical_checks(layer, tables, samples)
    signs = scale_signs([table.path for table in tables])
    logarithm = _takes_logarithm(tables, signs)
    of_features = {table.header.cohort: measure_features(table, logarithm) for table in tables}
    of_samples = {table.header.cohort: measure_samples(table, logarithm) for table in tables}
    components = principal_components(
        tables, most_variable(tables, of_features, MOST_FEATURES), logarithm
    )
    points, embedding_summary = embed(layer, tables, components, methods, _batches(samples))
    sexes = {table.header.cohort: call_sex(table, logarithm) for table in tables}
    table = pd.concat(of_samples.values())
    table["pc_distance"] = _pc_distance(tables, components)
    given = given_sex(covariates) if covariates is not None else {}
    judged = _sample_table(layer, table, samples, sexes, given)
    rows = [*_sign_rows(layer, signs), *_sample_rows(layer, judged, sexes)]
    return LayerChecks(
        samples=_rounded(judged),
        features=_rounded(histograms(layer, of_features)),
        distributions=_rounded(
            pd.concat(
                [distributions(layer, cohort, found) for cohort, found in of_samples.items()],
                ignore_index=True,
            ).sort_values("sample", ignore_index=True)
        ),
        embedding=points,
        embedding_summary=_rounded(embedding_summary),
        summary=_rounded(pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS))),
    )


def _clinical_checks(
    layer: str, tables: Sequence[CohortTable], samples: pd.DataFrame
) -> LayerChecks:
    """Of covariates only what is missing: their codes have no mean."""
    of_features = {table.header.cohort: measure_features(table, False) for table in tables}
    features = histograms(layer, of_features)
    table = pd.concat([measure_samples(table, False) for table in tables])
    table["pc_distance"] = np.nan
    nothing: dict[str, SexCalls | None] = {table.header.cohort: None for table in tables}
    judged = _sample_table(layer, table, samples, nothing, {})
    return LayerChecks(
        samples=_rounded(judged),
        features=_rounded(features[features["measure"] == "missing"]),
        distributions=pd.DataFrame(columns=list(DISTRIBUTION_COLUMNS)),
        embedding=pd.DataFrame(columns=list(EMBEDDING_COLUMNS)),
        embedding_summary=pd.DataFrame(columns=list(EMBEDDING_SUMMARY_COLUMNS)),
        summary=_rounded(
            pd.DataFrame(_sample_rows(layer, judged, nothing), columns=list(SUMMARY_COLUMNS))
        ),
    )


def _batches(samples: pd.DataFrame) -> dict[str, str]:
    """Return sample -> batch, of the samples that have one."""
    labels = labels_of(samples.get("batch"), len(samples))
    return {name: label for name, label in zip(samples["sample"], labels, strict=True) if label}


def _takes_logarithm(tables: Sequence[CohortTable], signs: Sequence[ScaleSigns]) -> bool:
    training = {table.header.cohort for table in tables if table.is_training}
    own = [sign for sign in signs if sign.cohort in training]
    lowest = np.fmin.reduce([np.nan, *(sign.lowest for sign in own)])
    highest = np.fmax.reduce([np.nan, *(sign.highest for sign in own)])
    return takes_logarithm(tables[0].header.kind, float(lowest), float(highest))


def _pc_distance(tables: Sequence[CohortTable], components: Components) -> pd.Series:
    """Return the distance of each sample (index) from the middle; NaN without components."""
    found: dict[str, float] = {}
    for training, far in zip((True, False), distances(components), strict=True):
        names = [sample for sample, _ in people_of(tables, training)]
        found.update(zip(names, far.tolist() or [np.nan] * len(names), strict=True))
    return pd.Series(found, dtype=np.float64)


def _sample_table(
    layer: str,
    measures: pd.DataFrame,
    samples: pd.DataFrame,
    sexes: dict[str, SexCalls | None],
    given: dict[str, str],
) -> pd.DataFrame:
    """Return ``SAMPLE_COLUMNS``, one row per used sample, sorted by id."""
    table = measures.sort_index()
    known = samples.set_index("sample")
    for name in ("cohort", "patient", "role"):
        table[name] = table.index.map(known[name])
    reasons = judge_samples(table, (table["role"] == "train").to_numpy())
    called: dict[str, str] = {}
    for calls in sexes.values():
        called.update(calls.called if calls else {})
    of_sex = [_sex_columns(called.get(name, ""), given.get(name, "")) for name in table.index]
    table[["sex_called", "sex_given", "sex_agrees"]] = (
        of_sex if of_sex else np.empty((0, 3), dtype=object)
    )
    return table.assign(
        layer=layer,
        sample=table.index,
        outlier=np.where(reasons == "", "no", "yes"),
        reasons=reasons,
    ).reset_index(drop=True)[list(SAMPLE_COLUMNS)]


def _sex_columns(called: str, given: str) -> tuple[str, str, str]:
    """Return what was called and given, and whether they agree; empty where one is not known."""
    if not called or not given:
        return called, given, ""
    return called, given, "yes" if called == given else "no"


SummaryRow = tuple[str, str, str, float, str]


def _sign_rows(layer: str, signs: Sequence[ScaleSigns]) -> Iterator[SummaryRow]:
    for of_cohort in signs:
        for sign in of_cohort.signs():
            yield layer, of_cohort.cohort, sign.name, sign.value, sign.note


def _sample_rows(
    layer: str, judged: pd.DataFrame, sexes: dict[str, SexCalls | None]
) -> Iterator[SummaryRow]:
    for cohort, calls in sorted(sexes.items()):
        own = judged[judged["cohort"] == cohort]
        yield layer, cohort, "used_samples", len(own), ""
        yield layer, cohort, "outliers", int((own["outlier"] == "yes").sum()), ""
        if calls is not None:
            yield layer, cohort, "sex_called", int((own["sex_called"] != "").sum()), calls.note
            wrong = own.loc[own["sex_agrees"] == "no", "sample"]
            named = ", ".join(wrong[:5]) + (" …" if len(wrong) > 5 else "")
            note = f"not the sex that was given: {named}" if len(wrong) else ""
            yield layer, cohort, "sex_disagrees", len(wrong), note


def _rounded(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the digits that do not hang on the order in which a machine adds."""
    table = table.copy()
    for name in table.columns[table.dtypes == np.float64]:
        values = table[name].to_numpy()
        table[name] = [float(f"{value:.{SIGNIFICANT}g}") for value in values]
    return table
