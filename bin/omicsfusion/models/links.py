"""Links: from the outputs of the members of one fit to one prediction.

A link takes ``raw`` (members x samples x units), ``offset`` (one per output) and ``scale`` (one per
unit) and returns samples x outputs. Saved archives name the link, so that a link, once published,
keeps its meaning.

Where a network has several targets, its link is those of the targets, each with the numbers of its
units and outputs: ``identity:1:1+softmax:3:3``. Units and outputs of a target stand together, in
that order; units after the last target's are not looked at.
"""

from collections.abc import Callable, Mapping, Sequence

from omicsfusion.models.backend import Tensor, keras

ops = keras.ops

USUAL_LOGIT = -2.2
"""Log-odds of an event in an interval where a network says nothing: odds of 1 to 9, the share of
those at risk whom the first of ten equal parts of the events takes when nobody is censored."""

SMALLEST_HAZARD = 1e-30
AND, OF = "+", ":"


def softmax(raw: Tensor, offset: Tensor, scale: Tensor) -> Tensor:
    """Average probabilities as probabilities; they have no unit."""
    return ops.mean(ops.softmax(raw, axis=-1), axis=0)


def identity(raw: Tensor, offset: Tensor, scale: Tensor) -> Tensor:
    """Average numbers, in the outcome's unit."""
    return offset + scale * ops.mean(raw, axis=0)


def log_hazard(raw: Tensor, offset: Tensor, scale: Tensor) -> Tensor:
    """Return the log of the members' mean cumulative hazard, itself a mean over interval ends.

    ``scale`` holds for each interval the share of the interval ends that come with it or after it
    (0 for an interval that is not in use): how often its hazard is counted. Up to the log it is
    the mortality of Ishwaran et al., Annals of Applied Statistics 2, 2008, section 4; under
    proportional hazards it is the log partial hazard up to a constant.
    """
    total = ops.sum(scale * mean_hazards(raw), axis=-1, keepdims=True)
    return ops.log(ops.maximum(total, SMALLEST_HAZARD)) + offset


def mean_hazards(raw: Tensor) -> Tensor:
    """Average over members what each interval adds to the cumulative hazard: -log(1 - h)."""
    return ops.mean(ops.softplus(raw + USUAL_LOGIT), axis=0)


LINKS: Mapping[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "softmax": softmax,
    "identity": identity,
    "log_hazard": log_hazard,
}


def average_members(raw: Tensor, link: str, offset: Tensor, scale: Tensor) -> Tensor:
    """Turn outputs (members x samples x units) into one prediction: samples x outputs."""
    if link in LINKS:
        return LINKS[link](raw, offset, scale)
    parts, unit, output = [], 0, 0
    for part in link.split(AND):
        name, units, outputs = part.split(OF)
        of_units = slice(unit, unit := unit + int(units))
        of_outputs = slice(output, output := output + int(outputs))
        parts.append(LINKS[name](raw[..., of_units], offset[of_outputs], scale[of_units]))
    return ops.concatenate([ops.convert_to_tensor(part) for part in parts], axis=-1)


def joined(parts: Sequence[tuple[str, int, int]]) -> str:
    """Name the link of several targets, given the link, units and outputs of each."""
    return AND.join(f"{name}{OF}{units}{OF}{outputs}" for name, units, outputs in parts)
