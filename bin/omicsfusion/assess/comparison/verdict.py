"""The rule of the verdict: from numbers to one of five words. It knows nothing of their origin."""

import math
from dataclasses import dataclass, replace

NO_SIGNAL = "no usable signal"
HELPED = "helped"
HARMED = "harmed"
DID_NOT_HELP = "did not help"
CANNOT_TELL = "cannot tell"

ALPHA = 0.05
LEAST_SHARE = 0.8
"""A difference must have its sign in at least so many of the repeats."""

LEAST_EVENTS = 10
LEAST_OF_CLASS = 26
MOST_FAILED = 0.1


@dataclass(frozen=True)
class Margins:
    """Differences that matter.

    Attributes
    ----------
    superiority
        From here on a difference is worth having (``--margin``).
    equivalence
        Below it, it is not worth looking for (``--equivalence``).
    """

    superiority: float = 0.02
    equivalence: float = 0.05


@dataclass(frozen=True)
class Evidence:
    """What is known of a difference, first model minus second.

    Attributes
    ----------
    difference, ci_low, ci_high
        Mean and 90 % bootstrap interval.
    p_holm
        Two-sided, corrected for the questions asked together; NaN where there is no test.
    share_positive, share_negative
        Share of the repeats in which the difference is above, below 0.
    failed_share
        Share of the fits that failed.
    events_per_fold
        None unless survival.
    least_class
        Patients of the rarest class; None unless classification.
    beats_chance, beats_mask
        Whether the first model does; None where that is not asked, or no such model was trained.
    beats_permuted
        Whether the difference is larger than with permuted omics; None where that is not asked, or
        there are too few such controls.
    across_sites
        The same difference in a run that leaves sites out; None without one.
    rival
        A model which the second side might have been in every fold, and which does no worse than
        the first; None for none. The choice of each fold may do worse than all it chooses from.
    about
        What the first model is, in words.
    """

    difference: float
    ci_low: float
    ci_high: float
    p_holm: float
    share_positive: float
    share_negative: float
    failed_share: float
    events_per_fold: float | None = None
    least_class: int | None = None
    beats_chance: bool | None = None
    beats_mask: bool | None = None
    beats_permuted: bool | None = None
    across_sites: float | None = None
    rival: str | None = None
    about: str = "the network"


@dataclass(frozen=True)
class Verdict:
    """A word, and why it is not another one.

    Attributes
    ----------
    word
        One of the constants of this file.
    reasons
        Phrases; empty where the word says all.
    """

    word: str
    reasons: tuple[str, ...] = ()


def verdict(evidence: Evidence, margins: Margins) -> Verdict:
    """Apply the rule.

    Too little to judge by comes first, then whether there is a signal at all, then the difference.
    A claim that leaving sites out turns round is taken back to 'cannot tell', and so is a gain
    over models chosen in each fold where one of them alone does no worse.
    """
    too_little = _too_little(evidence)
    if too_little:
        return Verdict(CANNOT_TELL, too_little)
    no_signal = _no_signal(evidence)
    if no_signal:
        return Verdict(NO_SIGNAL, no_signal)
    word = _of_difference(evidence, margins)
    if word in (HELPED, HARMED) and _turned(evidence):
        return Verdict(
            CANNOT_TELL,
            (f"it {word}, but the difference turns round when whole sites are left out",),
        )
    if word == HELPED and evidence.rival:
        return Verdict(CANNOT_TELL, (f"it {word}, but {evidence.rival} alone does no worse",))
    return Verdict(word, () if word != CANNOT_TELL else (_undecided(evidence, margins),))


def is_useless(ci_high: float, p_holm: float, margin: float) -> bool:
    """Whether a model loses less than the margin when a layer is left out.

    Parameters
    ----------
    ci_high
        Upper end of the 90 % interval of what is lost.
    p_holm
        One-sided, of a loss of at least the margin; corrected for the layers asked together.
    """
    return bool(ci_high < margin and p_holm <= ALPHA)


def _too_little(evidence: Evidence) -> tuple[str, ...]:
    found = []
    if evidence.events_per_fold is not None and evidence.events_per_fold < LEAST_EVENTS:
        found.append(f"fewer than {LEAST_EVENTS} events per fold")
    if evidence.least_class is not None and evidence.least_class < LEAST_OF_CLASS:
        found.append(f"fewer than {LEAST_OF_CLASS} patients of a class")
    if evidence.failed_share > MOST_FAILED:
        found.append(f"more than {100 * MOST_FAILED:g} % of the fits failed")
    return tuple(found)


def _no_signal(evidence: Evidence) -> tuple[str, ...]:
    found = []
    if evidence.beats_chance is False:
        found.append(f"{evidence.about} is not better than chance")
    if evidence.beats_mask is False:
        found.append(f"{evidence.about} is not better than knowing which layers a patient has")
    return tuple(found)


def _of_difference(evidence: Evidence, margins: Margins) -> str:
    tested = evidence.p_holm <= ALPHA
    d, low, high = evidence.difference, evidence.ci_low, evidence.ci_high
    m = margins.superiority
    above = low > 0 and evidence.share_positive >= LEAST_SHARE
    if tested and d >= m and above and evidence.beats_permuted is not False:
        return HELPED
    below = high < 0 and evidence.share_negative >= LEAST_SHARE
    if tested and d <= -m and below:
        return HARMED
    return DID_NOT_HELP if high < margins.equivalence else CANNOT_TELL


def _turned(evidence: Evidence) -> bool:
    there = evidence.across_sites
    return there is not None and there * evidence.difference < 0


def _undecided(evidence: Evidence, margins: Margins) -> str:
    if not math.isfinite(evidence.ci_high):
        return "no interval could be computed"
    if _of_difference(replace(evidence, beats_permuted=None), margins) == HELPED:
        return "the difference is not larger than with permuted omics"
    return (
        f"the interval reaches {evidence.ci_high:.2f}, beyond {margins.equivalence:g}, "
        "and the difference is not sure enough to be one"
    )
