"""The fixture that all other browser tests trust: it must see what is wrong, and only that."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.browser


def write(path: Path, body: str) -> Path:
    path.write_text(f"<!doctype html><meta charset=utf-8><title>t</title>{body}", encoding="utf-8")
    return path


def test_a_page_in_order_has_no_problems_and_its_text_is_drawn(browser_page, tmp_path):
    page = browser_page.open(
        write(tmp_path / "page.html", "<h1 style='display:inline'>omics Ω ≥ 0.79</h1>")
    )
    assert browser_page.problems == []
    assert page.locator("h1").bounding_box()["width"] > 100, "text has no width: no font was found"
    assert len(page.screenshot()) > 5000, "the screenshot is blank"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<script>console.error('broken figure')</script>", "console error: broken figure"),
        ("<script>undefined_function()</script>", "page error: "),
        (
            "<img src='http://example.invalid/a.png'>",
            "request outside the file: http://example.invalid/a.png",
        ),
    ],
    ids=["console", "exception", "request"],
)
def test_what_is_wrong_with_a_page_is_recorded(browser_page, tmp_path, body, expected):
    browser_page.open(write(tmp_path / "page.html", body))
    assert any(problem.startswith(expected) for problem in browser_page.problems)
