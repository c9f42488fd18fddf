"""The EXPLAIN task: open each outer fold's network, explain its test samples, sum up."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from omicsfusion.interpret.attribution import Attribution, ExpectedGradients
from omicsfusion.interpret.importance import ImportanceSums, additivity_row
from omicsfusion.models.archive import SUFFIX, read_archive
from omicsfusion.models.cohort import GroupReader, ScopeData
from omicsfusion.models.ensemble import MemberEnsemble, ensemble_inputs, widened
from omicsfusion.models.registry import parse_model
from omicsfusion.preprocess.matrices import scopes_of, write_names
from omicsfusion.scopes import OUTER, TRAINING_ROLES, Scope, read_splits, scopes_in
from omicsfusion.seeds import seed_for
from omicsfusion.tables.tsv import write_tsv

BACKGROUND_SAMPLES = 32
"""Training samples that each explained sample is compared with."""

ADDITIVITY_COLUMNS = (
    "model repeat fold output n_samples mean_abs_gap max_abs_gap mean_abs_difference".split()  # noqa: SIM905
)


def explain_model(
    *,
    out: str,
    model: str,
    matrices: Sequence[Path],
    models: Sequence[Path],
    splits: Path,
    seed: int,
) -> None:
    """Explain the test samples of every outer fold by its own network, and write the tables.

    Writes ``<out>.importance.tsv``, ``<out>.additivity.tsv`` and ``<out>.attributions.h5`` (see
    docs/architecture.md). Folds whose fit failed have no network and are left out.
    """
    explainer = Explainer()
    sums: ImportanceSums | None = None
    rows: list[dict[str, object]] = []
    partial = Path(f"{out}.attributions.h5.partial")
    with h5py.File(partial, "w") as file:
        for network, data in _outer_folds(model, matrices, models, splits):
            test = data.rows("test")
            found = explainer.explain(
                network, data, test, seed_for(seed, "explain", model, data.scope.key)
            )
            outputs = network.outputs_named
            sums = sums or ImportanceSums(outputs)
            _add(sums, data, test, found)
            _write_attributions(file.create_group(data.scope.key), data, test, found)
            rows += _additivity(found, model, data, outputs)
    partial.replace(f"{out}.attributions.h5")
    importance = (sums or ImportanceSums([])).table(model)
    write_tsv(importance, f"{out}.importance.tsv")
    write_tsv(pd.DataFrame(rows, columns=ADDITIVITY_COLUMNS), f"{out}.additivity.tsv")


def _outer_folds(
    model: str, matrices: Sequence[Path], models: Sequence[Path], splits: Path
) -> Iterator[tuple[MemberEnsemble, ScopeData]]:
    """Open the networks one at a time, in the order of the folds, each with its data."""
    archives = {path.stem: path for folder in models for path in folder.glob(f"*{SUFFIX}")}
    table = read_splits(splits)
    table = table[table["inner"] == OUTER]
    scopes = [scope for scope in scopes_in(table) if scope.key in archives]
    readers = _readers(matrices, table, scopes)
    widths: dict[str, int] = {}
    for scope in scopes:
        for name in readers[scope].layer_names:
            widths[name] = max(1, readers[scope].width(scope, name), widths.get(name, 1))
    for scope in scopes:
        layers = parse_model(model, readers[scope].layer_names).layers
        network = read_archive(archives[scope.key])
        wide = widened(network, {name: widths[name] for name in layers})
        yield wide, readers[scope].load(scope, layers)


def _readers(
    matrices: Sequence[Path], splits: pd.DataFrame, scopes: Sequence[Scope]
) -> dict[Scope, GroupReader]:
    """Find for each scope the files of its group."""
    holders: dict[Scope, list[Path]] = {scope: [] for scope in scopes}
    for path in sorted(matrices):
        for scope in scopes_of(path):
            if scope in holders:
                holders[scope].append(path)
    return {scope: GroupReader(paths, splits) for scope, paths in holders.items()}


class Explainer:
    """Explains networks by expected gradients; networks of the same shapes share a compilation."""

    def __init__(self) -> None:
        self._of_shapes: dict[tuple[tuple[int, ...], ...], ExpectedGradients] = {}

    def explain(
        self, network: MemberEnsemble, data: ScopeData, test: np.ndarray, seed: int
    ) -> Attribution:
        """Explain the ``test`` rows of a scope against a sample of its training rows."""
        rng = np.random.default_rng(seed_for(seed, "background"))
        drawn = np.sort(rng.permutation(data.rows(*TRAINING_ROLES))[:BACKGROUND_SAMPLES])
        shapes = tuple(tuple(variable.shape) for variable in network.variables)
        if shapes not in self._of_shapes:
            self._of_shapes[shapes] = ExpectedGradients(network.with_weights)
        found = self._of_shapes[shapes].attribute(
            network.current_weights(),
            ensemble_inputs(network, data, test),
            ensemble_inputs(network, data, drawn),
            seed_for(seed, "places"),
        )
        used = {name: len(network.features[name]) for name in found.values}
        values = {name: found.values[name][:, : used[name]] for name in found.values}
        return replace(found, values=values)


def _add(sums: ImportanceSums, data: ScopeData, test: np.ndarray, found: Attribution) -> None:
    for name, block in data.layers.items():
        has = block.present[test]
        sums.add(name, block.features, block.x[test][has], found.values[name][has])


def _additivity(
    found: Attribution, model: str, data: ScopeData, outputs: Sequence[str]
) -> list[dict[str, object]]:
    head = {"model": model, "repeat": data.scope.repeat, "fold": data.scope.fold}
    difference = found.prediction - found.baseline
    return [
        {**head, "output": output, **additivity_row(found.gap[:, i], difference[:, i])}
        for i, output in enumerate(outputs)
    ]


def _write_attributions(
    group: h5py.Group, data: ScopeData, test: np.ndarray, found: Attribution
) -> None:
    write_names(group, "samples", [data.samples[row] for row in test])
    for name in data.layers:
        values = found.values[name].astype(np.float32)
        # Random in their last bits: the fastest level saves as much as the slowest, mostly zeros.
        group.create_dataset(f"layer/{name}", data=values, compression="gzip", compression_opts=1)
