"""From attributions of many folds to one importance per feature."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import rankdata

COLUMNS = ["model", "output", "layer", "feature", "mean_abs_shap", "direction", "n_folds", "rank"]


class ImportanceSums:
    """Gathers the attributions of fold after fold, holding only sums.

    Parameters
    ----------
    outputs
        Names of the outputs.
    """

    def __init__(self, outputs: Sequence[str]) -> None:
        self.outputs = list(outputs)
        self._layers: dict[str, pd.DataFrame] = {}
        self._folds: dict[str, int] = {}

    def add(
        self, layer: str, features: Sequence[str], values: np.ndarray, attributions: np.ndarray
    ) -> None:
        """Add the samples of one fold that have the layer.

        Parameters
        ----------
        values
            samples x features, as the network saw them.
        attributions
            samples x features x outputs.
        """
        if len(values) == 0:
            return
        self._folds[layer] = self._folds.get(layer, 0) + 1
        rank = _centred_ranks(values)[:, :, None]
        other = _centred_ranks(attributions)
        sums = {
            "size": np.abs(attributions).mean(axis=0, dtype=np.float64),
            "both": (rank * other).sum(axis=0),
            "own": np.broadcast_to(np.square(rank).sum(axis=0), attributions.shape[1:]),
            "other": np.square(other).sum(axis=0),
        }
        index = pd.MultiIndex.from_product(
            [list(features), self.outputs], names=["feature", "output"]
        )
        here = pd.DataFrame({name: part.ravel() for name, part in sums.items()}, index=index)
        here["n_folds"] = 1
        before = self._layers.get(layer)
        self._layers[layer] = here if before is None else before.add(here, fill_value=0.0)

    def table(self, model: str) -> pd.DataFrame:
        """Return the columns of ``importance.tsv``, sorted by output and rank.

        ``mean_abs_shap``: mean over the folds in which a sample had the layer, of the mean absolute
        attribution over those samples; 0 in a fold where the feature was not kept. ``direction``:
        Spearman correlation of value and attribution, ranked within folds and pooled; empty where
        either is constant. ``n_folds``: folds that kept the feature. ``rank``: within an output,
        over all layers, 1 = largest.
        """
        parts = [self._of_layer(layer) for layer in sorted(self._layers)]
        if not parts:
            return pd.DataFrame(columns=COLUMNS)
        table = pd.concat(parts, ignore_index=True).assign(model=model)
        table = table.sort_values(
            ["output", "mean_abs_shap", "layer", "feature"], ascending=[True, False, True, True]
        )
        table["rank"] = table.groupby("output").cumcount() + 1
        return table[COLUMNS].reset_index(drop=True)

    def _of_layer(self, layer: str) -> pd.DataFrame:
        sums = self._layers[layer].reset_index()
        spread = (sums["own"] * sums["other"]) ** 0.5
        return pd.DataFrame(
            {
                "output": sums["output"],
                "layer": layer,
                "feature": sums["feature"],
                "mean_abs_shap": sums["size"] / self._folds[layer],
                "direction": (sums["both"] / spread.where(spread > 0)).clip(-1, 1),
                "n_folds": sums["n_folds"].astype(int),
            }
        )


def additivity_row(gap: np.ndarray, difference: np.ndarray) -> Mapping[str, float]:
    """Summarise the additivity gap of one output over samples (both of shape (samples,))."""
    return {
        "n_samples": len(gap),
        "mean_abs_gap": float(np.abs(gap).mean()),
        "max_abs_gap": float(np.abs(gap).max()),
        "mean_abs_difference": float(np.abs(difference).mean()),
    }


def _centred_ranks(values: np.ndarray) -> np.ndarray:
    """Rank along the samples (ties: average rank), minus the mean rank."""
    return rankdata(values, axis=0) - (len(values) + 1) / 2
