"""What pretraining learns by, as training takes it: targets and a loss, but nothing to predict."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.cohort import GroupReader, ScopeData
from omicsfusion.models.heads.base import (
    Build,
    Head,
    Settings,
    Targets,
    UntrainableError,
    no_unit,
    weighted_mean,
)
from omicsfusion.models.pretext.contrast import contrastive_loss
from omicsfusion.models.pretext.networks import VIEW, ContrastiveNetwork, ReconstructionNetwork

ops = keras.ops


class PretextHead(Head):
    """A loss of the layers alone. The target of a sample is which layers it has.

    Parameters
    ----------
    reader, layers
        Of the cohort: who has which layers stands there.
    """

    names = ()
    link = "identity"
    mixes = False
    network: Build

    def __init__(self, reader: GroupReader, layers: Sequence[str]) -> None:
        self.reader = reader
        self.layers = sorted(layers)

    @abstractmethod
    def useful(self, present: np.ndarray) -> np.ndarray:
        """Return who can be learnt from; ``present``: samples x layers."""

    def targets(self, data: ScopeData) -> Targets:
        found = self.reader.layer_rows(data.scope, self.layers)
        present = np.zeros((len(data.samples), len(self.layers)), np.float32)
        for column, name in enumerate(self.layers):
            if name in found:
                present[:, column] = found[name].rows >= 0
        useful = self.useful(present)
        if not useful[data.rows("train")].any():
            raise UntrainableError(self.nobody)
        patterns = np.unique(present, axis=0, return_inverse=True)[1].reshape(-1)
        return Targets(
            values=present,
            weight=useful.astype(np.float32),
            strata=patterns,
            stops=bool(useful[data.rows("stop")].any()),
        )

    nobody = "No sample has a layer with features."

    def unit(
        self, raw: np.ndarray, data: ScopeData, targets: Targets
    ) -> tuple[np.ndarray, np.ndarray]:
        return no_unit(0, self.units)

    def columns(
        self, raw: np.ndarray, prediction: np.ndarray, data: ScopeData, targets: Targets
    ) -> dict[str, np.ndarray]:
        return {}


class ReconstructionHead(PretextHead):
    """Rebuild features of which some are hidden."""

    units = 1
    network = ReconstructionNetwork

    def useful(self, present: np.ndarray) -> np.ndarray:
        return present.sum(axis=1) >= 1

    def loss(self, outputs: Tensor, target: Tensor, weight: Tensor, settings: Settings) -> Tensor:
        return weighted_mean(outputs[..., 0], weight)


class ContrastiveHead(PretextHead):
    """Tell which layers are of one sample, among those of a batch."""

    network = ContrastiveNetwork
    nobody = "No sample to fit on has two layers, so that none can be compared."
    # The more strangers in a batch, the more there is to tell apart.
    batch_rows = 128

    def __init__(self, reader: GroupReader, layers: Sequence[str]) -> None:
        super().__init__(reader, layers)
        self.units = len(self.layers) * VIEW

    def useful(self, present: np.ndarray) -> np.ndarray:
        return present.sum(axis=1) >= 2

    def loss(self, outputs: Tensor, target: Tensor, weight: Tensor, settings: Settings) -> Tensor:
        members, rows, units = outputs.shape
        views = ops.reshape(outputs, (members, rows, len(self.layers), units // len(self.layers)))
        return contrastive_loss(views, target * weight[..., None])


OBJECTIVES: Mapping[str, type[PretextHead]] = {
    "reconstruction": ReconstructionHead,
    "contrastive": ContrastiveHead,
}
"""By the name that ``--pretrain_objective`` has."""
