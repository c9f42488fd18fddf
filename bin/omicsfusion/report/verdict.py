"""What the headline numbers say, without saying more than they do.

Nothing is tested here. Two intervals that do not overlap are called different, two that do are
called 'no different to the eye'; that is what a careful reader would say of the chart.
"""

import math
from dataclasses import dataclass

import pandas as pd

from omicsfusion.report.metric_words import HEADLINES, chance_in_words, chance_of, metric_in_words
from omicsfusion.report.results import Results
from omicsfusion.report.words import (
    count,
    decimals_to_tell,
    family_of,
    interval,
    listed,
    lowered,
    score,
    sentence,
    short_model_name,
)

UNKNOWN = "unknown"
BASELINES = {"clinical": "clinical covariates alone", "linear": "the linear model"}


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


def against(row: pd.Series, other: pd.Series) -> str:
    """Compare two models by their intervals: ``higher``, ``lower``, ``overlap`` or ``unknown``."""
    ends = [r[name] for r in (row, other) for name in ("ci_low", "ci_high")]
    if not all(math.isfinite(end) for end in ends):
        return UNKNOWN
    if row["ci_low"] > other["ci_high"]:
        return "higher"
    return "lower" if row["ci_high"] < other["ci_low"] else "overlap"


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
    """Answer whether the outcome can be predicted at all."""
    question = f"Can {results.target} be predicted?"
    row = results.metric(model, results.headline)
    if row is None:
        return Answer(question, "Not known", "The metric could not be computed.", "caution")
    chance = chance_of(results.headline, len(results.classes))
    decimals = _decimals(row, chance)
    ends = _ends(row, decimals)
    whole = f"The whole interval of the {lowered(short_model_name(model))}, {ends}, lies"
    level = f"{chance_in_words(results.headline)} ({score(chance, decimals)})"
    return {
        "above": Answer(
            question,
            "Yes, better than chance",
            f"{whole} above {level}.",
            "good",
        ),
        "level": Answer(
            question,
            "Not shown",
            f"The interval of the {lowered(short_model_name(model))}, {ends}, includes {level}.",
            "caution",
        ),
        "below": Answer(
            question,
            "No: worse than chance",
            f"{whole} below {level}.",
            "caution",
        ),
        UNKNOWN: Answer(question, "Not known", "No interval could be computed.", "caution"),
    }[against_chance(row, chance)]


def answer_to_baseline(results: Results, model: str, baseline: str) -> Answer:
    """Answer whether the main model's estimate differs from a baseline's."""
    question = {
        "clinical": "Better than clinical covariates alone?",
        "linear": "Better than a linear model?",
    }[baseline]
    row, other = (results.metric(m, results.headline) for m in (model, baseline))
    if row is None or other is None or baseline == model:
        why = {
            "clinical": "No model of clinical covariates alone was trained (--covariates).",
            "linear": "No linear model was trained beside it.",
        }[baseline]
        return Answer(question, "Not compared", why, "caution")
    decimals = decimals_to_tell([row["estimate"], other["estimate"]])
    numbers = f"{score(row['estimate'], decimals)} against {score(other['estimate'], decimals)}"
    ends = _ends(other, decimals)
    reason = f"{numbers} ({ends}) for {BASELINES[baseline]}"
    return {
        "higher": Answer(question, "Higher", f"{reason}; the intervals do not overlap.", "good"),
        "lower": Answer(question, "Lower", f"{reason}; the intervals do not overlap.", "caution"),
        "overlap": Answer(question, "No different to the eye", f"{reason}; the intervals overlap."),
        UNKNOWN: Answer(question, "Not known", f"{reason}; an interval is missing.", "caution"),
    }[against(row, other)]


def comparison_sentence(results: Results, model: str) -> str:
    """Say in one sentence how the main model stands beside the baselines."""
    row = results.metric(model, results.headline)
    said: dict[str, list[str]] = {}
    for baseline in BASELINES:
        other = results.metric(baseline, results.headline)
        if row is not None and other is not None and baseline != model:
            name = f"{BASELINES[baseline]} ({_estimate(other)})"
            said.setdefault(against(row, other), []).append(name)
    phrases = {
        "higher": "higher than {}",
        "lower": "lower than {}",
        "overlap": "no different to the eye from {}: the intervals overlap",
        UNKNOWN: "not to be compared with {}, for an interval is missing",
    }
    parts = [phrases[kind].format(listed(names)) for kind, names in said.items()]
    if not parts:
        return "No baseline was trained on the same folds, so there is nothing to compare it with."
    return f"On the same folds its estimate is {', and '.join(parts)}."


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


def _estimate(row: pd.Series) -> str:
    return f"{score(row['estimate'])}, {_ends(row)}"


def _ends(row: pd.Series, decimals: int = 2) -> str:
    return interval(row["ci_low"], row["ci_high"], decimals)


def _decimals(row: pd.Series, chance: float) -> int:
    return max(decimals_to_tell([row[end], chance]) for end in ("ci_low", "ci_high"))
