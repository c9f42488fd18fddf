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
            trials=12,
        )
        written[task] = folder / "omicsfusion_report.html"
        written[task].write_text(render_report(read_results(folder)), encoding="utf-8")
    return written


def unfold_all(page):
    """Open what is folded away, and wait until what it holds is drawn."""
    page.evaluate("document.querySelectorAll('details').forEach((part) => (part.open = true))")
    page.wait_for_function(
        "Array.from(document.querySelectorAll('.plot'))"
        ".every((place) => place.querySelector('svg.main-svg'))"
    )


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_report_opens_without_errors_or_requests_and_fits_the_screen(
    browser_page, pages, task, width
):
    browser_page.page.set_viewport_size({"width": width, "height": 900})
    page = browser_page.open(pages[task])
    unfold_all(page)
    assert browser_page.problems == []
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, f"the page is {wide} pixels wide"


@pytest.mark.parametrize("task", TASKS)
def test_every_figure_is_drawn_and_fits_its_place(browser_page, pages, task):
    page = browser_page.open(pages[task])
    unfold_all(page)
    places = page.locator(".plot")
    assert places.count() >= 12
    for index in range(places.count()):
        place = places.nth(index)
        drawing = place.locator("svg.main-svg").first
        assert drawing.count() == 1, f"{place.get_attribute('id')} is not drawn"
        assert drawing.bounding_box()["width"] <= place.bounding_box()["width"] + 1
        assert place.locator(".trace").count() > 0


def test_training_curves_and_tuning_are_folded_away_until_they_are_asked_for(browser_page, pages):
    page = browser_page.open(pages["survival"])
    training = page.locator("#training")
    curves, tuning = training.locator("#training-fused"), training.get_by_text("Learning rate")
    assert not curves.is_visible()
    assert not tuning.first.is_visible()
    training.locator("details:has(#training-fused) > summary").click()
    curves.locator("svg.main-svg").first.wait_for()
    assert curves.locator(".trace").count() == 4, "a band and a median on either side"
    training.get_by_text("which setting made the difference").first.click()
    assert tuning.first.is_visible()
    assert browser_page.problems == []


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
    assert "Deep fusion cannot be told apart: C-index" in page.inner_text(".lead")
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


@pytest.mark.parametrize("task", TASKS)
def test_quality_preparation_batch_and_guards_are_there(browser_page, pages, task):
    page = browser_page.open(pages[task])
    unfold_all(page)
    for chapter, text in {
        "quality": "Layers as they came",
        "preparation": "The chain, in its order",
        "batch": "How strongly the batch shows",
        "guards": "All checks, alarms first",
    }.items():
        assert text in page.locator(f"#{chapter}").inner_text()
        assert page.locator(f"nav a[href='#{chapter}']").is_visible()
    assert page.locator(".guards-line").is_visible()
    assert browser_page.problems == []


def test_the_switches_change_picture_colours_and_words(browser_page, pages):
    page = browser_page.open(pages["classification"])
    figure = page.locator("figure:has(#points-1)")
    legend = figure.locator(".legendtext")

    def seen():
        words = figure.locator("figcaption").inner_text()
        return words, legend.all_text_contents(), figure.locator(".xtitle").text_content()

    words, names, axis = seen()
    assert "PCA" in words
    assert axis.startswith("PC1")
    assert "Ω" in names
    figure.get_by_label("t-SNE", exact=True).check()
    figure.get_by_label("Batch", exact=True).check()
    words, names, axis = seen()
    assert "For looking only" in words
    assert axis == "t-SNE 1"
    assert names == ["site 1", "site 0", "site 2", "batch not known"]
    assert "by batch" in page.locator("#points-1").get_attribute("aria-label")
    dots = figure.locator(".scatterlayer .points path").count()
    assert dots == 36, "external samples are not in the t-SNE"
    assert browser_page.problems == []


def test_the_keyboard_moves_a_switch(browser_page, pages):
    page = browser_page.open(pages["survival"])
    figure = page.locator("figure:has(#points-1)")
    figure.get_by_label("PCA", exact=True).focus()
    page.keyboard.press("ArrowRight")
    assert figure.get_by_label("UMAP", exact=True).is_checked()
    assert figure.locator(".xtitle").text_content() == "UMAP 1"


def test_a_figure_that_was_folded_away_is_drawn_when_unfolded(browser_page, pages):
    page = browser_page.open(pages["regression"])
    page.evaluate("document.querySelectorAll('details').forEach((part) => (part.open = false))")
    page.reload(wait_until="networkidle")
    part = page.locator("#quality details.layer").nth(1)
    part.evaluate("part => (part.open = false)")
    page.emulate_media(color_scheme="dark")
    part.locator("summary").first.click()
    place = part.locator(".plot").first
    place.locator("svg.main-svg").first.wait_for()
    assert place.locator("svg.main-svg").first.bounding_box()["width"] > 300
    assert browser_page.problems == []


def test_without_javascript_there_are_no_switches(browser, pages):
    context = browser.new_context(offline=True, java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["survival"].as_uri())
    assert not page.locator(".switches").first.is_visible()
    assert "Robust z" in page.locator("#quality").text_content()
    context.close()
