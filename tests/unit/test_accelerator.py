"""What a run hears of GPUs: the sentence of each case, and who asks at all."""

import pytest

from omicsfusion.models import accelerator, backend
from omicsfusion.models.accelerator import (
    ALLOWED,
    NONE,
    REQUIRED,
    Accelerator,
    NoGpuError,
    Sight,
    settle_gpu,
    tried_gpu,
)
from omicsfusion.models.training_task import train_group
from tests.network_cohort import write_cohort

LACKING = Sight("TensorFlow 2.21.0", (), suited=False, driver=False)
SEEN = Sight(
    "JAX 0.10.2", (Accelerator("NVIDIA H200", 139.4), Accelerator("NVIDIA A2")), True, True
)


@pytest.fixture
def seeing(monkeypatch):
    """Return a function that makes every look see the same."""
    return lambda sight: monkeypatch.setattr(accelerator, "look", lambda: sight)


def test_a_required_gpu_that_is_not_there_is_refused_with_what_was_found_and_what_to_do(seeing):
    seeing(LACKING)
    with pytest.raises(NoGpuError) as refused:
        settle_gpu(REQUIRED)
    assert str(refused.value) == (
        "--gpu required: TensorFlow 2.21.0 looked for a GPU and found only the CPU (this build of "
        "it has no support for GPUs; the task sees no NVIDIA device). Give the tasks a build with "
        "GPU support (docs/usage.md, 'On a GPU'), or let the run go on with the CPU: --gpu allowed."
    )


@pytest.mark.parametrize(
    ("driver", "hidden", "telling"),
    [
        (False, None, "Run where there is one"),
        (True, None, "See whether its driver is as new as the CUDA libraries"),
        (True, "", "sees an NVIDIA device; CUDA_VISIBLE_DEVICES is ''"),
    ],
)
def test_the_cure_hangs_on_what_is_lacking(driver, hidden, telling):
    sight = Sight("JAX 0.10.2", (), suited=True, driver=driver, hidden=hidden)
    assert telling in sight.refusal
    assert "this build of it can use GPUs" in sight.refusal


def test_who_allows_the_cpu_is_told_that_it_is_used(seeing, capsys):
    seeing(LACKING)
    settle_gpu(ALLOWED)
    assert capsys.readouterr().out.startswith(
        "TensorFlow 2.21.0 sees no GPU and computes on the CPU (this build of it has no support"
    )


def test_who_requires_a_gpu_is_told_its_name_and_memory(seeing, capsys):
    seeing(SEEN)
    settle_gpu(REQUIRED)
    told = "JAX 0.10.2 sees 2 GPUs: NVIDIA H200 (139 GB), NVIDIA A2.\n"
    assert capsys.readouterr().out == told


def test_who_asks_for_nothing_hears_nothing(seeing, capsys):
    seeing(None)
    settle_gpu(NONE)
    assert capsys.readouterr().out == ""


def test_a_device_that_is_seen_and_does_not_work_is_told_with_its_first_words(seeing, monkeypatch):
    def broken(function):
        def call(*arguments):
            raise RuntimeError("libdevice not found\nat 12 places")

        return call

    seeing(SEEN)
    assert tried_gpu(REQUIRED) == str(SEEN)
    monkeypatch.setattr(backend, "compiled", broken)
    with pytest.raises(NoGpuError, match=r"a small computation on it failed: libdevice not found$"):
        tried_gpu(REQUIRED)


def test_networks_are_not_trained_without_the_gpu_they_require_and_linear_models_need_none(
    seeing, tmp_path, monkeypatch
):
    seeing(LACKING)
    monkeypatch.chdir(tmp_path)
    write_cohort(tmp_path, "regression")
    more = {
        "matrices": sorted(tmp_path.glob("*.matrices.h5")),
        "splits": tmp_path / "splits.tsv",
        "samples": tmp_path / "samples.tsv",
        "horizons": None,
        "group": "all",
        "task": "regression",
        "target": "outcome",
        "seed": 3,
        "gpu": REQUIRED,
    }
    with pytest.raises(NoGpuError):
        train_group(out="fused", model="fused", **more)
    assert not list(tmp_path.glob("fused*"))
    train_group(out="linear", model="linear", **more)
    assert (tmp_path / "linear.predictions.tsv").exists()
