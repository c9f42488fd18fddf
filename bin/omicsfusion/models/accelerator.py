"""Whether the networks have a GPU, in words; and the end of a task that needs one and has none."""

import os
from dataclasses import dataclass
from pathlib import Path

NONE, ALLOWED, REQUIRED = "none", "allowed", "required"
WISHES = (NONE, ALLOWED, REQUIRED)
"""What a run may ask for: nothing, a GPU or else the CPU, a GPU or else the end."""


class NoGpuError(RuntimeError):
    """A GPU is required and there is none that can be used; the message says what to do."""


@dataclass(frozen=True)
class Accelerator:
    """A GPU that the backend sees; ``gigabytes`` of memory where it tells them."""

    name: str
    gigabytes: float | None = None

    def __str__(self) -> str:
        return self.name if self.gigabytes is None else f"{self.name} ({self.gigabytes:.0f} GB)"


@dataclass(frozen=True)
class Sight:
    """What there is to compute on.

    Attributes
    ----------
    backend
        Name and version of what runs Keras.
    accelerators
        The GPUs that it sees.
    suited
        Whether this build of it could use a GPU.
    driver
        Whether the machine, or what a container shows of it, has an NVIDIA device at all.
    hidden
        The value of ``CUDA_VISIBLE_DEVICES``, if it has one.
    """

    backend: str
    accelerators: tuple[Accelerator, ...]
    suited: bool
    driver: bool
    hidden: str | None = None

    def __str__(self) -> str:
        if not self.accelerators:
            return f"{self.backend} sees no GPU and computes on the CPU ({self._reasons})."
        number = len(self.accelerators)
        named = ", ".join(map(str, self.accelerators))
        return f"{self.backend} sees {number} GPU{'s' if number > 1 else ''}: {named}."

    @property
    def refusal(self) -> str:
        """What a run hears that requires a GPU: what was looked for, what is there, what to do."""
        return (
            f"--gpu required: {self.backend} looked for a GPU and found only the CPU "
            f"({self._reasons}). {self._cure}, or let the run go on with the CPU: --gpu allowed."
        )

    @property
    def _reasons(self) -> str:
        build = "can use GPUs" if self.suited else "has no support for GPUs"
        device = "an" if self.driver else "no"
        reasons = [f"this build of it {build}", f"the task sees {device} NVIDIA device"]
        if self.hidden is not None:
            reasons.append(f"CUDA_VISIBLE_DEVICES is '{self.hidden}'")
        return "; ".join(reasons)

    @property
    def _cure(self) -> str:
        if not self.suited:
            return "Give the tasks a build with GPU support (docs/usage.md, 'On a GPU')"
        if self.driver:
            return "See whether its driver is as new as the CUDA libraries, and nothing hides it"
        return "Run where there is one, containers with -profile gpu beside their own"


def look() -> Sight:
    """Ask the backend for GPUs; imports it, which takes seconds."""
    from omicsfusion.models.backend import BACKEND, accelerators, can_use_accelerators

    return Sight(
        backend=BACKEND,
        accelerators=tuple(accelerators()),
        suited=can_use_accelerators(),
        driver=any(Path("/dev").glob("nvidia[0-9]*")),
        hidden=os.environ.get("CUDA_VISIBLE_DEVICES"),
    )


def settle_gpu(wish: str) -> None:
    """Print what the networks will be computed on, if anybody asked.

    Raises
    ------
    NoGpuError
        When a GPU is required and there is none.
    """
    if wish != NONE:
        print(gpu_as_wished(wish), flush=True)


def gpu_as_wished(wish: str) -> str:
    """Return the line that says what networks are computed on; raise as ``settle_gpu`` does."""
    sight = look()
    if wish == REQUIRED and not sight.accelerators:
        raise NoGpuError(sight.refusal)
    return str(sight)


def tried_gpu(wish: str) -> str:
    """Do as ``gpu_as_wished``, and compute a little: a device may be seen and not work.

    Raises
    ------
    NoGpuError
        Also when the computation fails.
    """
    from omicsfusion.models.backend import compiled, gradients, keras

    line = gpu_as_wished(wish)
    ops = keras.ops
    slope = compiled(lambda x: gradients(lambda at: ops.matmul(*at), [x, ops.transpose(x)])[1][0])
    try:
        found = ops.convert_to_numpy(slope(ops.ones((4, 8))))
    except Exception as error:
        # Whatever a broken CUDA raises, from whichever library: its first line says most.
        told = (str(error).splitlines() or [type(error).__name__])[0]
        raise NoGpuError(f"{line} But a small computation on it failed: {told}") from error
    if not (found == 4).all():
        raise NoGpuError(f"{line} But it computes wrongly: 4 came out as {found.ravel()[0]}.")
    return line
