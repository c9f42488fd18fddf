"""Predictions of several models of known quality on the same folds, as TRAIN writes them."""

from collections.abc import Mapping

import numpy as np
import pandas as pd


def compared_models(
    task: str,
    quality: Mapping[str, float],
    folds: int = 5,
    repeats: int = 2,
    patients: int = 100,
    external: int = 0,
    seed: int = 0,
) -> pd.DataFrame:
    """Simulate models that see the truth through noise of their own.

    Parameters
    ----------
    quality
        Model -> signal over noise; 0 sees nothing.
    folds, repeats
        Folds are of one size. There are two inner folds, and those of the whole training set.
    """
    rng = np.random.default_rng(seed)
    everyone = patients + external
    signal = np.where(np.arange(everyone) % 2 == 0, -1.0, 1.0)
    if task != "classification":
        signal = rng.normal(0, 1, everyone)
    outcome = _outcome(task, signal, rng)
    parts = []
    dealt = [rng.permutation(patients) % folds for _ in range(repeats)]
    for model, strength in quality.items():
        for repeat, fold_of in enumerate(dealt, start=1):
            for fold in range(1, folds + 1):
                held = np.flatnonzero(fold_of == fold - 1)
                rest = np.flatnonzero(fold_of != fold - 1)
                parts.append(_rows(model, "test", repeat, fold, "outer", held, strength))
                for inner in (0, 1):
                    here = rest[rest // 2 % 2 == inner]
                    parts.append(_rows(model, "inner", repeat, fold, str(inner), here, strength))
        for inner in (0, 1):
            here = np.flatnonzero(np.arange(patients) // 2 % 2 == inner)
            parts.append(_rows(model, "inner", 0, 0, str(inner), here, strength))
        if external:
            outside = np.arange(patients, everyone)
            parts.append(_rows(model, "external", 0, 0, "final", outside, strength))
    table = pd.concat(parts, ignore_index=True)
    number = table.pop("number").to_numpy()
    strength = table.pop("strength").to_numpy()
    seen = strength * signal[number] + rng.normal(0, 1, len(table))
    if task == "regression":  # the best guess at the signal
        seen *= strength / (1 + strength**2)
    predictions = pd.DataFrame(_predictions(task, seen))
    truth = outcome.iloc[number].reset_index(drop=True)
    return pd.concat([table, predictions, truth], axis=1)


def _rows(
    model: str, scope: str, repeat: int, fold: int, inner: str, who: np.ndarray, strength: float
) -> pd.DataFrame:
    names = {"permutation": 0, "target": "outcome", "model": model, "scope": scope}
    return pd.DataFrame(
        {
            **names,
            "repeat": repeat,
            "fold": fold,
            "inner": inner,
            "sample": [f"S{n:03d}" for n in who],
            "patient": [f"P{n:03d}" for n in who],
            "number": who,
            "strength": strength,
        }
    )


def _outcome(task: str, signal: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    if task == "classification":
        return pd.DataFrame({"truth": np.where(signal > 0, "B", "A")})
    if task == "regression":
        return pd.DataFrame({"truth": signal})
    event = (rng.random(len(signal)) < 0.7).astype(int)
    return pd.DataFrame({"time": np.exp(-signal), "event": event})


def _predictions(task: str, seen: np.ndarray) -> dict[str, np.ndarray]:
    if task == "classification":
        p = 1 / (1 + np.exp(-seen))
        return {"p_A": 1 - p, "p_B": p}
    if task == "regression":
        return {"mean": seen, "sd": np.ones(len(seen))}
    return {"risk": seen, "s_1.0": np.exp(-np.exp(seen))}
