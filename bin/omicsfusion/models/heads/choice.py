"""The head for an outcome: the task's usual one, or the one that was asked for."""

from collections.abc import Sequence

from omicsfusion.models.heads.base import Head
from omicsfusion.models.heads.classes import SoftmaxHead
from omicsfusion.models.heads.discrete_hazards import DiscreteHazardHead
from omicsfusion.models.heads.hazards import CoxHead
from omicsfusion.models.heads.numbers import GaussianHead, HuberHead
from omicsfusion.models.heads.ordinal import OrdinalHead
from omicsfusion.models.heads.several import SeveralHeads
from omicsfusion.models.heads.suitable import AUTO, require_suitable
from omicsfusion.models.request import TrainingRequest
from omicsfusion.tables.outcome import Outcome


def head_for(
    outcome: Outcome,
    horizons: Sequence[float] = (),
    head: str = AUTO,
    class_order: Sequence[str] = (),
) -> Head:
    """Return the head for an outcome.

    Parameters
    ----------
    horizons
        Times at which survival is predicted.
    head
        ``auto``, or a name in ``heads.json``.
    class_order
        All classes, lowest first, when they have an order.

    Raises
    ------
    UnsuitableHeadError
        When the head is for another task, or the order does not name each class once.
    """
    require_suitable(outcome, head, class_order)
    if outcome.task == "classification":
        return OrdinalHead(outcome, class_order) if class_order else SoftmaxHead(outcome)
    if outcome.task == "survival":
        discrete = head == "discrete_hazard"
        return (DiscreteHazardHead if discrete else CoxHead)(outcome, horizons)
    return HuberHead(outcome) if head == "huber" else GaussianHead(outcome)


def head_of(request: TrainingRequest) -> Head:
    """Return the head for the targets of a request.

    Raises
    ------
    UnsuitableHeadError
        As for ``head_for``.
    """
    if not request.targets:
        return head_for(request.outcome, request.horizons, request.head, request.class_order)
    heads = {
        target: head_for(outcome, request.horizons, request.head, request.class_order)
        for target, outcome in request.targets.items()
    }
    return SeveralHeads(heads, request.targets)
