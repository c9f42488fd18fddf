"""The house has one direction: later stations import earlier ones, never the other way round."""

import ast
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parents[2] / "bin" / "omicsfusion"

# What each room may import from, besides itself; docs/architecture.md says the same in words.
# Files of the root that are no room (seeds, scopes, folds and the like) stand for themselves.
GROUND = {"", "seeds"}
SPLITTING = GROUND | {"tables", "scopes", "splits", "folds", "outer_tests", "pretraining"}
MAY_IMPORT = {
    "": set(),
    "seeds": {""},
    "tables": GROUND,
    "scopes": GROUND | {"tables"},
    "folds": SPLITTING,
    "outer_tests": SPLITTING,
    "pretraining": GROUND | {"tables", "scopes"},
    "splits": SPLITTING,
    "learning_splits": SPLITTING,
    "negative_control": SPLITTING,
    "look_ahead": SPLITTING | {"recipes", "preprocess"},
    "recipes": GROUND | {"tables"},
    "preprocess": SPLITTING | {"recipes"},
    "qc": GROUND | {"tables", "scopes", "preprocess"},
    "concordance": GROUND | {"tables", "scopes"},
    "guard": SPLITTING | {"preprocess", "qc"},
    "models": SPLITTING | {"preprocess"},
    "assess": GROUND | {"tables", "scopes"},
    "interpret": SPLITTING | {"preprocess", "models"},
    "report": {"", "tables"},
}
MODULES = sorted(LIBRARY.rglob("*.py"))


def room_of(dotted: str) -> str:
    parts = dotted.split(".")
    return parts[1] if len(parts) > 1 else ""


def imports_of(path: Path) -> set[str]:
    """Return the dotted names of the library's modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
    return {name for name in found if name.split(".")[0] == "omicsfusion"}


def dotted_name(path: Path) -> str:
    relative = path.relative_to(LIBRARY.parent).with_suffix("")
    return ".".join(part for part in relative.parts if part != "__init__")


@pytest.mark.parametrize("path", MODULES, ids=dotted_name)
def test_imports_point_from_later_stations_to_earlier_ones(path: Path) -> None:
    here = room_of(dotted_name(path))
    there = {room_of(name) for name in imports_of(path)}
    assert there <= MAY_IMPORT[here] | {here}


@pytest.mark.parametrize("path", MODULES, ids=dotted_name)
def test_imports_name_modules_so_that_the_engine_finds_their_files(path: Path) -> None:
    for name in imports_of(path):
        module = LIBRARY.parent.joinpath(*name.split(".")).with_suffix(".py")
        assert module.is_file() or name == "omicsfusion", f"{path} imports {name}: name the file"


def test_tensorflow_is_imported_only_by_the_processes_that_need_it() -> None:
    heavy = {"tensorflow", "jax", "keras"}
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {a.name.split(".")[0] for n in top if isinstance(n, ast.Import) for a in n.names}
        names |= {n.module.split(".")[0] for n in top if isinstance(n, ast.ImportFrom)}
        if names & heavy:
            assert room_of(dotted_name(path)) in {"models", "interpret"}, path


def test_no_file_is_a_drawer_for_odds_and_ends() -> None:
    drawers = {"utils", "util", "helpers", "common", "misc"}
    assert [path for path in MODULES if path.stem in drawers] == []
