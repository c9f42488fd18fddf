"""What the metrics are called and what they mean, in a sentence for people who do not use them."""

from dataclasses import dataclass

from omicsfusion.report.words import quantity


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


def metric_in_words(name: str) -> Metric:
    """Return a metric in words; of ``brier@<time>`` and ``recall:<class>`` too."""
    if name.startswith("brier@"):
        time = quantity(float(name.partition("@")[2]))
        meaning = (
            f"Squared distance of the predicted probability to live beyond time {time} from what "
            "happened, allowing for censoring; 0 is perfect, lower is better."
        )
        return Metric(f"Brier score at {time}", meaning)
    if name.startswith("recall:"):
        label = f"Recall of {name.partition(':')[2]}"
        return Metric(label, "The share of this class that was recognised.")
    return METRICS.get(name, Metric(name, ""))


def chance_of(metric: str, n_classes: int) -> float:
    """Return what a headline metric is when a model knows nothing."""
    if metric == "balanced_accuracy":
        return 1 / n_classes
    return 0.5 if metric == "c_index" else 0.0


def chance_in_words(metric: str) -> str:
    """Say what knowing nothing means for a headline metric."""
    return "always predicting the mean" if metric == "r2" else "guessing"
