"""The verdict of ASSESS and the headline numbers, in the words of the page."""

import math
from dataclasses import dataclass

import pandas as pd

from omicsfusion.report.chapters.controls import ENOUGH
from omicsfusion.report.metric_words import HEADLINES, chance_in_words, chance_of, metric_in_words
from omicsfusion.report.results import Results
from omicsfusion.report.words import (
    count,
    decimals_to_tell,
    family_of,
    interval,
    listed,
    lowered,
    p_value,
    score,
    sentence,
    short_model_name,
)

UNKNOWN = "unknown"

BETTER = {
    "helped": "Yes",
    "harmed": "No: worse",
    "did not help": "No",
    "cannot tell": "Cannot be told",
    "no usable signal": "No usable signal",
}
TONES = {
    "helped": "good",
    "harmed": "caution",
    "did not help": "plain",
    "cannot tell": "caution",
    "no usable signal": "caution",
}
QUESTIONS = {
    "shallow": (
        "Is deep fusion better than shallow models?",
        BETTER,
        "It takes a network, and a shallow model of the same layers such as linear.",
    ),
    "best_layer": (
        "Better than the best single layer?",
        BETTER,
        "It takes a model of one layer, such as linear-only-rna, beside the network.",
    ),
    "omics": (
        "Do omics add to clinical data?",
        {**BETTER, "did not help": "No more than a little"},
        "It takes covariates, and the models clinical and fused+clinical.",
    ),
}
"""Question of the verdict -> as the page asks it, its answers, and what it takes to ask it."""
AGAINST_CHANCE = {
    "above": ("Yes, better than chance", "good"),
    "level": ("Not shown", "caution"),
    "below": ("No: worse than chance", "caution"),
    UNKNOWN: ("Not known", "caution"),
}
"""Where a model stands beside chance -> the answer and its tone."""


@dataclass(frozen=True)
class Answer:
    """A question, its answer in a few words, and why.

    Attributes
    ----------
    tone
        ``good``, ``plain`` or ``caution``: how the page sets it.
    """

    question: str
    answer: str
    reason: str
    tone: str = "plain"


def against_chance(row: pd.Series, chance: float) -> str:
    """Say where an interval lies: ``above``, ``level`` with, ``below`` chance, or ``unknown``."""
    if not math.isfinite(row["ci_low"]) or not math.isfinite(row["ci_high"]):
        return UNKNOWN
    if row["ci_low"] > chance:
        return "above"
    return "below" if row["ci_high"] < chance else "level"


def headline_sentence(results: Results, model: str) -> str:
    """Say what the main model reached, on whom, and what knowing nothing reaches."""
    row = results.metric(model, results.headline)
    name = short_model_name(model)
    if row is None or not math.isfinite(row["estimate"]):
        label = metric_in_words(results.headline).label
        return f"{name}: no {label} could be computed for {results.target}."
    chance = chance_of(results.headline, len(results.classes))
    decimals = _decimals(row, chance)
    estimate, ends = score(row["estimate"], decimals), _ends(row, decimals)
    return (
        f"The {lowered(name)} reached {HEADLINES[results.headline]} of {estimate} "
        f"(95 % interval {ends}) for {results.target}, on patients it had not been trained on. "
        f"{sentence(chance_in_words(results.headline))} "
        f"would reach {score(chance, decimals)}."
    )


def answer_to_chance(results: Results, model: str) -> Answer:
    """Answer whether the outcome can be predicted at all.

    By permuted outcomes where there are enough of them, as the verdict does, so that the two agree;
    else by the interval of the headline metric.
    """
    question = f"Can {results.target} be predicted?"
    row = results.metric(model, results.headline)
    if row is None:
        return Answer(question, "Not known", "The metric could not be computed.", "caution")
    whose = f"the {lowered(short_model_name(model))}"
    place = against_chance(row, chance_of(results.headline, len(results.classes)))
    found = results.verdict
    if found.get("network") != model or (found["n_controls"] or 0) < ENOUGH:
        short, tone = AGAINST_CHANCE[place]
        return Answer(question, short, _interval_beside_chance(results, row, place, whose), tone)
    better = found["beats_chance"]
    short, tone = AGAINST_CHANCE["above" if better else "below" if place == "below" else "level"]
    its = f"its {lowered(metric_in_words(results.headline).label)}"
    reason = (
        f"By {count(found['n_controls'], 'run')} with permuted outcomes the "
        f"{lowered(metric_in_words(found['metric']).label)} of {whose} is "
        f"{'' if better else 'not '}better than chance ({p_value(found['permutation_p'])}). "
        f"{_interval_beside_chance(results, row, place, its)}"
    )
    return Answer(question, short, reason, tone)


def _interval_beside_chance(results: Results, row: pd.Series, place: str, whose: str) -> str:
    """Say where an interval lies; ``place`` is that of ``against_chance``."""
    if place == UNKNOWN:
        return f"No interval of {whose} could be computed."
    chance = chance_of(results.headline, len(results.classes))
    decimals = _decimals(row, chance)
    level = f"{chance_in_words(results.headline)} ({score(chance, decimals)})"
    rest = f" of {whose}, {_ends(row, decimals)},"
    if place == "level":
        return f"The interval{rest} includes {level}."
    return f"The whole interval{rest} lies {place} {level}."


def answer_to_question(results: Results, name: str) -> Answer:
    """Answer one of the questions of the verdict, in its words."""
    question, words, otherwise = QUESTIONS[name]
    asked = {found["question"]: found for found in results.verdict.get("questions", ())}
    if name not in asked:
        reason = otherwise if results.verdict else "This run is from before verdicts were given."
        return Answer(question, "Not compared", reason, "caution")
    found = asked[name]
    label = metric_in_words(found["metric"]).label
    decimals = decimals_to_tell([found["score"], found["score_against"]])
    ends = interval(found["ci_low"], found["ci_high"])
    numbers = (
        f"{label} {score(found['score'], decimals)} against "
        f"{score(found['score_against'], decimals)} for {best_of(found['against'])}; "
        f"difference {score(found['difference'], decimals)} (90 % interval {ends})"
    )
    why = f": {listed(found['reasons'])}" if found["reasons"] else ""
    # An interval wholly below nought leaves not even a little.
    told = BETTER if found["ci_high"] <= 0 else words
    return Answer(question, told[found["verdict"]], f"{numbers}{why}.", TONES[found["verdict"]])


def best_of(models: str) -> str:
    """Write a side of a comparison: a model, or the best of several, within a sentence."""
    names = [lowered(short_model_name(model)) for model in models.split(";")]
    return names[0] if len(names) == 1 else f"the best of {listed(names)}"


def lead_sentence(results: Results) -> str:
    """Return the first sentence of the page: the verdict, or for older runs what was reached."""
    return results.verdict.get("sentence") or headline_sentence(results, main_model(results))


def answer_to_course(results: Results) -> Answer:
    """Answer whether all fits finished and everybody was used."""
    training, accounting = results["training"], results["accounting"]
    failed = int((training["status"] == "failed").sum())
    left_out = int((accounting["status"] == "left_out").sum())
    warnings = len(results.problems)
    facts = [
        f"{failed} of {count(len(training), 'fit')} failed",
        f"{left_out} of {count(len(accounting), 'sample')} left out",
        f"{count(warnings, 'warning')} about the input",
    ]
    question = "Did all go as planned?"
    if not (failed or left_out or warnings):
        fits = f"All {count(len(training), 'fit')} finished, " if len(training) else ""
        everyone = f"every one of {count(len(accounting), 'sample')} was used, no warnings."
        return Answer(question, "Yes", f"{fits}{everyone}", "good")
    return Answer(
        question, "With remarks", f"{', '.join(facts)}.", "caution" if failed else "plain"
    )


def main_model(results: Results) -> str:
    """Return the model that the page is about: the fused network, or the first there is."""
    return results.models[0]


def is_network(model: str) -> bool:
    """Whether a model's name says that it is the fused network."""
    return family_of(model) == "fused"


def _ends(row: pd.Series, decimals: int = 2) -> str:
    return interval(row["ci_low"], row["ci_high"], decimals)


def _decimals(row: pd.Series, chance: float) -> int:
    return max(decimals_to_tell([row[end], chance]) for end in ("ci_low", "ci_high"))
