"""Small cohorts, and the runs that several tests look at from different sides."""

from pathlib import Path

import pytest

from tests.pipeline.engine import ROOT, Run, demo_simulation, run

SMALL = ("--folds", 2, "--repeats", 1, "--inner_folds", 2)
CLASSES = ("--task", "classification", "--target", "subtype", "--covariates", "age,sex", *SMALL)


def inputs_in(folder: Path) -> tuple[object, ...]:
    """Return the arguments that name a cohort's two tables."""
    return ("--input", folder / "samplesheet.csv", "--samples", folder / "samples.tsv")


@pytest.fixture(scope="session")
def small_cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cohort of 40 patients with 30 features a layer."""
    folder = tmp_path_factory.mktemp("small_cohort")
    simulation = demo_simulation()
    features = {"rna": 30, "methylation": 30, "protein": 30}
    simulation.write(simulation.simulate(40, features, seed=11), folder)
    return folder


@pytest.fixture(scope="session")
def classified(tmp_path_factory: pytest.TempPathFactory, small_cohort: Path) -> Run:
    """The small cohort, classified under the strict parser."""
    folder = tmp_path_factory.mktemp("classified")
    return run(folder, *inputs_in(small_cohort), *CLASSES, parser="v2")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The demo cohort as `make demo` runs it: survival, every station."""
    return run(tmp_path_factory.mktemp("demo"), "-profile", "test")


@pytest.fixture(scope="session", autouse=True)
def _engine_is_set_up() -> None:
    if not (ROOT / ".tools" / "bin" / "nextflow").exists():
        pytest.fail("the engine is not set up: run `make setup` (or the tests with `make test`)")
