"""Parts of a benchmark in processes of their own, and its table."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any


def run_part(script: str, *values: object, environment: Mapping[str, str] | None = None) -> Any:
    """Run a script with ``--part`` and values; return the JSON of its last line, if it prints."""
    command = [sys.executable, script, "--part", *map(str, values)]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    lines = done.stdout.splitlines()
    return json.loads(lines[-1]) if lines else None


def row_of(found: Mapping[str, object], columns: Sequence[str]) -> str:
    """Return a line of the table: floats with two digits, between tabs."""
    values = (found[column] for column in columns)
    return "\t".join(f"{value:.2f}" if isinstance(value, float) else str(value) for value in values)
