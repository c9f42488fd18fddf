"""How the training went: failed fits, epochs, learning curves."""

import pandas as pd

from omicsfusion.report.blocks import Chapter, Figure, Table
from omicsfusion.report.figures.lines import learning_curves
from omicsfusion.report.results import Results
from omicsfusion.report.words import count, model_name, model_order, quantity, span

MOST_CURVES = 25
MOST_NETWORKS = 4
MOST_REASONS = 10


def training_chapter(results: Results) -> Chapter:
    """Make the chapter from the logs of TRAIN."""
    networks = sorted(results["curves"]["model"].unique(), key=model_order)
    return Chapter(
        "training",
        "How the training went",
        {
            "summary": _summary(results["training"]),
            "fits": _fits(results["training"]),
            "failures": _failures(results["training"]),
            "curves": [_curves(results["curves"], model) for model in networks[:MOST_NETWORKS]],
        },
    )


def _summary(training: pd.DataFrame) -> str:
    if not len(training):
        return "No log of the training was published."
    failed = int((training["status"] == "failed").sum())
    if not failed:
        return f"All {count(len(training), 'fit')} finished."
    return (
        f"{failed} of {count(len(training), 'fit')} failed. Where a fit failed, its held-out "
        "samples count as predicted by chance; they are not left out of any number on this page."
    )


def _fits(training: pd.DataFrame) -> Table | None:
    rows = []
    for model in sorted(training["model"].unique(), key=model_order):
        fits = training[training["model"] == model]
        failed = int((fits["status"] == "failed").sum())
        epochs = pd.to_numeric(fits["best_epoch"]).dropna()
        best = f"{quantity(epochs.median())} ({span(list(epochs))})" if len(epochs) else "—"
        sizes = span(list(fits["n_train"].dropna()))
        cells = [f"{len(fits):,}", f"{failed:,}", sizes, best, _setting(fits)]
        rows.append([model_name(model), *cells])
    header = ["Model", "Fits", "Failed", "Training samples", "Best epoch", "Setting on all samples"]
    caption = "Fits by model: outer folds, inner folds, and all training samples"
    note = "Best epoch: median and range over the fits; the weights of that epoch are used."
    return Table(caption, header, rows, text_columns=(5,), note=note) if rows else None


def _setting(fits: pd.DataFrame) -> str:
    final = fits.loc[fits["inner"] == "final", "setting"].dropna()
    return str(final.iloc[0]) if len(final) else "—"


def _failures(training: pd.DataFrame) -> list[str]:
    failed = training[training["status"] == "failed"].fillna({"reason": "no reason given"})
    groups = failed.groupby(["model", "reason"]).size()
    told = [
        f"{model_name(str(model))}, {count(n, 'fit')}: {reason}"
        for (model, reason), n in groups.items()
    ]
    more = len(told) - MOST_REASONS
    return told[:MOST_REASONS] + ([f"And {count(more, 'further reason')}."] if more > 0 else [])


def _curves(curves: pd.DataFrame, model: str) -> Figure:
    shown = curves[(curves["model"] == model) & curves["inner"].isin(["outer", "final"])]
    fits = shown[["repeat", "fold"]].drop_duplicates().sort_values(["repeat", "fold"])
    shown = shown.merge(fits.head(MOST_CURVES), on=["repeat", "fold"])
    shown = shown.sort_values(["repeat", "fold", "epoch"])
    data, layout, height = learning_curves(shown)
    some = f" (the first {MOST_CURVES} of {len(fits)})" if len(fits) > MOST_CURVES else ""
    last = shown.groupby(["repeat", "fold"])["epoch"].max()
    return Figure(
        f"learning-{_identifier(model)}",
        f"{model_name(model)}: losses of the fits of the outer folds and of all training samples"
        f"{some}. Left, on the samples that train it; right, on those that stop it: where the "
        "right curves rise again, the network had begun to learn by heart.",
        f"Learning curves of {count(len(fits), 'fit')}, which ran for {span(list(last))} epochs.",
        data,
        layout,
        height,
    )


def _identifier(model: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in model)
