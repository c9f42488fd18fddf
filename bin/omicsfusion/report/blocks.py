"""What chapters are made of; the templates lay it out."""

from collections.abc import Iterator, Mapping, Sequence
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
class Switch:
    """A choice that the reader has between views of a figure.

    Attributes
    ----------
    name
        Unique within the figure, letters and dashes.
    label
        What is chosen, in words.
    choices
        ``(name, words)``; the first is shown at the start.
    """

    name: str
    label: str
    choices: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class View:
    """What a figure shows when its switches stand in one way.

    Attributes
    ----------
    data, layout
        As in the figure. A trace may take its points from the figure's columns: ``from`` names a
        column for ``x``, ``y`` and ``text``, and one that holds the positions of its ``rows``.
    note
        How to read this view; stands behind the caption.
    alt
        As in the figure.
    """

    data: Sequence[Mapping[str, Any]]
    layout: Mapping[str, Any]
    note: str
    alt: str


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
    switches
        The reader's choices; most figures have none.
    views
        By the names of what is chosen, joined by ``/``; all of them where there are switches.
    columns
        Numbers and names that several views share, so that the page holds them once.
    """

    key: str
    caption: str
    alt: str
    data: Sequence[Mapping[str, Any]]
    layout: Mapping[str, Any]
    height: int
    table: Table | None = None
    switches: Sequence[Switch] = ()
    views: Mapping[str, View] = field(default_factory=dict)
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    @property
    def note(self) -> str:
        """What stands behind the caption at the start."""
        return next((view.note for view in self.views.values()), "")

    def as_drawn(self) -> dict[str, Any]:
        """Return what the page's script needs to draw it."""
        shared = {"columns": self.columns} if self.columns else {}
        views = {
            name: {"data": view.data, "layout": view.layout, "note": view.note, "alt": view.alt}
            for name, view in self.views.items()
        }
        if views:
            return {**shared, "views": views}
        return {"data": self.data, "layout": self.layout, **shared}


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
        return list(_figures_in(self.content))


def _figures_in(value: object) -> Iterator[Figure]:
    if isinstance(value, Figure):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _figures_in(part)
