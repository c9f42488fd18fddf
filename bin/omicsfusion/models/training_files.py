"""The files of one TRAIN task: predictions, members, records, curves, trials and fitted models."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from omicsfusion.models.fit import Fit, prediction_names, prediction_table
from omicsfusion.models.members import members_table
from omicsfusion.models.request import TrainingRequest
from omicsfusion.models.targets import tables_of_targets
from omicsfusion.tables.tsv import write_tsv

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


def write_fits(
    out: str, fits: Sequence[Fit], request: TrainingRequest, target: str, permutation: int
) -> None:
    """Write the files of the contract (docs/architecture.md, TRAIN), their names beginning ``out``.

    Parameters
    ----------
    fits
        Of every scope of the group; of each target, where several are fitted by themselves.
    target
        Name of the target, for predictions of a single one.
    permutation
        Of the splits; 0 for the real outcome.
    """
    model, several = request.spec.name, tuple(request.targets)

    def tabulated(some: list[Fit]) -> pd.DataFrame:
        table = (
            tables_of_targets(some, model, request)
            if several
            else prediction_table(some, model, target, request.outcome)
        ).assign(permutation=permutation)
        return table[_in_order(table, request)]

    predictions = tabulated(list(fits))
    tables = {
        "predictions": predictions,
        "members": members_table(fits, tabulated, predictions),
        "training": _training_table(fits, model, several),
        "curves": _curves_table(fits, model, several),
        "trials": _trials_table(fits, model, several),
        "trials_importance": _importance_table(fits, model, several),
    }
    for name, table in tables.items():
        write_tsv(table, f"{out}.{name}.tsv")
    folder = Path(f"{out}.models")
    folder.mkdir(exist_ok=True)
    for fit in fits:
        if fit.save is not None:
            fit.save(folder / fit.scope.key)


def _in_order(predictions: pd.DataFrame, request: TrainingRequest) -> list[str]:
    outcomes = list(request.targets.values()) or [request.outcome]
    names = dict.fromkeys(n for one in outcomes for n in prediction_names(one, request.horizons))
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
