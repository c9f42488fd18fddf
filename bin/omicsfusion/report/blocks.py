"""What chapters are made of; the templates lay it out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes
    ----------
    caption
        What it shows.
    header
        Names of the columns.
    rows
        Cells as text; the first of a row names it.
    text_columns
        Positions of columns that hold words (set left); all but the first others hold numbers
        (set right).
    note
        A line below, or empty.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    text_columns: Sequence[int] = ()
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """A figure and its equivalents in words.

    Attributes
    ----------
    key
        Unique on the page, letters and dashes; becomes the element's id.
    caption
        What it shows and how to read it.
    alt
        What can be seen in it, for those who do not see it.
    data, layout
        As plotly takes them.
    height
        In pixels.
    table
        The same as numbers, or None when the numbers stand next to it.
    """

    key: str
    caption: str
    alt: str
    data: Sequence[Mapping[str, Any]]
    layout: Mapping[str, Any]
    height: int
    table: Table | None = None


@dataclass(frozen=True)
class Bar:
    """One bar of a list of bars.

    Attributes
    ----------
    name
        Of what.
    percent
        Length, 0 to 100.
    colour
        CSS colour.
    value
        The number at its end, as text.
    group
        A word beside the name (the layer), or empty.
    remark
        A word or sign after the number, or empty.
    meaning
        The sign in words, for those who do not see it, or empty.
    """

    name: str
    percent: float
    colour: str
    value: str
    group: str = ""
    remark: str = ""
    meaning: str = ""


@dataclass(frozen=True)
class Chapter:
    """One chapter of the page.

    Attributes
    ----------
    key
        Its id on the page; its template is ``<key>.html.j2``.
    title
        Its heading.
    content
        What the template names.
    """

    key: str
    title: str
    content: Mapping[str, Any] = field(default_factory=dict)

    @property
    def figures(self) -> list[Figure]:
        """All figures of the chapter, in the order of its content."""
        values = [v for value in self.content.values() for v in _each(value)]
        return [value for value in values if isinstance(value, Figure)]


def _each(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else [value]
