"""From the chapters to one HTML file that needs nothing else."""

from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from omicsfusion.report.blocks import Chapter
from omicsfusion.report.chapters.answer import answer_chapter
from omicsfusion.report.chapters.batch import batch_chapter
from omicsfusion.report.chapters.checklist import checklist_chapter
from omicsfusion.report.chapters.cohort import cohort_chapter, cohort_line
from omicsfusion.report.chapters.comparison import comparison_chapter
from omicsfusion.report.chapters.explanation import explanation_chapter
from omicsfusion.report.chapters.guards import guards_chapter
from omicsfusion.report.chapters.methods import methods_chapter
from omicsfusion.report.chapters.performance import performance_chapter
from omicsfusion.report.chapters.preparation import preparation_chapter
from omicsfusion.report.chapters.quality import quality_chapter
from omicsfusion.report.chapters.training import training_chapter
from omicsfusion.report.figures.frame import as_json
from omicsfusion.report.results import Results
from omicsfusion.report.words import shortened

TEMPLATES = Path(__file__).parent / "templates"
CHAPTERS: tuple[Callable[[Results], Chapter | None], ...] = (
    answer_chapter,
    cohort_chapter,
    quality_chapter,
    preparation_chapter,
    batch_chapter,
    performance_chapter,
    comparison_chapter,
    explanation_chapter,
    training_chapter,
    guards_chapter,
    methods_chapter,
    checklist_chapter,
)
"""In the order of the page; one that has nothing to say is None."""


def render_report(results: Results) -> str:
    """Render the page.

    The same results give the same text: it holds no time, no random identifier, and no path.
    """
    made = [chapter(results) for chapter in CHAPTERS]
    chapters = [chapter for chapter in made if chapter is not None]
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            results=results,
            line=cohort_line(results),
            chapters=chapters,
            figures=Markup(figures_json(chapters)),
            plotly=Markup(_plotly()),
            style=Markup((TEMPLATES / "style.css").read_text(encoding="utf-8")),
            script=Markup((TEMPLATES / "draw.js").read_text(encoding="utf-8")),
        )
    )


def environment() -> Environment:
    """Return the template engine: everything is escaped, and an unknown name is an error."""
    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["breakable"] = breakable
    found.filters["shortened"] = shortened
    return found


def breakable(text: str) -> Markup:
    """Return text, escaped, that a narrow column may break after an underscore."""
    return escape(text).replace("_", Markup("_<wbr>"))


def figures_json(chapters: list[Chapter]) -> str:
    """Return what is drawn where: figure id -> traces and layout, or views."""
    found = [figure for chapter in chapters for figure in chapter.figures]
    return as_json({figure.key: figure.as_drawn() for figure in found})


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())
