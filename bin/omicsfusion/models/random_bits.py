"""Random numbers that are a function of names, for members that must not notice each other.

A generator with a state gives each member of a network numbers that hang on its neighbours. Here
a number is a hash of who draws it: the member's seed, the training step, the place in the network,
the row and the column.
"""

from collections.abc import Mapping

from omicsfusion.models.backend import Tensor, keras

ops = keras.ops

PLACES_PER_STEP = 256
"""Places in a network that may draw in one step without repeating each other."""


Draw = Mapping[str, Tensor]
"""By what random numbers are drawn; one of

- ``seed``: uint32, members x 2, each member's seed and the number of its training step; every
  sample has numbers of its own; beside it there may be
  ``kinds``: uint32, members x batch, the class of each sample;
- ``thinned``: uint32, members x 2, each member's seed and the number of a thinned network
  (``thinning``), which predicts; all samples have the same numbers.
"""
SEED, KINDS, THINNED = "seed", "kinds", "thinned"


def learns(draw: Draw | None) -> bool:
    """Tell whether a network that draws so is being trained."""
    return draw is not None and SEED in draw


def uniform(draw: Draw, place: int, rows: int, columns: int) -> Tensor:
    """Draw uniform numbers, members x rows x columns, in [0, 1).

    The hash is pcg4d of Jarzynski and Olano, Journal of Computer Graphics Techniques 9(3), 2020,
    listing 12: it passes TestU01's BigCrush, and compiles to a handful of integer operations.

    Parameters
    ----------
    place
        Which layer draws; below ``PLACES_PER_STEP``.
    rows, columns
        A number hangs on its row and column only, not on how many there are. Of a thinned network
        there is one row, for all samples.
    """
    sixteen = _number(16)
    numbers = draw[SEED] if SEED in draw else draw[THINNED]
    rows = rows if SEED in draw else 1
    a = numbers[:, 0][:, None, None]
    b = (numbers[:, 1] * _number(PLACES_PER_STEP) + _number(place))[:, None, None]
    c = ops.cast(ops.arange(rows, dtype="int32"), "uint32")[None, :, None]
    d = ops.cast(ops.arange(columns, dtype="int32"), "uint32")[None, None, :]
    a, b, c, d = (word * _number(1664525) + _number(1013904223) for word in (a, b, c, d))
    a, b, c, d = _mix(a, b, c, d)
    a, b, c, d = (ops.bitwise_xor(word, ops.right_shift(word, sixteen)) for word in (a, b, c, d))
    *_, d = _mix(a, b, c, d)
    # 24 bits are what a float32 holds exactly.
    return ops.cast(ops.right_shift(d, _number(8)), "float32") * (2.0**-24)


def _mix(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    a = a + b * d
    b = b + c * a
    c = c + a * b
    d = d + b * c
    return a, b, c, d


def _number(value: int) -> Tensor:
    return ops.convert_to_tensor(value, dtype="uint32")
