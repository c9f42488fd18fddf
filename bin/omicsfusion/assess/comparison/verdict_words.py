"""The verdict in words: sentences for people, from what ``verdict.json`` says in numbers."""

from collections.abc import Mapping
from typing import Any

from omicsfusion.assess.comparison.chance import ALPHA, LEAST_CONTROLS
from omicsfusion.assess.comparison.roles import OMICS, SHALLOW
from omicsfusion.assess.comparison.verdict import (
    CANNOT_TELL,
    DID_NOT_HELP,
    HARMED,
    HELPED,
    NO_SIGNAL,
)

METRICS = {"auroc": "AUROC", "c_index": "C-index", "r2": "R²"}

BEGINNINGS = {
    HELPED: "Deep fusion helped",
    HARMED: "Deep fusion harmed",
    DID_NOT_HELP: "Deep fusion did not help",
    CANNOT_TELL: "Deep fusion cannot be told apart",
    NO_SIGNAL: "Deep fusion found no usable signal",
}
MINUS = "\N{MINUS SIGN}"

Found = Mapping[str, Any]


def sentences_of(found: Found) -> dict[str, Any]:
    """Write the sentence of the verdict and what is to be said beside it.

    Parameters
    ----------
    found
        Of one target, as :func:`.judging.judge` returns it, with ``metric`` and ``label_source``.

    Returns
    -------
    ``sentence``, the verdict with its numbers, and ``caveats``, a list of sentences.
    """
    asked = {question["question"]: question for question in found["questions"]}
    headline = asked.get(SHALLOW)
    if found["network"] is None:
        first = "No network of all omics was trained, so there is nothing to say of deep fusion."
    elif headline is None:
        first = (
            "Deep fusion was not compared: no shallow model of the same layers was trained "
            "beside it."
        )
    else:
        first = _headline(headline, found["metric"])
    parts = [first, _omics(asked.get(OMICS), found["equivalence"]), _more(headline)]
    return {"sentence": " ".join(filter(None, parts)), "caveats": caveats(found, headline)}


def caveats(found: Found, headline: Found | None) -> list[str]:
    """Say what the verdict rests on, and what may lie behind it."""
    said = []
    if headline is not None and headline["reasons"]:
        said.append(f"Why not more: {'; '.join(headline['reasons'])}.")
    if headline is not None and headline["rival"] and headline["difference"] > 0:
        rival = headline["rival"]
        said.append(
            f"Alone, {rival['model']} scores {signed_score(rival['score'])}, no less than the "
            "network on the same patients: the difference is what choosing a model in each fold by "
            "its inner folds has cost, and no gain of the network."
        )
    if found["beats_chance"] is not None:
        said.append(_about_chance(found))
    if found["omics_permutation_p"] is not None:
        said.append(_about_omics(found))
    # A network that helped did so untuned; of any other one the reader wonders.
    if headline is not None and headline["verdict"] != HELPED and not found["networks_tuned"]:
        said.append(
            "The network was not tuned (--trials tunes it); the shallow models were, by the inner "
            "folds. Whether a tuned network would do better was not asked."
        )
    if found["network"] and found["mask_not_asked"]:
        said.append(
            "Not all patients have all layers, and which ones a patient has may tell of the "
            "outcome. The model mask, which would say how much, was not trained."
        )
    # The headline comes first; without a network the question about omics is the only one.
    if found["questions"] and found["questions"][0]["method"] == "bootstrap":
        said.append(
            "The folds do not allow the corrected t-test (it needs k-fold with at least 5 folds of "
            "one size and 2 repeats), so the p-value is that of a bootstrap of the patients: it "
            "does not include what training on other patients would change."
        )
    if found["label_source"]:
        said.append(
            f"The outcome was made from the layer {found['label_source']}: models that see it "
            "find what its makers put there, and no gain or loss of other layers is a discovery."
        )
    return said


def model_in_words(names: str) -> str:
    """Return a model, or the best of several as the inner folds chose it, within a sentence."""
    several = names.split(";")
    if len(several) == 1:
        return names
    listed = f"{', '.join(several[:-1])} and {several[-1]}"
    return f"the best of {listed} (chosen in each fold by its inner folds)"


def signed_score(value: float | None) -> str:
    """Write a score or a difference with two decimals; three where two would show nothing."""
    if value is None:
        return "not defined"
    text = f"{value:.2f}" if abs(value) >= 0.005 or value == 0 else f"{value:.3f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", MINUS)


def counted(n: int, noun: str) -> str:
    """Write a number of things: '1 fold', '1,024 patients'."""
    return f"{n:,} {noun if n == 1 else noun + 's'}"


def _headline(question: Found, metric: str) -> str:
    n = [counted(question["n_folds"], "fold"), counted(question["n_patients"], "patient")]
    if question["n_events"] is not None:
        n.append(counted(question["n_events"], "event"))
    return (
        f"{BEGINNINGS[question['verdict']]}: {METRICS[metric]} {signed_score(question['score'])} "
        f"against {signed_score(question['score_against'])} for "
        f"{model_in_words(question['against'])}, difference {difference_in_words(question)}; "
        f"{', '.join(n)})."
    )


def difference_in_words(question: Found) -> str:
    """Write a difference and its interval, the bracket left open for what else is counted."""
    ends = f"{signed_score(question['ci_low'])} to {signed_score(question['ci_high'])}"
    return f"{signed_score(question['difference'])} (90 % CI {ends}"


def _omics(question: Found | None, equivalence: float) -> str:
    if question is None:
        return ""
    if question["verdict"] == NO_SIGNAL:
        return "Clinical data and omics together are not better than chance."
    says = {
        HELPED: "add",
        HARMED: f"add less than {equivalence:g}",
        DID_NOT_HELP: f"add less than {equivalence:g}",
        CANNOT_TELL: "may or may not add",
    }[question["verdict"]]
    return f"Omics {says} to clinical data ({signed_score(question['difference'])})."


def _more(question: Found | None) -> str:
    needed = question["needed"] if question else None
    if question is None or needed is None:
        return ""
    noun = "patients" if question["n_events"] is None else "events"
    to_see = f"To see a difference of {signed_score(needed['effect'])}:"
    if needed["beyond"]:
        return f"{to_see} not by more samples of this kind."
    low, high = needed["low"], needed["high"]
    number = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return f"{to_see} about {number} {noun}."


def _about_chance(found: Found) -> str:
    name = METRICS[found["metric"]]
    low = f"the lower end of its 95 % interval, {signed_score(found['score_low'])}"
    side = "above" if found["beats_chance"] else "not above"
    level = f"{side} chance ({signed_score(found['chance'])})"
    if found["permutation_p"] is None:
        return f"No negative control was run; the {name} of the network: {low}, is {level}."
    n, p = counted(found["n_controls"], "negative control"), f"p = {found['permutation_p']:.2g}"
    if found["n_controls"] < LEAST_CONTROLS:
        return f"By {n} {p}, which are too few to decide; of the {name} {low}, is {level}."
    than = "is" if found["beats_chance"] else "is not"
    return f"By {n} the network {than} better than chance ({p})."


def _about_omics(found: Found) -> str:
    n = counted(found["n_omics_controls"], "negative control")
    p = f"p = {found['omics_permutation_p']:.2g}"
    if found["n_omics_controls"] < LEAST_CONTROLS:
        return f"By {n} with permuted omics {p} for what omics add; they are too few to decide."
    than = "more than" if found["omics_permutation_p"] <= ALPHA else "not more than"
    return f"By {n} omics add {than} permuted omics do ({p})."
