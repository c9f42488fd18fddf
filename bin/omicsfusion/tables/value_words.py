"""What IMPORT says of values that do not fit a layer's kind, and what to do about them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from omicsfusion.tables.problems import Problems

RuleName = Literal["negative", "fractional", "outside", "above one"]

# More negative counts than this share, or fractional ones, are no slips: the whole table was
# transformed.
MANY_NEGATIVE = 0.01
MOST_FRACTIONAL = 0.5
LOGGED_KINDS = {"rna_counts": "rna_log", "mirna_counts": "mirna_log"}


@dataclass(frozen=True)
class Judged:
    """What was seen of a layer's values.

    Attributes
    ----------
    n_known
        Values that are not missing.
    low, high
        The lowest and the highest.
    counts, places, files
        For each rule of the kind: how many cells break it, the first of them in words, and the
        file where the very first stands.
    """

    kind: str
    n_known: int
    low: float
    high: float
    counts: Mapping[RuleName, int]
    places: Mapping[RuleName, str]
    files: Mapping[RuleName, str]

    def share(self, rule: RuleName) -> float:
        """Cells that break a rule, over the values that are not missing."""
        return self.counts[rule] / self.n_known


def tell(judged: Judged, problems: Problems) -> None:
    """Report each rule that is broken."""
    for rule, count in judged.counts.items():
        if count:
            teller = _OF_KIND.get((judged.kind, rule)) or _OF_COUNTS[rule]
            teller(judged, judged.files[rule], problems)


def _negative_counts(judged: Judged, file: str, problems: Problems) -> None:
    cure = "A count is 0 or more: correct these cells, or leave them empty."
    if _looks_logged(judged):
        cure = "They look logged or centred: give the counts themselves."
        if judged.kind in LOGGED_KINDS:
            cure = (
                f"They look logged or centred: give kind {LOGGED_KINDS[judged.kind]} in the "
                "samplesheet, or give the counts themselves."
            )
    _report_error(
        judged, "negative", f"are negative, but the kind is {judged.kind}", cure, file, problems
    )


def _looks_logged(judged: Judged) -> bool:
    return judged.share("negative") > MANY_NEGATIVE or _mostly_fractional(judged)


def _mostly_fractional(judged: Judged) -> bool:
    return judged.share("fractional") > MOST_FRACTIONAL


def _fractional_counts(judged: Judged, file: str, problems: Problems) -> None:
    if judged.low < 0 and _mostly_fractional(judged):
        return  # said already, of the negative ones
    if judged.kind == "microbiome_counts":
        cure = "Relative abundances are no counts: give the numbers of reads, if you have them."
    else:
        cure = (
            "Expected counts (as RSEM and Salmon estimate them) are fine. Normalised values (CPM, "
            f"TPM, RPKM) are no counts: take their logarithm and give kind "
            f"{LOGGED_KINDS[judged.kind]}."
        )
    problems.warn(
        f"{judged.counts['fractional']} of {judged.n_known} values are no whole numbers, but the "
        f"kind is {judged.kind}: {judged.places['fractional']}.",
        cure,
        file=file,
    )


def _beta_outside(judged: Judged, file: str, problems: Problems) -> None:
    cure = "A beta value lies between 0 and 1: correct these cells, or leave them empty."
    if judged.share("outside") > 0.5:
        cure = "These look like M-values: give the beta values (M-values are computed from them)."
        if judged.low >= 0 and judged.high <= 100:
            cure = "These look like percentages: divide them by 100."
    _report_error(
        judged,
        "outside",
        "lie outside 0 to 1, but the kind is methylation_beta",
        cure,
        file,
        problems,
    )


def _negative_calls(judged: Judged, file: str, problems: Problems) -> None:
    _report_error(
        judged,
        "negative",
        "are negative, but the kind is mutation",
        "A call is 0 or 1 (or a number of mutations, or an allele fraction): correct these cells, "
        "or leave them empty.",
        file,
        problems,
    )


def _fractions_of_alleles(judged: Judged, file: str, problems: Problems) -> None:
    problems.warn(
        f"{judged.counts['fractional']} of {judged.n_known} calls are fractions: "
        f"{judged.places['fractional']}.",
        "If they are allele fractions (VAF) they count as mutated where they are above 0, unless "
        "--preprocess chooses otherwise.",
        file=file,
    )


def _several_mutations(judged: Judged, file: str, problems: Problems) -> None:
    problems.warn(
        f"{judged.counts['above one']} of {judged.n_known} calls are above 1: "
        f"{judged.places['above one']}.",
        "Numbers of mutations are fine: more than one counts as one, unless --preprocess chooses "
        "otherwise.",
        file=file,
    )


def _negative_metabolites(judged: Judged, file: str, problems: Problems) -> None:
    problems.warn(
        f"{judged.counts['negative']} of {judged.n_known} values are negative, but the kind is "
        f"metabolite: {judged.places['negative']}.",
        "The table was logged or centred before: scaling to a reference (PQN) and the logarithm "
        "are left out. Give the intensities themselves to have both.",
        file=file,
    )


def _report_error(
    judged: Judged, rule: RuleName, what: str, cure: str, file: str, problems: Problems
) -> None:
    problems.error(
        f"{judged.counts[rule]} of {judged.n_known} values {what}: {judged.places[rule]}.",
        cure,
        file=file,
    )


_Teller = Callable[[Judged, str, Problems], None]
_OF_COUNTS: dict[RuleName, _Teller] = {
    "negative": _negative_counts,
    "fractional": _fractional_counts,
}
_OF_KIND: dict[tuple[str, RuleName], _Teller] = {
    ("methylation_beta", "outside"): _beta_outside,
    ("mutation", "negative"): _negative_calls,
    ("mutation", "fractional"): _fractions_of_alleles,
    ("mutation", "above one"): _several_mutations,
    ("metabolite", "negative"): _negative_metabolites,
}
