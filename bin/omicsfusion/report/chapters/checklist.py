"""A reviewer's checklist: what the run can say of it, and what is left for the authors.

Items are those of TRIPOD+AI (Collins et al., BMJ 385, 2024, e078378) and REMARK (McShane et al., J
Natl Cancer Inst 97, 2005, 1180-1184), by their numbers, in words of our own.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from omicsfusion.report.blocks import Chapter, Table
from omicsfusion.report.metric_words import metric_in_words
from omicsfusion.report.results import Results
from omicsfusion.report.words import count, listed, model_name, share, short_model_name, span


@dataclass(frozen=True)
class Item:
    """One thing that a reviewer looks for.

    Attributes
    ----------
    tripod, remark
        Numbers in the two checklists; empty where one does not ask.
    topic
        What is asked.
    said
        From the results to what the run says of it.
    """

    tripod: str
    remark: str
    topic: str
    said: Callable[[Results], str]


def checklist_chapter(results: Results) -> Chapter:
    """Make the chapter from what the other chapters are made of."""
    filled = [[item.tripod, item.remark, item.topic, item.said(results)] for item in FROM_THE_RUN]
    open_items = [[tripod, remark, topic] for tripod, remark, topic in FOR_THE_AUTHORS]
    header = ["TRIPOD+AI", "REMARK", "Item"]
    return Chapter(
        "checklist",
        "A reviewer's checklist",
        {
            "filled": Table(
                "What this run can say", [*header, "What the run says"], filled, (1, 2, 3)
            ),
            "open": Table("What the authors have to say", header, open_items, (1, 2)),
        },
    )


def _data(results: Results) -> str:
    layers = results["layers"].sort_values(["layer", "kind"]).drop_duplicates("layer")
    named = [f"{row['layer']} ({row['kind']})" for row in layers.to_dict("records")]
    return f"Tables given: {listed(named)}. Each file's origin is for the authors to say."


def _flow(results: Results) -> str:
    accounting = results["accounting"]
    left_out = int((accounting["status"] == "left_out").sum())
    return (
        f"{count(len(accounting), 'sample')} seen, {left_out:,} left out, each with its reason: "
        "chapter 'Who is in it', input/sample_accounting.tsv."
    )


def _preparation(results: Results) -> str:
    return (
        "Each layer's steps, fitted on training samples only: chapter on preparation, "
        "preprocess/*.steps.tsv."
    )


def _outcome(results: Results) -> str:
    times = results["predictions"].filter(regex="^s_").columns
    at = f", predicted at the times {listed([name[2:] for name in times])}" if len(times) else ""
    return f"{results.target} ({results.task}){at}. Who assessed it and how: for the authors."


def _predictors(results: Results) -> str:
    features = results["features"]
    outer = features[features["inner"] == "outer"]
    sizes = [
        f"{layer}: {span(list(rows['n_in']))} measured, {span(list(rows['n_kept']))} kept"
        for layer, rows in outer.groupby("layer")
    ]
    return f"Features by layer in the outer training sets: {'; '.join(sizes)}." if sizes else "—"


def _size(results: Results) -> str:
    training = _training(results)
    return (
        f"All that there were: {count(training['patient'].nunique(), 'patient')}"
        f"{_events(results, training)}. It was not planned by this run; whether it is enough is "
        "told with the answer."
    )


def _missing(results: Results) -> str:
    training = _training(results)
    n_layers = results["layers"]["layer"].nunique()
    having = training["layers"].fillna("").map(lambda names: len(str(names).split(";")))
    lacking = int((having < n_layers).sum())
    return (
        f"{share(lacking, len(training))} of the training samples lack a layer; they stay in and "
        "models are told what is missing. Single missing values were imputed by what training "
        "samples say (preprocess/*.imputation.tsv)."
    )


def _partition(results: Results) -> str:
    splits = results["splits"]
    outer = splits[splits["inner"] == "outer"].drop_duplicates(["repeat", "fold"])
    return (
        f"{count(len(outer), 'outer training set')} in {count(outer['repeat'].nunique(), 'repeat')}"
        ", inner folds in each; patients are never parted (splits/splits.tsv, guards)."
    )


def _models(results: Results) -> str:
    return (
        f"{listed([short_model_name(model) for model in results.models])}; tuned in inner folds "
        "only (chapter 'How the training went', models/*.training.tsv)."
    )


def _measures(results: Results) -> str:
    table = results["metrics"]
    names = [
        metric_in_words(metric).label for metric in table.loc[table["scope"] == "test", "metric"]
    ]
    return f"{listed(list(dict.fromkeys(names)))}; intervals by bootstrap of patients."


def _balance(results: Results) -> str:
    if results.task != "classification":
        return "Not a classification."
    shares = _training(results)["truth"].value_counts(normalize=True)
    return (
        f"Rarest class {shares.min():.0%}, most common {shares.max():.0%} of the training samples. "
        "Models weigh classes equally; probabilities are corrected before they are judged."
    )


def _groups(results: Results) -> str:
    n = len(results["by_pattern"])
    told = "by the layers that patients have (assess/metrics_by_pattern.tsv)" if n else "not made"
    return f"Scores in groups of patients: {told}. Groups of people: for the authors."


def _evaluation(results: Results) -> str:
    external = results["samples"][results["samples"]["role"] == "external"]
    if not len(external):
        return "Held-out folds of the same cohort; no other cohort was given."
    return f"{count(len(external), 'external sample')} beside held-out folds of the cohort."


def _code(results: Results) -> str:
    version = f" {results.version}" if results.version else ""
    seed = f", seed {results.params['seed']}" if "seed" in results.params else ""
    return f"omicsfusion{version}{seed}; parameters and versions of all software in pipeline_info/."


def _participants(results: Results) -> str:
    training = _training(results)
    return (
        f"{count(training['patient'].nunique(), 'patient')}, {count(len(training), 'sample')}"
        f"{_events(results, training)}; by layer and outcome in the chapter 'Who is in it'."
    )


def _specification(results: Results) -> str:
    return "Fitted models of every outer training set and of all samples: models/*.models/."


def _performance(results: Results) -> str:
    row = results.metric(results.models[0], results.headline)
    if row is None:
        return "The headline metric could not be computed."
    label = metric_in_words(results.headline).label
    return (
        f"{model_name(results.models[0])}: {label} {row['estimate']:.3f} ({row['ci_low']:.3f} to "
        f"{row['ci_high']:.3f}); all models and metrics in assess/metrics.tsv."
    )


def _beside_standard(results: Results) -> str:
    if not any(model.startswith("clinical") for model in results.models):
        return "No covariates were given, so that nothing says what omics add to them."
    return "A model of the covariates alone stands beside all others on the same patients."


def _limits(results: Results) -> str:
    return "Of the method: under 'What this does not show'. Of the data: for the authors."


def _training(results: Results) -> pd.DataFrame:
    samples = results["samples"]
    return samples[samples["role"] == "train"]


def _events(results: Results, training: pd.DataFrame) -> str:
    if results.task != "survival":
        return ""
    events = training.loc[training["event"] == 1, "patient"].nunique()
    return f", {count(events, 'event')}"


FROM_THE_RUN = (
    Item("5a", "4, 5", "Sources of the data, assays", _data),
    Item("6b, 20a", "2, 12", "Who could be in it, and the flow of participants", _flow),
    Item("7", "11", "How data were prepared", _preparation),
    Item("8a", "7", "The outcome, and its time horizon", _outcome),
    Item("9a, 9b", "8", "Predictors and how they were chosen", _predictors),
    Item("10", "9", "Sample size", _size),
    Item("11", "10", "Missing data", _missing),
    Item("12a, 12b", "10", "How data were divided, and what was fitted on which part", _partition),
    Item("12c", "10, 18", "Models, tuning, internal validation", _models),
    Item("12d, 14", "12", "Differences between groups, fairness", _groups),
    Item("12e", "10", "Measures of performance", _measures),
    Item("13", "", "Classes of unequal size", _balance),
    Item("16", "", "Differences between training and evaluation data", _evaluation),
    Item("18f", "", "Code and settings", _code),
    Item("20b, 21", "13", "Participants and events", _participants),
    Item("22", "16", "The model, so that others can predict with it", _specification),
    Item("23a", "15, 16", "Performance, with intervals", _performance),
    Item("23b", "14, 17", "Beside standard prognostic variables", _beside_standard),
    Item("26", "19", "Limitations", _limits),
)

FOR_THE_AUTHORS = (
    ("1, 2", "", "Title and abstract that name the task, the outcome and the population"),
    ("3a–3c, 4", "1", "Clinical context, inequalities known in it, objectives and hypotheses"),
    ("5b, 6a", "2, 6", "Dates, setting and places, prospective or not, length of follow-up"),
    ("6c", "3", "Treatments received"),
    ("8b, 8c, 9c", "5, 7", "Who assessed outcome and predictors, and whether blind to the other"),
    ("15, 27a–27c", "20", "What the prediction is for, who acts on it, what data it then needs"),
    ("17", "", "Ethical approval and consent"),
    ("18a–18e", "", "Funding, conflicts of interest, protocol, registration, access to the data"),
    ("19", "", "Involvement of patients and the public"),
    ("20c", "", "How participants differ from those for whom a model was developed earlier"),
    ("24", "", "Updating of an earlier model, if there was one"),
    ("25", "19, 20", "Interpretation beside earlier studies; what should be done next"),
)
