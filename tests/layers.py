"""Invented layers of every kind, with what is known of their samples, for tests of the chains."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from omicsfusion.preprocess.register import Register
from omicsfusion.recipes.catalogue import Method, read_catalogue
from omicsfusion.recipes.recipe import Choice, Recipe, settle

LEVELS = ("I", "II", "III", "IV")
COUNTS = ("rna_counts", "mirna_counts", "microbiome_counts")
CATALOGUE = read_catalogue()


def values_of(kind: str, n: int, p: int, seed: int, missing: float = 0.05) -> np.ndarray:
    """Return n samples x p features as a table of that kind holds them, with gaps; float32."""
    rng = np.random.default_rng(seed)
    level = rng.uniform(0.5, 6, p)
    signal = rng.normal(size=(n, 3)) @ rng.normal(size=(3, p))
    if kind == "clinical":
        X = np.where(np.arange(p) < p // 2, rng.integers(0, 4, (n, p)), rng.normal(60, 10, (n, p)))
    elif kind == "mutation":
        X = (rng.random((n, p)) < rng.uniform(0.05, 0.4, p)).astype(float)
    elif kind == "cnv":
        X = np.clip(np.rint(signal / 2), -2, 2)
    elif kind in COUNTS:
        depth = rng.uniform(0.5, 2, (n, 1))
        X = rng.poisson(depth * np.exp(level + 0.3 * signal)).astype(float)
    elif kind == "methylation_beta":
        X = 1 / (1 + np.exp(-(level - 3 + 0.5 * signal)))
    elif kind == "metabolite":
        X = np.exp(level + 0.4 * signal + 0.2 * rng.normal(size=(n, p)))
    else:
        X = level + 0.5 * signal + 0.3 * rng.normal(size=(n, p))
    if kind not in (*COUNTS, "mutation"):
        X[rng.random((n, p)) < missing] = np.nan
    return X.astype(np.float32)


def feature_names(kind: str, p: int) -> tuple[str, ...]:
    """Return names of the features, as regions of the genome for ``cnv``."""
    if kind == "cnv":
        return tuple(f"chr1:{100 * i + 1}-{100 * i + 100}" for i in range(p))
    return tuple(f"g{number:03d}" for number in range(p))


def categories_of(kind: str, p: int) -> tuple[tuple[str, ...] | None, ...]:
    """Return the levels of the features of a clinical layer."""
    return tuple(LEVELS if i < p // 2 else None for i in range(p)) if kind == "clinical" else ()


def register_of(n: int, seed: int, task: str = "classification") -> Register:
    """Return what is known of n samples ``s000`` …: batches, outcome, covariates."""
    rng = np.random.default_rng(seed)
    table: dict[str, Any] = {
        "sample": [f"s{number:03d}" for number in range(n)],
        "batch": rng.choice(["a", "b"], n),
    }
    if task == "survival":
        table |= {"time": rng.exponential(10, n) + 0.1, "event": rng.integers(0, 2, n)}
    elif task == "classification":
        table["truth"] = rng.choice(["case", "control"], n)
    else:
        table["truth"] = rng.normal(size=n)
    covariates = pd.DataFrame(
        {
            "sample": table["sample"],
            "cohort": "main",
            "age": rng.normal(60, 9, n),
            "sex": rng.choice(["f", "m"], n),
        }
    )
    return Register.of(pd.DataFrame(table), task, covariates)


def recipe_of(
    kind: str, step: str = "", method: str = "", options: Mapping[str, Any] | None = None
) -> Recipe:
    """Return the kind's recipe, one step done by another method, with files' contents in it."""
    wishes = {step: (method, dict(options or {}), "")} if step else {}
    recipe = settle(CATALOGUE, kind, wishes)
    return replace(recipe, choices=tuple(_filled(choice, kind) for choice in recipe.choices))


def _filled(choice: Choice, kind: str) -> Choice:
    method = CATALOGUE.methods[choice.step][choice.method]
    needed = [name for name, rule in method.options.items() if rule.required]
    choice = replace(choice, options={**choice.options, **dict.fromkeys(needed, "g003")})
    table = method.table
    if table is None or not table.required:
        return choice
    return replace(choice, options={**choice.options, table.option: _content(table.reads, kind)})


def _content(reads: str, kind: str) -> Any:
    names = feature_names(kind, 40)
    if reads == "names":
        return list(names[:8])
    if reads == "numbers":
        return {name: 500.0 + 37 * i for i, name in enumerate(names)}
    if reads == "words":
        return {name: "I" if i % 3 == 0 else "II" for i, name in enumerate(names)}
    return [[f"gene{i}", "chr1", 150 * i, 150 * i + 120] for i in range(20)]


def all_choices() -> list[tuple[str, Method]]:
    """List (kind, method) for every method of the catalogue: the first kind that it suits."""
    return [
        (method.kinds[0], method)
        for of_step in CATALOGUE.methods.values()
        for method in of_step.values()
    ]
