"""Keras, imported quietly, and what only the backend that runs it can do.

Layers and losses are written with ``keras.ops``. What a backend must add is a gradient, a compiler
and a look at its devices: ``backend_tensorflow`` (the default) and ``backend_jax``, chosen by the
environment variable ``KERAS_BACKEND``, as Keras does. Nothing else imports either library.

``compiled(function)``
    The function, compiled by XLA once for each set of shapes.
``gradients(function, at)``
    ``function(at)`` and the gradient of its sum with respect to each of ``at``.
``output_gradients(model, x, present)``
    For each output of ``model({"x": x, "present": present})`` (samples x outputs; samples do not
    see each other) the gradient of each sample's with respect to its own values: layer -> samples x
    features.
``prefetched(make, shapes)``
    What ``make()`` yields (name -> float32 array of the shape named) as tensors, in the same order,
    one block ahead: read while the one before is computed with.
``accelerators()``, ``can_use_accelerators()``
    The GPUs that the backend sees, and whether this build of it could use one.
"""

import os
from typing import Any

# Read by TensorFlow when it is imported: its start-up chatter says nothing about a run.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

if keras.backend.backend() == "jax":
    from omicsfusion.models.backend_jax import (
        BACKEND,
        accelerators,
        can_use_accelerators,
        compiled,
        gradients,
        output_gradients,
        prefetched,
    )
elif keras.backend.backend() == "tensorflow":
    from omicsfusion.models.backend_tensorflow import (
        BACKEND,
        accelerators,
        can_use_accelerators,
        compiled,
        gradients,
        output_gradients,
        prefetched,
    )
else:
    raise ImportError(
        f"KERAS_BACKEND is {keras.backend.backend()!r}: networks are computed with 'tensorflow' "
        "or with 'jax'."
    )

Tensor = Any

__all__ = [
    "BACKEND",
    "Tensor",
    "accelerators",
    "can_use_accelerators",
    "compiled",
    "gradients",
    "keras",
    "output_gradients",
    "prefetched",
]
