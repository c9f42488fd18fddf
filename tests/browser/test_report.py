"""The report as a reader meets it: drawn, quiet, and as wide as the screen."""

import pytest

from omicsfusion.report.page import render_report
from omicsfusion.report.results import read_results
from omicsfusion.tables.outcome import TASKS
from tests.results_folder import write_results

pytestmark = pytest.mark.browser

WIDTHS = (400, 1280)
LONG = "HALLMARK" + "_A_VERY_LONG_NAME" * 12


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The page of each task, with names that try to break the layout."""
    written = {}
    for task in TASKS:
        folder = tmp_path_factory.mktemp(task)
        write_results(
            folder,
            task,
            external=8,
            models=("clinical", "fused", "fused+clinical", "linear", "linear+clinical"),
            class_names=("Basal & <b>like</b>", "Luminal-" + "x" * 80, "Ω"),
            feature_names=(LONG, "y" * 200, "<script>throw 1</script>"),
            left_out=[("S" * 120, "outcome is missing")],
        )
        written[task] = folder / "omicsfusion_report.html"
        written[task].write_text(render_report(read_results(folder)), encoding="utf-8")
    return written


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_report_opens_without_errors_or_requests_and_fits_the_screen(
    browser_page, pages, task, width
):
    browser_page.page.set_viewport_size({"width": width, "height": 900})
    page = browser_page.open(pages[task])
    assert browser_page.problems == []
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, f"the page is {wide} pixels wide"


@pytest.mark.parametrize("task", TASKS)
def test_every_figure_is_drawn_and_fits_its_place(browser_page, pages, task):
    page = browser_page.open(pages[task])
    places = page.locator(".plot")
    assert places.count() >= 5
    for index in range(places.count()):
        place = places.nth(index)
        drawing = place.locator("svg.main-svg").first
        assert drawing.count() == 1, f"{place.get_attribute('id')} is not drawn"
        assert drawing.bounding_box()["width"] <= place.bounding_box()["width"] + 1
        assert place.locator(".trace").count() > 0


def test_the_first_screen_holds_the_answer(browser_page, pages):
    page = browser_page.open(pages["survival"])
    for text in (".lead", ".answers"):
        box = page.locator(text).bounding_box()
        assert box["y"] + box["height"] <= 900


def test_class_names_are_drawn_as_text(browser_page, pages):
    page = browser_page.open(pages["classification"])
    assert page.locator("figcaption", has_text="Basal & <b>like</b>").count() == 1


def test_the_report_reads_without_javascript(browser, pages):
    context = browser.new_context(offline=True, java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["survival"].as_uri())
    assert "reached a C-index of" in page.inner_text(".lead")
    assert "The charts need JavaScript" in page.inner_text("main")
    assert "Number at risk at time" in page.inner_text("main")
    context.close()


def test_figures_follow_a_change_to_dark(browser_page, pages):
    def ink(page):
        return page.evaluate(
            "getComputedStyle(document.querySelector('#headline .xtick text')).fill"
        )

    page = browser_page.open(pages["regression"])
    light = ink(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "before => getComputedStyle("
        "document.querySelector('#headline .xtick text')).fill !== before",
        arg=light,
    )
    assert browser_page.problems == []


def test_the_keyboard_reaches_the_answer_first(browser_page, pages):
    page = browser_page.open(pages["survival"])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the answer"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#answer"
