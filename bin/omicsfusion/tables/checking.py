"""CHECK_INPUT: bind all checks of the inputs, and say what will run.

A pure function from the inputs to tables and problems: nothing is written here, nothing stops at
the first mistake.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from omicsfusion.tables.accounting import PRETRAINING, WHERE, account
from omicsfusion.tables.check_tables import (
    clean_samples,
    covariates_table,
    layers_table,
    seen_samples,
)
from omicsfusion.tables.class_order import check_class_order
from omicsfusion.tables.cohorts import find_members
from omicsfusion.tables.covariates import check_covariates
from omicsfusion.tables.designs import check_batch, check_group, check_split
from omicsfusion.tables.findings import Findings, Request
from omicsfusion.tables.layer_ids import check_seg, find_layers
from omicsfusion.tables.layer_sizes import check_layer_sizes
from omicsfusion.tables.outcome import NO_TASK
from omicsfusion.tables.outcome_check import CheckedOutcome
from omicsfusion.tables.plan import Plan
from omicsfusion.tables.planning import make_plan
from omicsfusion.tables.problems import Problems
from omicsfusion.tables.reading import read_ids
from omicsfusion.tables.samples import SampleTable, read_sample_table
from omicsfusion.tables.samplesheet import CLINICAL, TRAIN, SheetRow, read_samplesheet
from omicsfusion.tables.targets_check import check_targets
from omicsfusion.tables.unreadable import UnreadableTableError

# Why a sample is not used when errors kept the checks from coming to its case.
UNSETTLED = "the inputs have errors"


@dataclass
class Checked:
    """What CHECK_INPUT writes; see docs/architecture.md for the columns of the tables.

    Attributes
    ----------
    covariates
        None when none were asked for.
    """

    layers: pd.DataFrame
    samples: pd.DataFrame
    covariates: pd.DataFrame | None
    accounting: pd.DataFrame
    plan: Plan
    problems: Problems


def check(request: Request) -> Checked:
    """Check all inputs and plan the run."""
    found = Findings(request, Problems())
    found.sheet, notes = read_samplesheet(request.sheet, found.problems, request.tables)
    found.notes += notes
    samples = read_sample_table(request.samples, found.problems)
    if samples is None:
        _check_readable(found.sheet, found.problems)
        return _finish(found, None, None, None, None)
    found.notes += samples.notes
    found.layers = find_layers(found.sheet, samples, found.problems)
    found.notes += [note for layer in found.layers for note in layer.notes]
    _check_layers(found)
    found.roles = {row.cohort: row.role for row in found.sheet}
    candidates = _candidates(found, samples)
    outcome = check_targets(
        samples, candidates, request.task, request.targets, request.folds, found.problems
    )
    if outcome is not None:
        check_class_order(request, outcome, candidates, found.problems)
    left_out = outcome.left_out if outcome is not None else {}
    used = candidates.index.drop(list(left_out))
    found.members.left_out.update(left_out)
    check_layer_sizes(found.layers, set(used[candidates[used] == TRAIN]), found.problems)
    design = _design_columns(found, samples, candidates, used)
    covariates = _covariates(found, samples, used, outcome)
    return _finish(found, samples, outcome, design, covariates)


def _check_readable(sheet: Sequence[SheetRow], problems: Problems) -> None:
    """Without samples.tsv, say at least which tables cannot be read."""
    for row in sheet:
        try:
            check_seg(row, read_ids(row.path, row.file), problems)
        except UnreadableTableError as error:
            problems.error(error.problem, error.cure, file=row.file, row=error.row)


def _check_layers(found: Findings) -> None:
    sheet, request = found.sheet, found.request
    name = request.sheet.name
    if sheet and all(row.kind == CLINICAL for row in sheet):
        found.problems.error(
            "All layers are clinical.", "Add at least one omics layer to fuse.", file=name
        )
    if request.covariates and any(row.layer == CLINICAL for row in sheet):
        found.problems.error(
            "There is a layer 'clinical' in the samplesheet, and --covariates makes another.",
            "Use one of the two, or give the layer another name.",
            file=name,
        )
    external_only = {row.layer for row in sheet} - {row.layer for row in sheet if row.role == TRAIN}
    if external_only and any(row.role == TRAIN for row in sheet):
        found.problems.error(
            f"No training cohort has the layer {', '.join(sorted(external_only))}.",
            "A layer that nothing is trained on cannot be used: leave it out, or give it the same "
            "name in both cohorts.",
            file=name,
        )


def _candidates(found: Findings, samples: SampleTable) -> pd.Series:
    """Return the role of each sample that can be used as far as its tables go.

    When some layer could not be read, nothing can be said about who has which layers, and all
    samples count, so that the outcome is checked all the same.
    """
    cohorts = sorted({row.cohort for row in found.sheet})
    if found.problems.errors:
        everyone = samples.table.index
        if samples.has("cohort"):
            stated = samples.table["cohort"]
            return stated.map(lambda cohort: found.roles.get(cohort, TRAIN)).astype(object)
        held = {sample: layer.role for layer in found.layers for sample in layer.samples}
        return pd.Series(
            [held.get(sample, TRAIN) for sample in everyone], index=everyone, dtype=object
        )
    found.members = find_members(samples, found.layers, cohorts, found.problems)
    used = [
        sample
        for sample in samples.table.index
        if sample not in found.members.left_out and sample in found.members.cohort
    ]
    index = pd.Index(used, dtype=object, name="sample")
    return pd.Series(
        [found.roles[found.members.cohort[sample]] for sample in used], index=index, dtype=object
    )


def _design_columns(
    found: Findings, samples: SampleTable, candidates: pd.Series, used: pd.Index
) -> pd.DataFrame:
    request, problems = found.request, found.problems
    training = used[(candidates[used] == TRAIN).to_numpy()]
    group = check_group(samples, used, request.group, problems)
    batch = check_batch(samples, used, request.batch, problems)
    split = check_split(samples, used, training, request.split, group, problems)
    n_groups = group[training].nunique()
    if request.task != NO_TASK and request.split == "kfold" and n_groups < request.folds:
        problems.error(
            f"{n_groups} patients (or groups) with an outcome are left for {request.folds} folds.",
            "Each fold needs at least one: use fewer --folds, or more samples.",
            file=samples.name,
        )
    return pd.DataFrame({"role": candidates[used], "group": group, "batch": batch, "split": split})


def _covariates(
    found: Findings, samples: SampleTable, used: pd.Index, outcome: CheckedOutcome | None
) -> pd.DataFrame | None:
    request = found.request
    if not request.covariates:
        return None
    ends = ("_time", "_event") if request.task == "survival" else ("",)
    names = [f"{target}{end}" for target in request.targets for end in ends]
    return check_covariates(
        samples,
        used,
        request.covariates,
        outcome.table if outcome is not None and request.task != NO_TASK else None,
        names,
        found.problems,
    )


def _finish(
    found: Findings,
    samples: SampleTable | None,
    outcome: CheckedOutcome | None,
    design: pd.DataFrame | None,
    covariates: pd.DataFrame | None,
) -> Checked:
    problems = as_errors(found.problems) if found.request.strict else found.problems
    has_clinical = covariates is not None
    clean = clean_samples(found, samples, outcome, design, has_clinical)
    seen = seen_samples(found, samples, has_clinical)
    unsettled = set(seen) - set(clean["sample"])
    left_out = dict.fromkeys(unsettled, UNSETTLED) | found.members.left_out
    purpose = PRETRAINING if found.request.task == NO_TASK else WHERE["train"]
    return Checked(
        layers=layers_table(found, has_clinical),
        samples=clean,
        covariates=covariates_table(found, clean, covariates),
        accounting=account(seen, left_out, purpose),
        plan=make_plan(found, clean, covariates),
        problems=problems,
    )


def as_errors(problems: Problems) -> Problems:
    """Return the problems with every warning made an error (``--strict``)."""
    return Problems([replace(problem, severity="error") for problem in problems.found])
