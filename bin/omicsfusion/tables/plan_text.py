"""The plan for people: ``plan.txt``."""

import math
from collections.abc import Mapping, Sequence

from omicsfusion.tables.outcome import NO_TASK
from omicsfusion.tables.plan import Design, LayerCount, Plan, Step


def plan_text(plan: Plan) -> str:
    """Return what ``plan.txt`` holds."""
    parts = [
        f"Plan: {_aim(plan.design)}",
        _paragraph("Samples", [_samples_line(plan.design, plan.samples), *plan.outcome]),
        _paragraph("Layers", _layer_lines(plan.layers)),
        _paragraph("Which samples have which layers", _pattern_lines(plan.patterns)),
        _paragraph("Notes", [f"- {note}" for note in plan.notes]),
        _paragraph("Sample size", [f"- {line}" for line in plan.advice]),
        _paragraph("Tasks", _step_lines(plan.design, plan.steps())),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _aim(design: Design) -> str:
    if design.task == NO_TASK:
        return "encoders pretrained without an outcome"
    return f"{design.task} of {design.target}"


def _paragraph(title: str, lines: Sequence[str]) -> str:
    return "\n".join([title, *(f"  {line}" for line in lines)]) if lines else ""


def _samples_line(design: Design, samples: Mapping[str, int]) -> str:
    purpose = "pretraining" if design.task == NO_TASK else "cross-validation"
    external = f", {samples['external']} external" if samples.get("external") else ""
    return (
        f"{samples.get('used', 0)} samples are used ({samples.get('train', 0)} for "
        f"{purpose}{external}), {samples.get('left_out', 0)} are left out."
    )


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Align rows of cells: the first column to the left, numbers to the right."""
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    return [
        "  ".join(
            cell.rjust(width) if _is_figure(cell, index, rows) else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _is_figure(cell: str, index: int, rows: Sequence[Sequence[str]]) -> bool:
    return rows[-1][index][:1].isdigit()


def _layer_lines(layers: Sequence[LayerCount]) -> list[str]:
    if not layers:
        return []
    rows = [["layer", "kind", "cohort", "role", "samples", "features"]]
    rows += [
        [
            layer.layer,
            layer.kind,
            layer.cohort,
            layer.role,
            f"{layer.n_samples:,}",
            f"{layer.n_features:,}",
        ]
        for layer in layers
    ]
    return _columns(rows)


def _pattern_lines(patterns: Mapping[str, int]) -> list[str]:
    rows = [[pattern, f"{count:,}"] for pattern, count in patterns.items()]
    return _columns(rows) if rows else []


def _step_lines(design: Design, steps: Sequence[Step]) -> list[str]:
    rows = [["process", "tasks", "fits", "time", "memory"]]
    for step in steps:
        rows.append(
            [
                step.process,
                f"{step.tasks:,}",
                f"{step.fits:,}",
                _duration(step.seconds),
                f"{step.memory_gb:.1f} GB",
            ]
        )
    rows.append(
        [
            "all",
            f"{sum(step.tasks for step in steps):,}",
            f"{sum(step.fits for step in steps):,}",
            _duration(sum(step.seconds for step in steps)),
            f"{max(step.memory_gb for step in steps):.1f} GB",
        ]
    )
    lines = _columns(rows)
    return [
        _sets_line(design),
        *lines,
        "Times are of one core, rough, and added up; tasks run side by side where cores allow.",
    ]


def _sets_line(design: Design) -> str:
    if design.task == NO_TASK:
        return "One training set of all samples, of which a tenth tells when to stop."
    return (
        f"{design.n_outer} outer folds ({design.split}, {design.folds} folds x {design.repeats} "
        f"repeats), {design.inner_folds} inner folds each, {design.n_groups} group(s) of scopes."
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{math.ceil(seconds)} s"
    return f"{math.ceil(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
