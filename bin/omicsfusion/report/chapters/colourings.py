"""By what the samples of a picture can be coloured: outcome, batch, cohort."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from omicsfusion.report.chapters.classes import commonest_classes
from omicsfusion.report.colours import CATEGORIES, QUARTERS, REST
from omicsfusion.report.results import Results
from omicsfusion.report.words import quantity, told

MOST_CATEGORIES = 6
"""What is rarer shares one colour: more could not be told apart."""
UNKNOWN = "not known"


@dataclass(frozen=True)
class Colouring:
    """A category for each sample.

    Attributes
    ----------
    key, label
        For the switch: a name of letters, and words.
    categories, colours
        In the order of the legend; the rarest and the unknown share a grey.
    of
        Of each sample: position in ``categories``.
    """

    key: str
    label: str
    categories: Sequence[str]
    colours: Sequence[str]
    of: Sequence[int]

    def rows(self, category: int) -> list[int]:
        """Return the positions of the samples of a category."""
        return [row for row, found in enumerate(self.of) if found == category]


def colourings(results: Results, samples: Sequence[str]) -> list[Colouring]:
    """Return what is known of these samples: the outcome first, then batch and cohort, if any."""
    known = results["samples"].drop_duplicates("sample").set_index("sample").reindex(samples)
    found = [_outcome(results, known)]
    if (known["batch"].map(told) != "").any():
        batches = known["batch"].map(told)
        names = list(batches[batches != ""].value_counts(sort=False).sort_index().index)
        sizes = batches.value_counts()
        names.sort(key=lambda name: -int(sizes[name]))
        found.append(_named("batch", "Batch", batches, names, "other batches"))
    cohorts = known["cohort"].map(told)
    names = sorted(set(cohorts) - {""})
    if len(names) > 1:
        found.append(_named("cohort", "Cohort", cohorts, names, "other cohorts"))
    return found


def _outcome(results: Results, known: pd.DataFrame) -> Colouring:
    if results.task == "survival":
        words = known["event"].map({1: "event", 0: "censored"}).map(told)
        return _named("outcome", "Outcome", words, ["event", "censored"], "")
    if results.task == "classification":
        names = commonest_classes(results)
        return _named("outcome", "Outcome", known["truth"].map(told), names, "other classes")
    words, names = _quarters(pd.to_numeric(known["truth"]))
    return _named("outcome", "Outcome", words, names, "", QUARTERS)


def _quarters(values: pd.Series) -> tuple[pd.Series, list[str]]:
    """Return the quarter of the samples in which each value lies, in words, and all quarters."""
    edges = np.unique(values.dropna().quantile([0, 0.25, 0.5, 0.75, 1]))
    if len(edges) < 2:
        return values.map(lambda v: quantity(v) if v == v else ""), [quantity(v) for v in edges]
    names = [f"{quantity(low)} to {quantity(high)}" for low, high in pairwise(edges)]
    place = np.clip(np.searchsorted(edges, values, side="left") - 1, 0, len(names) - 1)
    words = [names[p] if v == v else "" for p, v in zip(place, values, strict=True)]
    return pd.Series(words, index=values.index), names


def _named(
    key: str,
    label: str,
    words: pd.Series,
    names: list[str],
    others: str,
    palette: Sequence[str] = CATEGORIES,
) -> Colouring:
    """Give each sample the position of its word; of too many the last ones share a category."""
    # A name that no sample has keeps its colour, so that it is the same in all layers.
    own, rest = names[:MOST_CATEGORIES], set(names[MOST_CATEGORIES:])
    unknown = f"{label.lower()} {UNKNOWN}"
    place = {name: position for position, name in enumerate(own)}
    ends = [
        name
        for name, here in ((others, words.isin(rest).any()), (unknown, (words == "").any()))
        if here
    ]
    place |= {name: len(own) for name in rest}
    place[""] = len(own) + len(ends) - 1
    of = [place[word] for word in words]
    colours = [*palette[: len(own)], *[REST] * len(ends)]
    return Colouring(key, label, [*own, *ends], colours, of)
