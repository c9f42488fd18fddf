"""Ids of samples and features: duplicates, near misses, and what spreadsheets do to them."""

import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from omicsfusion.tables.problems import Problems

SHOWN = 5

_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec"
_DATE = re.compile(
    rf"\d{{1,2}}-({_MONTHS})(-\d{{2,4}})?|({_MONTHS})-\d{{1,2}}|\d{{4}}-\d\d-\d\d( 00:00:00)?",
    re.IGNORECASE,
)
# Days since 1900 as a spreadsheet shows a date that was formatted as a number: 1982 to 2064.
_SERIAL = re.compile(r"[345]\d{4}")
_EXPONENT = re.compile(r"\d\.\d+E\+\d+", re.IGNORECASE)
_NUMERIC = re.compile(r"[\d.]+")

# How two spellings of one id differ, the most harmless first.
_SPELLINGS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("upper and lower case", str.lower),
    ("'.', '-', '_' or a blank", lambda text: re.sub(r"[.\-_ ]+", "-", text).strip("-").lower()),
    ("leading zeros", lambda text: re.sub(r"(?<!\d)0+(?=\d)", "", text).lower()),
    ("a letter X that R puts before a number", lambda text: re.sub(r"^X(?=\d)", "", text).lower()),
)


def shown(ids: Iterable[str], limit: int = SHOWN) -> str:
    """List the first few ids and how many more there are."""
    ids = list(ids)
    more = f" and {len(ids) - limit} more" if len(ids) > limit else ""
    return ", ".join(ids[:limit]) + more


def check_ids(
    ids: Sequence[str],
    what: str,
    problems: Problems,
    *,
    file: str,
    places: Sequence[int] | None = None,
) -> None:
    """Report empty and duplicated ids.

    Parameters
    ----------
    ids
        Clean ids.
    what
        What they are called in messages: ``row`` or ``column``.
    places
        Line of each id, for ids that stand down a table.
    """
    empty = [index for index, text in enumerate(ids) if not text]
    if empty:
        where = f"line {places[empty[0]]}" if places else f"column {empty[0] + 2}"
        problems.error(
            f"{len(empty)} {what}s have no id, the first of them {where}.",
            f"Give each {what} an id, or delete it (spreadsheets often export empty ones).",
            file=file,
            row=places[empty[0]] if places else "",
        )
    twice = sorted(text for text, count in Counter(ids).items() if count > 1 and text)
    if twice:
        lines: dict[str, list[int]] = {text: [] for text in twice[:SHOWN]}
        for index, text in enumerate(ids):
            if places and text in lines:
                lines[text].append(places[index])
        named = [
            f"{text} (lines {', '.join(map(str, lines[text]))})" if lines.get(text) else text
            for text in twice
        ]
        problems.error(
            f"{len(twice)} {what} ids stand more than once: {shown(named)}.",
            "Ids must be unique: keep one of each, average them, or rename them.",
            file=file,
            row=lines[twice[0]][1] if places else "",
            column="" if places else twice[0],
        )


def check_features(features: Sequence[str], problems: Problems, *, file: str) -> None:
    """Warn of feature names that a spreadsheet has turned into dates or numbers.

    Excel reads the gene MARCH1 as 1-Mar, SEPT2 as 2-Sep, and shows either as a number of days
    (Ziemann, Eren, El-Osta, Genome Biology 17:177, 2016).
    """
    mangled = [text for text in features if _DATE.fullmatch(text) or _EXPONENT.fullmatch(text)]
    numeric = sum(_NUMERIC.fullmatch(text) is not None for text in features)
    if numeric < len(features) / 2:
        mangled += [text for text in features if _SERIAL.fullmatch(text)]
    if mangled:
        problems.warn(
            f"{len(mangled)} feature names look like dates or numbers that a spreadsheet made of "
            f"gene names: {shown(mangled)}.",
            "Restore the names from the original table (1-Mar was MARCHF1 or MTARC1, 2-Sep was "
            "SEPTIN2); with these names the features cannot be looked up.",
            file=file,
        )


def check_case(samples: Iterable[str], problems: Problems, *, file: str) -> None:
    """Warn of samples whose ids differ only in upper and lower case."""
    spellings: dict[str, list[str]] = {}
    for text in sorted(set(samples)):
        spellings.setdefault(text.lower(), []).append(text)
    alike = [" / ".join(group) for group in spellings.values() if len(group) > 1]
    if alike:
        problems.warn(
            f"{len(alike)} sample ids differ only in upper and lower case: {shown(alike)}.",
            "They are taken for different samples; write one id in one way if they are the same.",
            file=file,
        )


def other_spellings(strange: Iterable[str], known: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Find, for ids that are not known, the known id that is probably meant.

    Returns
    -------
    id -> (known id, how they differ). Only unambiguous matches.
    """
    strange, known = sorted(set(strange)), sorted(set(known))
    found: dict[str, tuple[str, str]] = {}
    for how, plain in _SPELLINGS:
        counts = Counter(plain(text) for text in known)
        meant = {plain(text): text for text in known if counts[plain(text)] == 1}
        for text in strange:
            if text not in found and plain(text) in meant:
                found[text] = (meant[plain(text)], how)
    return found


def trailing_parts(strange: Iterable[str], known: Iterable[str]) -> tuple[str, str] | None:
    """Find one pair where an id is the beginning of the other (TCGA-3C-AALI, TCGA-3C-AALI-01A)."""
    strange, known = set(strange), set(known)
    for text in sorted(strange):
        for stem in _stems(text):
            if stem in known:
                return text, stem
    for other in sorted(known):
        for stem in _stems(other):
            if stem in strange:
                return stem, other
    return None


def _stems(text: str) -> list[str]:
    """List the beginnings of an id that end before a separator, the longest first."""
    return [text[: mark.start()] for mark in re.finditer(r"[-._ ]", text)][::-1]


def near_name(name: str, names: Iterable[str]) -> str:
    """Say which name may have been meant (``Did you mean 'x'?``), or nothing."""
    names = list(names)
    lower = {text.lower(): text for text in names}
    close = difflib.get_close_matches(name.lower(), list(lower), n=1, cutoff=0.6)
    return f"Did you mean {lower[close[0]]!r}?" if close else ""
