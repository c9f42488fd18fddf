"""The environment is stated once, in pyproject.toml; locks and conda file follow from it."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
LOCKS = ["requirements.lock", "requirements-dev.lock"]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def entries(lock: str) -> list[str]:
    """Each package's part of a lock: its pin and the lines that belong to it."""
    return [part for part in re.split(r"^(?=[A-Za-z0-9])", read(lock), flags=re.MULTILINE) if part]


def pins(lock: str) -> list[Requirement]:
    return [Requirement(entry.split("\\\n")[0].split("#")[0].strip()) for entry in entries(lock)]


def ranges(*, dev: bool) -> list[Requirement]:
    project = tomllib.loads(read("pyproject.toml"))
    wanted = list(project["project"]["dependencies"])
    if dev:
        wanted += project["dependency-groups"]["dev"]
    return [Requirement(text) for text in wanted]


def version(pin: Requirement) -> str:
    return next(iter(pin.specifier)).version


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_every_package_with_hashes(lock):
    assert len(entries(lock)) > 50
    loose = [entry for entry in entries(lock) if "==" not in entry or "--hash=sha256:" not in entry]
    assert loose == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_index(lock):
    assert not re.search(r"https?:|--(extra-)?index-url|--find-links|@ ", read(lock))


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_satisfies_every_range_of_pyproject(lock):
    locked = {pin.name: pin for pin in pins(lock)}
    for wanted in ranges(dev=lock == "requirements-dev.lock"):
        name = wanted.name.lower()
        assert name in locked, f"{wanted} is not locked; run make lock"
        assert wanted.specifier.contains(version(locked[name])), f"{wanted}; run make lock"


def test_the_test_tools_come_on_top_of_the_same_versions():
    dev = {str(pin) for pin in pins("requirements-dev.lock")}
    assert {str(pin) for pin in pins("requirements.lock")} <= dev


def test_conda_gets_the_versions_of_the_lock():
    dependencies = yaml.safe_load(read("conda/environment.yml"))["dependencies"]
    (pip,) = [part["pip"] for part in dependencies if isinstance(part, dict)]
    assert {str(Requirement(text)) for text in pip} == {
        str(pin) for pin in pins("requirements.lock")
    }


def test_the_container_is_built_from_the_locks_with_hashes():
    containerfile = read("Containerfile")
    assert containerfile.count("--require-hashes") == 2
    assert "requirements.lock" in containerfile
    kept = [line[1:] for line in read(".dockerignore").splitlines() if line.startswith("!")]
    assert all((ROOT / name).is_file() and name in containerfile for name in kept)
