"""Gradient-boosted trees: XGBoost (Chen and Guestrin 2016, KDD).

Classes weigh the same. Survival: Cox's partial likelihood or, as other candidates, an accelerated
failure time model with Weibull errors (Barnwal, Cho and Hocking 2022, J Comput Graph Stat
31:1292), whose predicted log time over minus the errors' scale is a log hazard ratio. Numbers:
squared errors.

One booster of the most trees serves all candidates that differ in the number of trees only.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from omicsfusion.models.baselines.candidates import Family, train_candidates
from omicsfusion.models.baselines.training_set import Axis, Fitted, Setting, TrainingSet, grid
from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.fit import Fit
from omicsfusion.models.logistic import balanced_weights
from omicsfusion.models.request import TrainingRequest

TREES = Axis((10, 30, 100, 200))
# Of two depths each is an edge: to say so of every fit would tell nothing.
DEPTHS = Axis((2, 4))
GRID = grid(depth=DEPTHS, trees=TREES)
GRID_SURVIVAL = grid(loss=("cox", "aft"), depth=DEPTHS, trees=TREES)
AFT_SCALE = 1.0
# Of more columns each tree draws this many, in few bins: with all of 20,000 columns in 256 bins,
# 100 trees took a minute.
COLUMNS = 300
STEADY = {
    "eta": 0.1,
    "subsample": 0.8,
    "max_bin": 32,
    "min_child_weight": 1.0,
    "tree_method": "hist",
    "nthread": 1,
    "verbosity": 0,
}


def _candidates(training: TrainingSet) -> list[Setting]:
    return GRID_SURVIVAL if training.kind == "survival" else GRID


def _fit(training: TrainingSet, candidates: Sequence[Setting]) -> list[Fitted]:
    boosters: dict[tuple[str, float], Any] = {}
    most = int(max(one["trees"] for one in candidates))
    fits = []
    for one in candidates:
        loss = str(one.values.get("loss", training.kind))
        kind = (loss, one["depth"])
        if kind not in boosters:
            boosters[kind] = _boost(training, loss, int(one["depth"]), most)
        fits.append(_fitted(boosters[kind], loss, int(one["trees"]), training))
    return fits


def _boost(training: TrainingSet, loss: str, depth: int, trees: int) -> Any:
    import xgboost

    data = xgboost.DMatrix(training.x.astype(np.float32), nthread=1)
    settings = {
        **STEADY,
        "max_depth": depth,
        "colsample_bytree": min(1.0, COLUMNS / training.x.shape[1]),
        "seed": training.seed,
        **_objective(training, loss),
    }
    y = training.y
    if loss == "cox":
        data.set_label(np.where(y[:, 1] == 1, y[:, 0], -y[:, 0]))
    elif loss == "aft":
        data.set_float_info("label_lower_bound", y[:, 0])
        data.set_float_info("label_upper_bound", np.where(y[:, 1] == 1, y[:, 0], np.inf))
    else:
        data.set_label(y)
    if loss == "classification":
        data.set_weight(balanced_weights(y) * len(y))
    return xgboost.train(settings, data, num_boost_round=trees)


def _objective(training: TrainingSet, loss: str) -> dict[str, object]:
    if loss == "classification":
        return {"objective": "multi:softprob", "num_class": len(training.task.outputs)}
    if loss == "cox":
        return {"objective": "survival:cox"}
    if loss == "aft":
        return {
            "objective": "survival:aft",
            "aft_loss_distribution": "extreme",
            "aft_loss_distribution_scale": AFT_SCALE,
        }
    return {"objective": "reg:squarederror"}


def _fitted(booster: Any, loss: str, trees: int, training: TrainingSet) -> Fitted:
    def scores(x: np.ndarray) -> np.ndarray:
        import xgboost

        data = xgboost.DMatrix(x.astype(np.float32), nthread=1)
        margin = booster.predict(data, output_margin=True, iteration_range=(0, trees))
        margin = margin.astype(np.float64).reshape(len(x), -1)
        return -margin / AFT_SCALE if loss == "aft" else margin

    def saved() -> dict[str, object]:
        used = booster[:trees]
        return {"loss": loss, "xgboost": json.loads(used.save_raw("json").decode())}

    return Fitted(scores, saved=saved)


XGBOOST = Family(_candidates, _fit)


def train(request: TrainingRequest, reader: GroupReader) -> list[Fit]:
    """Train boosted trees on every scope of a group."""
    return train_candidates(XGBOOST, request, reader)
