"""The verdict of another run of the same cohort, which left whole sites out."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SCHEMA_VERSION = 1
SITES_OUT = "leave_out:"


class OtherRunError(ValueError):
    """The file is not what a verdict can be held against; the message says why."""


def read_verdict(path: str | Path) -> dict[str, Any]:
    """Read the ``verdict.json`` of another run.

    Raises
    ------
    OtherRunError
        It is no such file, or of another version, or its run left no sites out.
    """
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        record = None
    if not isinstance(record, dict) or record.get("schema_version") != SCHEMA_VERSION:
        raise OtherRunError(f"{Path(path).name} is no verdict.json of this version.")
    if not str(record.get("split")).startswith(SITES_OUT):
        raise OtherRunError(
            f"{Path(path).name} is of a run with --split {record.get('split')}. Give that of a run "
            f"with --split {SITES_OUT}COLUMN."
        )
    return record


def differences_there(
    record: Mapping[str, Any] | None, target: str, network: str | None, metric: str
) -> dict[str, float]:
    """Return question -> difference of a target in the other run; empty where it has none.

    Raises
    ------
    OtherRunError
        The other run judged another network or by another metric.
    """
    targets = record["targets"] if record else []
    there = [found for found in targets if found["target"] == target]
    for found in there:
        if (found["network"], found["metric"]) != (network, metric):
            raise OtherRunError(
                f"it judges {found['network']} by {found['metric']} for {target}, and this run "
                f"{network} by {metric}. Train the same models in both runs."
            )
    return {
        question["question"]: question["difference"]
        for found in there
        for question in found["questions"]
        if question["difference"] is not None
    }
