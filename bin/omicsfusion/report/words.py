"""How the page writes numbers and names: in one place, so that it does so alike everywhere."""

import math
from collections.abc import Iterable, Sequence

import pandas as pd

MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"
MISSING = "not defined"
FAMILIES = {
    "fused": "Fused network",
    "linear": "Linear model",
    "ipf": "Linear model with a penalty per layer",
    "priority": "Layers in priority order",
    "forest": "Random forest",
    "xgboost": "Boosted trees",
    "svm": "Support vector machine",
    "plsda": "Partial least squares",
    "factors": "Joint factors",
    "stacking": "Stacked layers",
    "clinical": "Clinical covariates only",
    "mask": "Which layers a patient has",
    "dummy": "Nothing known of a patient",
}
LONGEST_NAME = 40


def number(value: float, digits: int = 3) -> str:
    """Write an estimate of any size with so many significant digits; whole thousands in full."""
    if _undefined(value):
        return MISSING
    if value != 0 and not 1e-4 <= abs(value) < 1e7:
        text = f"{value:.{digits - 1}e}"
    else:
        before = math.floor(math.log10(abs(value))) + 1 if value else digits
        text = f"{value:,.{max(0, digits - before)}f}"
    return text.replace("-", MINUS)


def quantity(value: float, digits: int = 4) -> str:
    """Write something counted or measured: as :func:`number`, without zeros at its end."""
    text = number(value, digits)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def score(value: float, decimals: int = 2) -> str:
    """Write a metric that lies between -1 and 1, or near there."""
    if _undefined(value):
        return MISSING
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", MINUS)


def decimals_to_tell(values: Iterable[float]) -> int:
    """Return 2, or 3 where 2 decimals would show values as equal that are not.

    An interval from 0.504 must not be written as '0.50, above chance (0.50)'.
    """
    distinct = {value for value in values if not _undefined(value)}
    return 2 if len({f"{value:.2f}" for value in distinct}) == len(distinct) else 3


def interval(low: float, high: float, decimals: int = 2) -> str:
    """Write the ends of an interval of a score."""
    if _undefined(low) or _undefined(high):
        return "no interval"
    return f"{score(low, decimals)} to {score(high, decimals)}"


def count(n: float, noun: str, plural: str = "") -> str:
    """Write a number of things: '1 patient', '1,024 patients'."""
    return f"{int(n):,} {noun if int(n) == 1 else plural or noun + 's'}"


def share(part: float, whole: float) -> str:
    """Write a part of a whole in per cent."""
    if not whole:
        return MISSING
    percent = 100 * part / whole
    if 0 < percent < 1:
        return "under 1 %"
    return "over 99 %" if 99 < percent < 100 else f"{percent:.0f} %"


def p_value(p: float) -> str:
    """Write a p-value with its sign: 'p = 0.03', 'p < 0.001'."""
    if _undefined(p):
        return "p not defined"
    return "p < 0.001" if p < 0.001 else f"p = {number(p, 2)}"


def span(values: Sequence[float] | pd.Series, digits: int = 4) -> str:
    """Write the least and the greatest of some numbers, or the one number that all are."""
    defined = [value for value in values if not _undefined(value)]
    if not defined:
        return MISSING
    low, high = quantity(min(defined), digits), quantity(max(defined), digits)
    return low if low == high else f"{low}{DASH}{high}"


def listed(names: Sequence[str], word: str = "and") -> str:
    """Write names in a row: 'a, b and c'."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {word} {names[-1]}"


def shortened(name: str, longest: int = LONGEST_NAME) -> str:
    """Cut the middle out of a name that is too long for a figure; both ends tell names apart."""
    if len(name) <= longest:
        return name
    head = (longest - 1) * 2 // 3
    return f"{name[:head]}…{name[-(longest - 1 - head) :]}"


def sentence(text: str) -> str:
    """Return the text with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def lowered(name: str) -> str:
    """Return a name as it stands within a sentence; what begins with capitals stays (AUROC)."""
    keeps = len(name) > 1 and not name[1].islower()
    return name if keeps else name[:1].lower() + name[1:]


def told(value: object) -> str:
    """Return a cell of a table as text; what is missing is empty, a number is written as one."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return quantity(value)
    return str(value)


def times(n: int, whole: int) -> str:
    """Say in how many training sets something is so: 'all 12', '3 of 12'."""
    return f"all {whole:,}" if n == whole and whole > 1 else f"{n:,} of {whole:,}"


def family_of(model: str) -> str:
    """Return the first word of a model's name: ``fused+clinical`` is of the family ``fused``."""
    return model.partition("+")[0].partition("-")[0]


def model_name(model: str) -> str:
    """Say in words what a model's name means (family, then what it may see)."""
    stem, _, with_clinical = model.partition("+")
    base, _, only = stem.partition("-only-")
    base, _, minus = base.partition("-minus-")
    if base not in FAMILIES:
        return model
    if base == "clinical":
        return f"Clinical covariate {only} only" if only else FAMILIES[base]
    if model in ("mask", "dummy"):
        return FAMILIES[base]
    seen = f"{only} only" if only else f"all omics but {minus}" if minus else "all omics"
    return f"{FAMILIES[base]}, {seen}{' and clinical' if with_clinical else ''}"


def short_model_name(model: str) -> str:
    """Say the same in fewer words where the model sees what its family sees by default."""
    return FAMILIES.get(model) or model_name(model)


def model_order(model: str) -> tuple[int, int, str]:
    """Sort key: as ``FAMILIES``, unknown models last; the plain one of a family first."""
    family = family_of(model)
    place = list(FAMILIES).index(family) if family in FAMILIES else len(FAMILIES)
    return place, int(model != family), model


def output_name(output: str) -> str:
    """Say in words what a model's output is; of targets after the first with their name."""
    target, colon, own = output.rpartition(":")
    words = {"risk": "the risk", "mean": "the predicted value"}
    return f"{target}: {words[own]}" if colon and own in words else words.get(output, output)


def _undefined(value: float) -> bool:
    return value is None or value is pd.NA or not math.isfinite(value)
