"""Which cohort a sample is of, which layers it has, and what that means for it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from omicsfusion.tables.ids import other_spellings, shown
from omicsfusion.tables.layer_ids import LayerIds
from omicsfusion.tables.problems import Problems
from omicsfusion.tables.samples import SampleTable
from omicsfusion.tables.samplesheet import CLINICAL

NOT_LISTED = "not in samples.tsv"
NO_OMICS = "has no omics layer"


@dataclass
class Membership:
    """Where every sample belongs.

    Attributes
    ----------
    cohort
        Sample -> cohort; samples whose cohort is not known are missing here.
    layers
        Sample -> sorted names of its layers.
    left_out
        Sample -> why it is not used.
    """

    cohort: dict[str, str] = field(default_factory=dict)
    layers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def find_members(
    samples: SampleTable, layers: Sequence[LayerIds], cohorts: Sequence[str], problems: Problems
) -> Membership:
    """Join the tables' samples with samples.tsv.

    Parameters
    ----------
    samples
        The samples of samples.tsv.
    layers
        The layers that could be read.
    cohorts
        All cohorts of the samplesheet.
    """
    members = Membership()
    holders: dict[str, list[LayerIds]] = {}
    for layer in layers:
        _check_spellings(layer, samples, problems)
        for sample in layer.samples:
            holders.setdefault(sample, []).append(layer)
    for sample in sorted({*holders, *samples.table.index}):
        members.layers[sample] = tuple(sorted({layer.layer for layer in holders.get(sample, [])}))
        _settle(sample, samples, holders.get(sample, []), cohorts, members, problems)
    _warn(members, samples, problems)
    return members


def _settle(
    sample: str,
    samples: SampleTable,
    holders: Sequence[LayerIds],
    cohorts: Sequence[str],
    members: Membership,
    problems: Problems,
) -> None:
    found = sorted({layer.cohort for layer in holders})
    listed = sample in samples.table.index
    stated = samples.cohort(sample) if listed else ""
    if stated and stated not in cohorts:
        members.cohort[sample] = stated
        members.left_out[sample] = f"cohort {stated} has no table in the samplesheet"
        return
    if listed and not stated and len(found) > 1:
        problems.error(
            f"Sample {sample} is in tables of several cohorts: {', '.join(found)}.",
            "Say in a column 'cohort' of samples.tsv which it is of; ids of different cohorts "
            "must differ.",
            file=samples.name,
            row=samples.line(sample),
        )
    elif stated and [cohort for cohort in found if cohort != stated]:
        problems.error(
            f"Sample {sample} is of cohort {stated!r} here, of {', '.join(found)} in the tables.",
            "Ids of different cohorts must differ.",
            file=samples.name,
            row=samples.line(sample),
            column="cohort",
        )
    cohort = stated or (found[0] if found else "")
    if cohort:
        members.cohort[sample] = cohort
    if not listed:
        members.left_out[sample] = NOT_LISTED
    elif all(layer.kind == CLINICAL for layer in holders):
        members.left_out[sample] = NO_OMICS


def _check_spellings(layer: LayerIds, samples: SampleTable, problems: Problems) -> None:
    """Stop at samples that are most probably in both places, under two spellings."""
    listed = set(samples.table.index)
    strange = [sample for sample in layer.samples if sample not in listed]
    meant = other_spellings(strange, listed - set(layer.samples))
    if meant:
        pairs = [f"{text} here, {other} in {samples.name}" for text, (other, _) in meant.items()]
        how = ", ".join(sorted({how for _, how in meant.values()}))
        problems.error(
            f"{len(meant)} samples are written in two ways, which differ in {how}: {shown(pairs)}.",
            "Write an id in one way everywhere. Spreadsheets drop leading zeros: read ids as text.",
            file=layer.name,
        )


def _warn(members: Membership, samples: SampleTable, problems: Problems) -> None:
    by_reason: dict[str, list[str]] = {}
    for sample, reason in sorted(members.left_out.items()):
        by_reason.setdefault(reason, []).append(sample)
    for reason, lost in sorted(by_reason.items()):
        if reason == NOT_LISTED:
            problems.warn(
                f"{len(lost)} samples of the tables are not in {samples.name} and are left out: "
                f"{shown(lost)}.",
                "The accounting lists them all.",
            )
        elif reason == NO_OMICS:
            problems.warn(
                f"{len(lost)} of {len(samples.table)} samples are in no omics table and are left "
                f"out: {shown(lost)}.",
                "The accounting lists them all.",
                file=samples.name,
            )
        else:
            problems.warn(
                f"{len(lost)} samples are left out because their {reason}: {shown(lost)}.",
                "Add the tables, or correct the column 'cohort'.",
                file=samples.name,
                column="cohort",
            )
