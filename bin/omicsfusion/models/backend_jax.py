"""What JAX adds to ``keras.ops``: a compiler, gradients, and which devices there are."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import entry_points
from typing import Any

import jax
import numpy as np

from omicsfusion.models.accelerator import Accelerator

Tensor = Any

BACKEND = f"JAX {jax.__version__}"

# A GPU would round the factors of every product to 10 bits (TF32), a CPU to 23.
jax.config.update("jax_default_matmul_precision", "highest")


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of tensors with XLA, once for each set of shapes."""
    return jax.jit(function)


def gradients(
    function: Callable[[Sequence[Tensor]], Tensor], at: Sequence[Tensor]
) -> tuple[Tensor, list[Tensor]]:
    value, backwards = jax.vjp(function, list(at))
    (found,) = backwards(jax.numpy.ones_like(value))
    return value, found


def output_gradients(
    model: Callable[[Any], Tensor], x: Mapping[str, Tensor], present: Tensor
) -> list[dict[str, Tensor]]:
    value, backwards = jax.vjp(lambda x: model({"x": x, "present": present}), dict(x))
    columns = jax.numpy.eye(value.shape[1], dtype=value.dtype)
    return [backwards(jax.numpy.broadcast_to(column, value.shape))[0] for column in columns]


def prefetched(
    make: Callable[[], Iterable[Mapping[str, np.ndarray]]], shapes: Mapping[str, tuple[int, ...]]
) -> Iterator[dict[str, Tensor]]:
    blocks = iter(make())
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, blocks, None)
        while (block := coming.result()) is not None:
            coming = reader.submit(next, blocks, None)
            yield {name: jax.numpy.asarray(block[name]) for name in shapes}


def accelerators() -> list[Accelerator]:
    return [
        Accelerator(device.device_kind, _gigabytes(device))
        for device in jax.devices()
        if device.platform != "cpu"
    ]


def can_use_accelerators() -> bool:
    # What makes JAX use a GPU is a package of its own, which names itself here.
    return bool(entry_points(group="jax_plugins"))


def _gigabytes(device: Any) -> float | None:
    most = (device.memory_stats() or {}).get("bytes_limit")
    return None if most is None else most / 1e9
