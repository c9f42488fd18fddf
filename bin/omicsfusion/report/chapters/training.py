"""How the training went: failed fits, epochs, training curves, tuning."""

import numpy as np
import pandas as pd

from omicsfusion.report.blocks import Chapter, Figure, Table
from omicsfusion.report.chapters.tuning import tuned_networks
from omicsfusion.report.figures.lines import training_curves
from omicsfusion.report.results import Results
from omicsfusion.report.words import (
    count,
    listed,
    lowered,
    model_name,
    model_order,
    quantity,
    short_model_name,
    span,
)

MOST_NETWORKS = 12
MOST_REASONS = 10
MOST_MODELS = 8
AT_EDGE = r"(?P<mark>at the edge of the grid)(?:: (?P<names>[^;]+))?"
"""How TRAIN marks a setting; which one it is stands behind, but for older runs."""


def training_chapter(results: Results) -> Chapter:
    """Make the chapter from the logs of TRAIN."""
    networks = sorted(results["curves"]["model"].unique(), key=model_order)
    return Chapter(
        "training",
        "How the training went",
        {
            "summary": _summary(results["training"]),
            "fits": _fits(results["training"]),
            "edges": _edges(results["training"]),
            "failures": _failures(results["training"]),
            "curves": [_curves(results, model) for model in networks[:MOST_NETWORKS]],
            "tuned": tuned_networks(results)[:MOST_NETWORKS],
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


def _edges(training: pd.DataFrame) -> str:
    """Count the fits that chose a setting at the edge of what was tried, by model.

    Fits of inner folds are not counted: mostly they were given the setting of their outer fold.
    """
    fits = training[training["inner"].isin(["outer", "final"])].dropna(subset=["setting"])
    if not len(fits):
        return ""
    marked = fits["setting"].str.extract(AT_EDGE)
    at_edge = fits.assign(names=marked["names"].fillna(""))[marked["mark"].notna()]
    if not len(at_edge):
        return "No fit chose a setting that is marked as at the edge of what was tried."
    told = []
    for model in sorted(at_edge["model"].unique(), key=model_order):
        here = at_edge.loc[at_edge["model"] == model, "names"]
        names = sorted({name for cell in here for name in cell.split(", ") if name})
        which = f" ({listed(names)})" if names else ""
        n = (fits["model"] == model).sum()
        told.append(f"{lowered(short_model_name(model))} {len(here):,} of {n:,}{which}")
    more = len(told) - MOST_MODELS
    rest = [f"and {count(more, 'further model')}"] if more > 0 else []
    return (
        f"In {len(at_edge):,} of {count(len(fits), 'fit')} (of outer folds, and of all training "
        "samples) the best setting stood at the edge of what was tried: "
        f"{', '.join([*told[:MOST_MODELS], *rest])}. A better one may lie beyond, so that these "
        "models may be worth more than this page shows; but where a layer tells nothing, the "
        "strongest penalty is the right one."
    )


def _failures(training: pd.DataFrame) -> list[str]:
    failed = training[training["status"] == "failed"].fillna({"reason": "no reason given"})
    groups = failed.groupby(["model", "reason"]).size()
    told = [
        f"{model_name(str(model))}, {count(n, 'fit')}: {reason}"
        for (model, reason), n in groups.items()
    ]
    more = len(told) - MOST_REASONS
    return told[:MOST_REASONS] + ([f"And {count(more, 'further reason')}."] if more > 0 else [])


def _curves(results: Results, model: str) -> dict[str, object]:
    of_sets = ["outer", "final"]
    curves, training = results["curves"], results["training"]
    shown = curves[(curves["model"] == model) & curves["inner"].isin(of_sets)]
    fits = training[(training["model"] == model) & training["inner"].isin(of_sets)]
    best = pd.to_numeric(fits["best_epoch"]).median()
    summary = curve_summary(shown)
    data, layout, height = training_curves(summary, best)
    n = len(shown[["repeat", "fold"]].drop_duplicates())
    told = f", median best epoch {quantity(best)}" if pd.notna(best) else ""
    line = " The dotted line is the median best epoch, whose weights are used." if told else ""
    figure = Figure(
        f"training-{_identifier(model)}",
        f"{model_name(model)}: losses of {count(n, 'fit')} (of the outer folds, and of all "
        "training samples): median, and band of the middle four fifths, until half of the fits "
        "had stopped; one that had stopped counts with its last loss. Left, on the samples that "
        "train it; right, on those that stop it: where the right curve rises again, the network "
        f"had begun to learn by heart.{line}",
        f"Training curves of {count(n, 'fit')}, of which at least half ran for "
        f"{quantity(summary['epoch'].max())} epochs{told}.",
        data,
        layout,
        height,
    )
    return {"name": f"{model_name(model)}: {count(n, 'fit')}{told}", "figure": figure}


def curve_summary(curves: pd.DataFrame) -> pd.DataFrame:
    """Summarise the losses of several fits by epoch.

    Parameters
    ----------
    curves
        ``repeat, fold, epoch, train_loss, stop_loss`` of one model's fits.

    Returns
    -------
    ``epoch``, and for both losses ``<loss>_low``, ``<loss>_median`` and ``<loss>_high`` (10th,
    50th and 90th percentile), by epoch, while at least half of the fits went on. A fit that has
    stopped counts with its last loss: were it left out, the curve would jump for the sole reason
    that its level was another.
    """
    last = curves.groupby(["repeat", "fold"])["epoch"].max().sort_values(ascending=False)
    until = int(last.iloc[(len(last) - 1) // 2])
    columns: dict[str, np.ndarray] = {}
    for loss in ("train_loss", "stop_loss"):
        by_fit = curves.pivot(index="epoch", columns=["repeat", "fold"], values=loss)
        shown = by_fit.ffill().loc[:until]
        columns["epoch"] = shown.index.to_numpy()
        for name, quantile in (("low", 0.1), ("median", 0.5), ("high", 0.9)):
            columns[f"{loss}_{name}"] = shown.quantile(quantile, axis="columns").to_numpy()
    return pd.DataFrame(columns)


def _identifier(model: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in model)
