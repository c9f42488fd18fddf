"""What samples.tsv and covariates.tsv tell of the samples, ready to be handed to a chain."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from omicsfusion.preprocess.annotations import Annotations
from omicsfusion.tables.outcome import NO_TASK


@dataclass(frozen=True)
class Register:
    """The samples of a run.

    Attributes
    ----------
    table
        The clean ``samples.tsv``, index: sample.
    covariates
        ``covariates.tsv`` without its column ``cohort``, index: sample; None when a chain needs
        none.
    task
        ``classification``, ``regression`` or ``survival``; ``NO_TASK`` where nothing is predicted.
    """

    table: pd.DataFrame
    task: str
    covariates: pd.DataFrame | None = None

    @classmethod
    def of(
        cls, samples: pd.DataFrame, task: str, covariates: pd.DataFrame | None = None
    ) -> "Register":
        """Make it from the tables as they are read."""
        if covariates is not None:
            covariates = covariates.set_index("sample").drop(columns="cohort", errors="ignore")
        return cls(samples.set_index("sample"), task, covariates)

    def annotate(
        self,
        samples: Sequence[str],
        features: tuple[str, ...],
        categories: tuple[tuple[str, ...] | None, ...] = (),
    ) -> Annotations:
        """Return what is known of some samples, in their order, and of the columns of X."""
        here = self.table.loc[list(samples)]
        return Annotations(
            features=features,
            batch=self._batch(here),
            covariates=None if self.covariates is None else self.covariates.reindex(list(samples)),
            categories=categories,
            outcome=self._outcome(here),
            task=self.task,
            patients=here["patient"].to_numpy(dtype=object) if "patient" in here else None,
        )

    def _batch(self, here: pd.DataFrame) -> np.ndarray | None:
        # Asked of the whole column: whether batches were named does not depend on the samples.
        if "batch" not in self.table or self.table["batch"].isna().all():
            return None
        return here["batch"].fillna("").astype(str).to_numpy(dtype=object)

    def _outcome(self, here: pd.DataFrame) -> np.ndarray | None:
        if self.task == "survival" and {"time", "event"} <= set(here):
            return here[["time", "event"]].to_numpy(dtype=float)
        if "truth" not in here or self.task == NO_TASK:
            return None
        is_class = self.task == "classification"
        return here["truth"].to_numpy(dtype=object if is_class else float)
