"""Pages that are made from data are as the data are now."""

from pathlib import Path

from tools.methods_page import page_with_methods

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_on_preprocessing_lists_the_methods_of_the_catalogue():
    page = (ROOT / "docs" / "preprocessing.md").read_text(encoding="utf-8")
    assert page_with_methods(page) == page, "run: python tools/methods_page.py"
