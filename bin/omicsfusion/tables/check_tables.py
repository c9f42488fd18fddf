"""The tables that CHECK_INPUT writes, made of what its checks have found."""

import pandas as pd

from omicsfusion.tables.accounting import Seen
from omicsfusion.tables.findings import Findings
from omicsfusion.tables.outcome import outcome_columns
from omicsfusion.tables.outcome_check import CheckedOutcome
from omicsfusion.tables.samples import SampleTable
from omicsfusion.tables.samplesheet import CLINICAL, SAMPLES

LAYER_COLUMNS = ("cohort", "layer", "kind", "role", "rows", "sources", "samples")
COVARIATES = "covariates"


def layers_table(found: Findings, has_clinical: bool) -> pd.DataFrame:
    """Return ``layers.tsv``: one row per cohort and layer, sorted."""
    rows = [
        (
            layer.cohort,
            layer.layer,
            layer.kind,
            layer.role,
            layer.rows,
            ";".join(layer.sources),
            ";".join(layer.source_samples),
        )
        for layer in found.layers
    ]
    if has_clinical:
        rows += [
            (cohort, CLINICAL, CLINICAL, role, SAMPLES, COVARIATES, "")
            for cohort, role in found.roles.items()
        ]
    return pd.DataFrame(sorted(rows), columns=list(LAYER_COLUMNS))


def _layers_of(found: Findings, sample: str, has_clinical: bool) -> list[str]:
    layers = set(found.members.layers.get(sample, ()))
    return sorted(layers | {CLINICAL} if has_clinical else layers)


def clean_samples(
    found: Findings,
    samples: SampleTable | None,
    outcome: CheckedOutcome | None,
    design: pd.DataFrame | None,
    has_clinical: bool,
) -> pd.DataFrame:
    """Return ``samples.tsv``: the samples that are used, sorted; none when that is not known."""
    _, *further = found.request.targets or ("",)
    task = found.request.task
    truth = [column for name in ("", *further) for column in outcome_columns(task, name).values()]
    columns = ["sample", "patient", "cohort", "role", "group", "batch", "split", *truth, "layers"]
    if samples is None or outcome is None or design is None or not found.members.cohort:
        return pd.DataFrame(columns=columns)
    table = design.join(outcome.table).rename_axis(index=None)
    table["sample"] = table.index
    table["patient"] = samples.patients[table.index]
    table["cohort"] = [found.members.cohort[sample] for sample in table.index]
    table["layers"] = [";".join(_layers_of(found, sample, has_clinical)) for sample in table.index]
    return table[columns].sort_values("sample", ignore_index=True)


def covariates_table(
    found: Findings, clean: pd.DataFrame, covariates: pd.DataFrame | None
) -> pd.DataFrame | None:
    """Return ``covariates.tsv``: sample, cohort, covariates; None when none were asked for."""
    if not found.request.covariates:
        return None
    if covariates is None:
        covariates = pd.DataFrame(index=pd.Index([], dtype=object))
    table = clean[["sample", "cohort"]].set_index("sample").join(covariates)
    return table.reset_index()


def seen_samples(
    found: Findings, samples: SampleTable | None, has_clinical: bool
) -> dict[str, Seen]:
    """Return what is known of every sample that is seen anywhere."""
    listed = set() if samples is None else set(samples.table.index)
    held = {sample for layer in found.layers for sample in layer.samples}
    patients = {} if samples is None else samples.patients.to_dict()
    seen = {}
    for sample in listed | held:
        cohort = found.members.cohort.get(sample, "")
        seen[sample] = Seen(
            patient=patients.get(sample, ""),
            cohort=cohort,
            layers=tuple(_layers_of(found, sample, has_clinical and sample in listed)),
            role=found.roles.get(cohort, ""),
        )
    return seen
