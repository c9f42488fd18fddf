"""A run that requires a GPU ends at its start where there is none; one that allows it says so."""

from pathlib import Path

import pytest

from tests.pipeline.engine import run
from tests.pipeline.test_stub import STATIONS

pytestmark = pytest.mark.engine

SELFTEST = ("-profile", "gpu,selftest")


@pytest.fixture(autouse=True)
def _no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")


def test_the_self_test_fails_with_a_sentence_where_a_required_gpu_is_not(tmp_path: Path) -> None:
    done = run(tmp_path, *SELFTEST, parser="v1")
    assert done.code == 1
    assert done.submitted == ["SELFTEST"]
    assert "--gpu required: TensorFlow 2." in done.text
    assert "looked for a GPU and found only the CPU" in done.text
    assert "or let the run go on with the CPU: --gpu allowed." in done.text


def test_the_self_test_says_cpu_where_it_is_allowed(tmp_path: Path) -> None:
    done = run(tmp_path, *SELFTEST, "--gpu", "allowed", parser="v2")
    assert done.code == 0, done.text
    assert done.submitted == ["SELFTEST"]
    assert "sees no GPU and computes on the CPU" in done.text
    assert "Report:" not in done.text


def test_a_whole_run_that_requires_a_gpu_ends_before_it_trains(tmp_path: Path) -> None:
    done = run(tmp_path, "-profile", "test,gpu", parser="v2")
    assert done.code == 1
    assert "looked for a GPU and found only the CPU" in done.text
    assert "SELFTEST" in done.submitted
    assert "TRAIN" not in done.submitted


def test_networks_ask_for_the_gpu_that_the_run_asks_for(tmp_path: Path) -> None:
    done = run(tmp_path, "-profile", "test,gpu", "--gpu", "allowed", "-stub-run", parser="v1")
    assert done.code == 0, done.text
    assert set(done.submitted) == {*STATIONS, "SELFTEST"}
    assert "A stub computes on nothing." in done.text


@pytest.mark.parametrize(
    ("engine", "parser", "option"),
    [("docker", "v1", "--gpus all"), ("singularity", "v2", "--nv")],
)
def test_containers_are_shown_the_gpu(
    tmp_path: Path, engine: str, parser: str, option: str
) -> None:
    # The engine may be lacking; what it would have been told is written before it is called.
    run(tmp_path, "-profile", f"{engine},gpu,selftest", parser=parser)
    (script,) = (tmp_path / "work").glob("*/*/.command.run")
    (started,) = (
        line
        for line in script.read_text().splitlines()
        if f"{engine} run" in line or f"{engine} exec" in line
    )
    assert option in started


def test_an_unknown_wish_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path, "--step", "selftest", "--gpu", "require", parser="v2")
    assert done.code == 1
    assert "--gpu require: Did you mean 'required'? Choose none, allowed or required." in done.text
    assert done.submitted == []
