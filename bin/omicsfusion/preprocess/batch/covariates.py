"""Covariates whose effect a batch correction keeps, as numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

Encoding = list[dict[str, Any]]


def learn_encoding(covariates: pd.DataFrame | None, protect: Sequence[str]) -> Encoding:
    """Learn from training samples how to encode the protected covariates.

    A covariate whose known training values are all numbers is standardised; any other has one
    column for each level of the training samples.

    Returns
    -------
    For each covariate its ``name``, and ``mean``, ``sd``, ``lowest``, ``highest``, or ``levels``.

    Raises
    ------
    ValueError
        When a protected covariate is not there.
    """
    there = [] if covariates is None else [str(name) for name in covariates.columns]
    absent = [name for name in protect if name not in there]
    if absent:
        raise ValueError(
            f"{', '.join(absent)} cannot be protected from batch correction: the covariates are "
            f"{', '.join(there) or 'none'}. Name it in --covariates."
        )
    return [] if covariates is None else [_learn(name, covariates[name]) for name in protect]


def encode(encoding: Encoding, covariates: pd.DataFrame | None, n_samples: int) -> np.ndarray:
    """Return samples x columns; what is missing or not known from training is 0.

    Numbers beyond the range of the training samples count as its end: an effect is not carried on
    to where none was seen.
    """
    columns = [np.empty((n_samples, 0))]
    for rule in encoding:
        if covariates is None or rule["name"] not in covariates:
            columns.append(np.zeros((n_samples, len(rule.get("levels", [0])))))
        elif "levels" in rule:
            words = _words(covariates[rule["name"]])
            columns += [(words == level).astype(float)[:, None] for level in rule["levels"]]
        else:
            values = np.clip(_numbers(covariates[rule["name"]]), rule["lowest"], rule["highest"])
            columns.append(np.nan_to_num((values - rule["mean"]) / rule["sd"])[:, None])
    return np.hstack(columns)


def constant_within(encoding: Encoding, encoded: np.ndarray, group: np.ndarray) -> list[str]:
    """Name the covariates that do not vary within any batch: no fit can tell them from it."""
    spread = np.zeros(encoded.shape[1])
    for number in np.unique(group):
        spread += np.ptp(encoded[group == number], axis=0)
    names = [rule["name"] for rule in encoding for _ in rule.get("levels", [0])]
    varying = {name for name, width in zip(names, spread, strict=True) if width > 0}
    return [rule["name"] for rule in encoding if rule["name"] not in varying]


def _learn(name: str, column: pd.Series) -> dict[str, Any]:
    values = _numbers(column)
    known = values[~np.isnan(values)]
    if len(known) < int(column.notna().sum()):
        words = _words(column)
        return {"name": name, "levels": sorted({word for word in words if word})}
    if not len(known):
        return {"name": name, "mean": 0.0, "sd": 1.0, "lowest": 0.0, "highest": 0.0}
    sd = float(known.std())
    return {
        "name": name,
        "mean": float(known.mean()),
        "sd": sd if sd > 0 else 1.0,
        "lowest": float(known.min()),
        "highest": float(known.max()),
    }


def _numbers(column: pd.Series) -> np.ndarray:
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
    return np.where(np.isfinite(values), values, np.nan)


def _words(column: pd.Series) -> np.ndarray:
    return np.array(["" if pd.isna(word) else str(word) for word in column], dtype=object)
