"""What filter and selections have in common: they keep some of the columns as they are."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from omicsfusion.preprocess.step import Step


class KeepsFeatures(Step):
    """A step that keeps some of the features, in their order.

    Attributes
    ----------
    support_
        Which features are kept.
    dropped_
        Why the others were left out, and how many for each reason.
    """

    state: ClassVar[tuple[str, ...]] = ("support_", "dropped_")
    feature_state: ClassVar[tuple[str, ...]] = ("support_",)

    def transform(self, X: Any) -> np.ndarray:
        """Return the kept features."""
        check_is_fitted(self)
        return self._checked(X)[:, self.support_]

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the kept features."""
        return np.asarray(input_features, dtype=object)[self.support_]

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Join steps that were fitted on blocks of columns, in the order of the blocks.

        Only where ``per_feature``: then the result is what ``fit`` of all columns gives.
        """
        whole = cls(**parts[0].get_params())
        whole.n_features_in_ = sum(part.n_features_in_ for part in parts)
        whole.support_ = np.concatenate([part.support_ for part in parts])
        reasons = sorted({reason for part in parts for reason in part.dropped_})
        whole._count({reason: sum(p.dropped_.get(reason, 0) for p in parts) for reason in reasons})
        return whole

    def _count(self, dropped: dict[str, Any]) -> None:
        """Set ``dropped_``, without the reasons for which nothing was left out."""
        self.dropped_ = {reason: int(n) for reason, n in sorted(dropped.items()) if n}
