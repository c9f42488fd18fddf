"""One TRAIN task: read a group's matrices, train one model on each scope, write what came of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from omicsfusion.models.accelerator import NONE, settle_gpu
from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.fit import Fit, prediction_names, prediction_table
from omicsfusion.models.heads.suitable import AUTO
from omicsfusion.models.members import members_table
from omicsfusion.models.network_modules import JOINT, NETWORKS
from omicsfusion.models.registry import PRETRAINED, ModelSpec, parse_model, refuse_other_tasks
from omicsfusion.models.request import ENSEMBLE, TrainingRequest
from omicsfusion.models.settings import read_settings
from omicsfusion.models.targets import fits_of_targets, tables_of_targets
from omicsfusion.models.trainers import trainer_of
from omicsfusion.pretraining import UnusablePretrainingError, refuse_tested
from omicsfusion.scopes import permutation_in, read_splits
from omicsfusion.tables.arguments import listed
from omicsfusion.tables.outcome import read_outcomes
from omicsfusion.tables.tsv import read_tsv, write_tsv

if TYPE_CHECKING:
    from omicsfusion.models.pretrained import Pretrained

RECORD_COLUMNS = (
    "n_train",
    "n_stop",
    "n_test",
    "status",
    "reason",
    "setting",
    "epochs",
    "best_epoch",
    "stop_loss",
)


def train_group(
    *,
    out: str,
    model: str,
    matrices: Sequence[Path],
    splits: Path,
    samples: Path,
    horizons: Path | None,
    group: str,
    task: str,
    target: str,
    seed: int,
    gene_sets: Sequence[Path] = (),
    network: Path | None = None,
    positions: Path | None = None,
    head: str = AUTO,
    class_order: tuple[str, ...] = (),
    ensemble: int = ENSEMBLE,
    mc_dropout: int = 0,
    distil: bool = False,
    trials: int = 0,
    settings: str = "",
    tuning_minutes: int = 0,
    studies: Sequence[Path] = (),
    pretrained: Path | None = None,
    gpu: str = NONE,
    cpus: int = 1,
) -> None:
    """Train ``model`` on every scope of ``group`` and write the files of the contract.

    Writes ``<out>.predictions.tsv``, ``<out>.members.tsv``, ``<out>.training.tsv``,
    ``<out>.curves.tsv``, ``<out>.trials.tsv``, ``<out>.trials_importance.tsv`` and the folder
    ``<out>.models`` (see docs/architecture.md).

    Parameters
    ----------
    target
        One name, or several separated by commas.
    """
    outcomes = read_outcomes(samples, task, listed(target))
    outcome = next(iter(outcomes.values()))
    times = [] if horizons is None else read_tsv(horizons)["time"].tolist()
    run = read_splits(splits)
    reader = GroupReader(matrices, run[run["group"] == group], run)
    spec = parse_model(model, reader.layer_names)
    refuse_other_tasks(spec, task)
    if pretrained is not None:
        refuse_tested(run, pretrained)
    if spec.family in NETWORKS:
        settle_gpu(gpu)
    request = TrainingRequest(
        spec,
        outcome,
        times,
        seed,
        gene_sets=tuple(gene_sets),
        network=network,
        positions=positions,
        head=head,
        class_order=class_order,
        ensemble=ensemble,
        mc_dropout=mc_dropout,
        distil=distil,
        trials=trials,
        settings=read_settings(settings),
        tuning_minutes=tuning_minutes,
        studies=tuple(studies),
        threads=cpus,
        targets=outcomes if len(outcomes) > 1 else {},
        pretrained=None if pretrained is None else _encoders(pretrained, spec, reader),
    )
    fits = fits_of_targets(trainer_of(spec.family), request, reader, spec.family in JOINT)
    names = dict.fromkeys(n for one in outcomes.values() for n in prediction_names(one, times))

    def tabulated(some: list[Fit]) -> pd.DataFrame:
        table = (
            tables_of_targets(some, model, request)
            if request.targets
            else prediction_table(some, model, target, outcome)
        ).assign(permutation=permutation_in(run))
        return table[_in_order(table, list(names))]

    predictions = tabulated(fits)
    write_tsv(predictions, f"{out}.predictions.tsv")
    write_tsv(members_table(fits, tabulated, predictions), f"{out}.members.tsv")
    several = tuple(request.targets)
    write_tsv(_training_table(fits, model, several), f"{out}.training.tsv")
    write_tsv(_curves_table(fits, model, several), f"{out}.curves.tsv")
    write_tsv(_trials_table(fits, model, several), f"{out}.trials.tsv")
    write_tsv(_importance_table(fits, model, several), f"{out}.trials_importance.tsv")
    folder = Path(f"{out}.models")
    folder.mkdir(exist_ok=True)
    for fit in fits:
        if fit.save is not None:
            fit.save(folder / fit.scope.key)


def _encoders(path: Path, spec: ModelSpec, reader: GroupReader) -> "Pretrained":
    """Read pretrained encoders; refuse those that the model cannot begin from."""
    if spec.family not in PRETRAINED:
        raise UnusablePretrainingError(
            f"Model {spec.name!r} takes no pretrained encoders, only the families "
            f"{', '.join(PRETRAINED)} do: train it without --pretrained."
        )
    # It imports Keras, which the baselines do without.
    from omicsfusion.models.pretrained import read_pretrained, refuse_strangers

    encoders = read_pretrained(path)
    in_scopes = [reader.features(scope, spec.layers) for scope in reader.scopes]
    refuse_strangers(encoders, in_scopes)
    return encoders


def _in_order(predictions: pd.DataFrame, names: list[str]) -> list[str]:
    head = list(predictions.columns[:9])
    truth = [column for column in ("time", "event", "truth") if column in predictions]
    return [*head, *names, *truth]


def _scope_columns(fit: Fit, model: str, targets: Sequence[str]) -> dict[str, object]:
    """Say which fit a row is of; ``targets``: what it predicts, where there are several."""
    own = {"target": fit.target or ",".join(targets)} if targets else {}
    return {
        "model": model,
        **own,
        "repeat": fit.scope.repeat,
        "fold": fit.scope.fold,
        "inner": fit.scope.inner,
    }


def _columns(targets: Sequence[str], *more: str) -> list[str]:
    return ["model", *(["target"] if targets else []), "repeat", "fold", "inner", *more]


def _training_table(fits: Sequence[Fit], model: str, targets: Sequence[str]) -> pd.DataFrame:
    rows = [
        {**_scope_columns(fit, model, targets), **{c: fit.record.get(c) for c in RECORD_COLUMNS}}
        for fit in fits
    ]
    return pd.DataFrame(rows)


def _curves_table(fits: Sequence[Fit], model: str, targets: Sequence[str]) -> pd.DataFrame:
    rows = [
        {
            **_scope_columns(fit, model, targets),
            "epoch": epoch,
            "train_loss": train,
            "stop_loss": stop,
        }
        for fit in fits
        for epoch, train, stop in fit.curve
    ]
    return pd.DataFrame(rows, columns=_columns(targets, "epoch", "train_loss", "stop_loss"))


def _trials_table(fits: Sequence[Fit], model: str, targets: Sequence[str]) -> pd.DataFrame:
    rows = [
        {**_scope_columns(fit, model, targets), **trial} for fit in fits for trial in fit.trials
    ]
    columns = _columns(targets, "trial", "state", "chosen", "score", "folds")
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=columns)


def _importance_table(fits: Sequence[Fit], model: str, targets: Sequence[str]) -> pd.DataFrame:
    rows = [
        {**_scope_columns(fit, model, targets), **row} for fit in fits for row in fit.importances
    ]
    return pd.DataFrame(rows, columns=_columns(targets, "parameter", "importance", "n_trials"))
