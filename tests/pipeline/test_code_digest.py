"""The digest of a process covers exactly the files that its script can import."""

import ast
import json
from pathlib import Path

import pytest

from tests.pipeline.engine import ROOT, copy_of_project, run

pytestmark = pytest.mark.engine

# Files whose text names the modules that are imported by it.
NAMING = ("trainers.py", "network_modules.py")
PRINT_FILES = """
include { codeFiles } from './subworkflows/local/provenance/main'
workflow {
    println('FILES ' + groovy.json.JsonOutput.toJson(
        file("${projectDir}/bin").listFiles().findAll { f -> f.name.endsWith('.py') }
            .collectEntries { f -> [(f.name): codeFiles(f.name)] }))
}
"""


def imported_files(script: str) -> set[str]:
    """Follow the imports of a script through the library, without running it."""
    known: set[str] = set()
    frontier = [script]
    while frontier:
        name = frontier.pop()
        if name in known:
            continue
        known.add(name)
        frontier += [file for dotted in names_in(ROOT / "bin" / name) for file in files(dotted)]
    return known


def names_in(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Constant) and path.name in NAMING:
            found.add(str(node.value))  # the modules that it imports by name
    return {name for name in found if name.split(".")[0] == "omicsfusion"}


def files(dotted: str) -> list[str]:
    parts = dotted.split(".")
    stems = ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
    candidates = [f"{stem}{end}" for stem in stems for end in ("/__init__.py", ".py")]
    if len(parts) > 2:  # a folder within a room stands for all of its modules
        folder = ROOT / "bin" / stems[-1]
        candidates += [f"{stems[-1]}/{path.name}" for path in folder.glob("*.py")]
    return [name for name in candidates if (ROOT / "bin" / name).is_file()]


def test_a_process_is_keyed_by_the_files_that_it_imports(tmp_path: Path) -> None:
    project = copy_of_project(tmp_path / "project")
    (project / "main.nf").write_text(PRINT_FILES)
    done = run(tmp_path, project=project)
    line = next(line for line in done.text.splitlines() if line.startswith("FILES "))
    listed = json.loads(line.removeprefix("FILES "))
    scripts = {path.name for path in (ROOT / "bin").glob("*.py")}
    assert listed.keys() == scripts
    for script in sorted(scripts):
        python = {name for name in listed[script] if name.endswith(".py")}
        assert python == imported_files(script), script
    assert "omicsfusion/models/baselines/forest.py" in listed["train.py"]
    assert any(name.endswith("registry.json") for name in listed["train.py"])
    assert any(name.endswith(".j2") for name in listed["report.py"])
