"""What the metrics are called and what they mean, in a sentence for people who do not use them."""

from dataclasses import dataclass

import pandas as pd

from omicsfusion.report.words import interval, number, quantity, score


@dataclass(frozen=True)
class Metric:
    """A metric in words.

    Attributes
    ----------
    label
        What it is called.
    meaning
        What the number says, a sentence.
    scale
        Whether it lies on a fixed scale, and two decimals do; else it has the unit of the outcome.
    """

    label: str
    meaning: str
    scale: bool = True


METRICS = {
    "balanced_accuracy": Metric(
        "Balanced accuracy",
        "The share of each class that was recognised, averaged over the classes, so that a rare "
        "class counts as much as a common one. 1 is perfect.",
    ),
    "auroc": Metric(
        "AUROC",
        "How often a patient of a class gets a higher probability of it than a patient of another "
        "class; averaged over the classes. 0.5 is guessing, 1 is perfect.",
    ),
    "auprc": Metric(
        "AUPRC",
        "Of those with the highest probabilities of a class, the share that belongs to it, "
        "averaged over where one stops and over the classes. 1 is perfect; guessing reaches the "
        "base rate.",
    ),
    "auprc_base": Metric(
        "AUPRC base rate",
        "What guessing reaches as AUPRC: the share of a class, averaged over the classes.",
    ),
    "macro_f1": Metric(
        "Macro F1",
        "Balances how many of a class are found with how many of those named so belong to it; "
        "averaged over the classes. 1 is perfect.",
    ),
    "accuracy": Metric("Accuracy", "The share of all samples that got the right class."),
    "log_loss": Metric(
        "Log loss",
        "How surprised the predicted probabilities are by the truth, after correction for how "
        "common the classes are among the training samples; lower is better, and a confident "
        "error costs much.",
        scale=False,
    ),
    "brier": Metric(
        "Brier score",
        "Squared distance of the predicted probabilities from the truth, after correction for how "
        "common the classes are among the training samples, 0 to 2; lower is better.",
    ),
    "calibration_slope": Metric(
        "Calibration slope",
        "How much of a predicted difference between patients of a fold is there in truth: 1 is "
        "right, below 1 the predictions lie too far apart (overfitting), above 1 too close "
        "together; 0 is knowing nothing.",
    ),
    "mcc": Metric(
        "Matthews correlation",
        "Correlation of true and predicted classes: 0 is guessing, 1 is perfect.",
    ),
    "c_index": Metric(
        "C-index",
        "Of two patients of whom one is known to have had the event first, how often that one had "
        "the higher predicted risk. 0.5 is guessing, 1 is perfect.",
    ),
    "uno_c": Metric(
        "Uno's C",
        "The C-index with weights that make up for patients who left observation early.",
    ),
    "antolini_c": Metric(
        "Antolini's C",
        "The C-index by the predicted probabilities to live until the event, so that the order of "
        "two patients may change with time; taken at the first horizon after the event.",
    ),
    "ibs": Metric(
        "Integrated Brier score",
        "The Brier score averaged over time, from the first horizon to the last before nine "
        "tenths of the training patients have left observation; 0 is perfect, lower is better.",
    ),
    "r2": Metric(
        "R²",
        "The share of the outcome's variation that the predictions account for. 0 is no better "
        "than always predicting the mean, 1 is perfect, and below 0 is worse than the mean.",
    ),
    "rmse": Metric(
        "Root mean squared error",
        "Typical size of an error, in the unit of the outcome; large errors count more.",
        scale=False,
    ),
    "mae": Metric(
        "Mean absolute error", "Mean size of an error, in the unit of the outcome.", scale=False
    ),
    "pearson": Metric(
        "Pearson correlation", "How well predicted and observed values lie on a straight line."
    ),
    "spearman": Metric(
        "Spearman correlation", "How well the order of the predictions is that of the truth."
    ),
}


HEADLINES = {"balanced_accuracy": "a balanced accuracy", "c_index": "a C-index", "r2": "an R²"}
"""The headline metrics as they stand in the first sentence of the page."""


AT_A_TIME = {
    "brier": (
        "Brier score at {}",
        "Squared distance of the predicted probability to live beyond time {} from what happened, "
        "allowing for censoring; 0 is perfect, lower is better.",
    ),
    "auc": (
        "AUC at {}",
        "How often a patient who had the event by time {} had a lower predicted probability to "
        "live beyond it than one who lived on, allowing for censoring. 0.5 is guessing, 1 is "
        "perfect.",
    ),
    "mean_calibration": (
        "Mean calibration at {}",
        "Mean predicted probability to live beyond time {} minus the observed share: 0 is right, "
        "above 0 the predictions are too hopeful.",
    ),
}
"""Label and meaning of ``<metric>@<time>``, to be filled in with the time."""

OF_A_CLASS = {
    "recall": ("Recall of {}", "The share of this class that was recognised."),
    "mean_calibration": (
        "Mean calibration of {}",
        "Mean predicted probability of this class minus its share: 0 is right, above 0 the class "
        "is expected too often.",
    ),
}
"""Label and meaning of ``<metric>:<class>``."""


def metric_in_words(name: str) -> Metric:
    """Return a metric in words; of ``<metric>@<time>`` and ``<metric>:<class>`` too."""
    kind, _, class_name = name.partition(":")
    if class_name and kind in OF_A_CLASS:
        label, meaning = OF_A_CLASS[kind]
        return Metric(label.format(class_name), meaning)
    kind, _, time = name.partition("@")
    if time and kind in AT_A_TIME:
        at = quantity(float(time))
        label, meaning = (text.format(at) for text in AT_A_TIME[kind])
        return Metric(label, meaning)
    return METRICS.get(name, Metric(name, ""))


def metric_cell(row: pd.Series | None, name: str) -> str:
    """Write an estimate with its interval in a cell."""
    if row is None:
        return "—"
    if metric_in_words(name).scale:
        return f"{score(row['estimate'], 3)}\n{interval(row['ci_low'], row['ci_high'], 3)}"
    ends = "no interval"
    if pd.notna(row["ci_low"]) and pd.notna(row["ci_high"]):
        ends = f"{number(row['ci_low'])} to {number(row['ci_high'])}"
    return f"{number(row['estimate'])}\n{ends}"


def is_of_a_class(name: str) -> bool:
    """Whether a metric is that of a single class, ``<metric>:<class>``."""
    return name.partition(":")[0] in OF_A_CLASS and ":" in name


def chance_of(metric: str, n_classes: int) -> float:
    """Return what a headline metric is when a model knows nothing."""
    if metric == "balanced_accuracy":
        return 1 / n_classes
    return 0.5 if metric == "c_index" else 0.0


def chance_in_words(metric: str) -> str:
    """Say what knowing nothing means for a headline metric."""
    return "always predicting the mean" if metric == "r2" else "guessing"
