"""A real browser for the tests that open the report as a reader would.

A test takes the fixture `browser_page`, opens a file of its own and asks what went wrong::

    def test_report_opens_without_errors(browser_page, report_html):
        browser_page.open(report_html)
        assert browser_page.page.title() == "omicsfusion"
        assert browser_page.problems == []

`browser_page.page` is a Playwright page (sync API) and does all else: click, read text, screenshot.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

BIN = Path(__file__).parents[1] / ".tools" / "bin"
CHROMIUM = BIN / "chromium"
DRIVER = BIN / "playwright-node"  # only where Playwright's own node does not start by itself
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOCAL_SCHEMES = ("file:", "data:", "blob:", "about:")


@dataclass
class BrowserPage:
    """A page, and everything that a reader would call wrong with it."""

    page: Page
    console_errors: list[str] = field(default_factory=list)
    page_errors: list[str] = field(default_factory=list)
    outside_requests: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """All that was recorded, each with its kind; empty for a page in order."""
        return [
            *(f"console error: {text}" for text in self.console_errors),
            *(f"page error: {text}" for text in self.page_errors),
            *(f"request outside the file: {url}" for url in self.outside_requests),
        ]

    def open(self, path: Path) -> Page:
        """Load a local file and wait until nothing is loading any more."""
        self.page.goto(path.resolve().as_uri(), wait_until="networkidle")
        return self.page

    def listen(self) -> None:
        def on_console(message: ConsoleMessage) -> None:
            if message.type == "error":
                self.console_errors.append(message.text)

        def on_request(request: Request) -> None:
            if not request.url.startswith(LOCAL_SCHEMES):
                self.outside_requests.append(request.url)

        self.page.on("console", on_console)
        self.page.on("pageerror", lambda error: self.page_errors.append(str(error)))
        self.page.on("request", on_request)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The browser that `make test` set up; without one the test is skipped and says why."""
    if not os.access(CHROMIUM, os.X_OK):
        pytest.skip("no browser: .tools/bin/chromium is missing; tools/setup_browser.sh says why")
    if DRIVER.exists():
        os.environ["PLAYWRIGHT_NODEJS_PATH"] = str(DRIVER)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def browser_page(browser: Browser) -> Iterator[BrowserPage]:
    """A fresh page, offline, that records errors and every request that leaves the file."""
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 900})
    recorded = BrowserPage(context.new_page())
    recorded.listen()
    yield recorded
    context.close()
