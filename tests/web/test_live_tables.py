"""Tables whose rows the server pages, sorts, searches and filters, in a browser on the running product."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from browsing import sign_in
from playwright.sync_api import Browser, Page, expect
from product import Product

pytestmark = pytest.mark.browser
COUNT = 42
ABORTED = re.compile(r"htmx:(sendAbort|afterRequest)")  # a newer wish took the place of one under way


@pytest.fixture
def page(browser: Browser, product: Product) -> Iterator[Page]:
    """Open the table of teas, signed in; an error in the console fails the test."""
    product.ask("lab/shelf/fill", count=COUNT)
    context = browser.new_context(base_url=product.url, viewport={"width": 1280, "height": 800})
    found = context.new_page()
    problems: list[str] = []
    found.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    found.on("pageerror", lambda error: problems.append(str(error)))
    found.goto("/lab/Teas")
    sign_in(found, "admin", product.password)
    expect(found.locator("[data-table-live] tbody tr")).to_have_count(10)
    yield found
    context.close()
    assert not [problem for problem in problems if not ABORTED.match(problem)]


def test_pages_and_sizes(page: Page) -> None:
    """The foot leads through all rows, keeps the number of rows a page, and the address remembers both."""
    expect(page.locator(".table-foot")).to_contain_text("1 to 10 of 42")
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".table-foot")).to_contain_text("11 to 20 of 42")
    page.reload()
    expect(page.locator(".table-foot")).to_contain_text("11 to 20 of 42")
    page.get_by_role("link", name="20", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(20)
    page.go_back()
    expect(page.locator(".table-foot")).to_contain_text("11 to 20 of 42")


def test_sorting_on_the_server(page: Page) -> None:
    """A click on a head sorts all rows, not only those shown; a second one turns the order."""
    head = page.locator("th", has_text="Grams").first
    head.get_by_role("link").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    head.get_by_role("link").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    expect(page.locator("tbody tr").first).to_contain_text("420")


def test_search_keeps_the_focus(page: Page) -> None:
    """Typing searches all rows; the focus and what was typed stay through the answer."""
    page.keyboard.press("/")
    page.keyboard.type("tea 3")
    expect(page.locator(".shown")).to_have_text(re.compile(r"^\d+ teas match$"))
    page.keyboard.type("x")
    expect(page.get_by_role("heading", name="No teas match")).to_be_visible()
    expect(page.get_by_label("Search teas")).to_have_value("tea 3x")
    expect(page.get_by_label("Search teas")).to_be_focused()
    page.get_by_role("link", name="Clear").first.click()
    expect(page.locator("tbody tr")).to_have_count(10)


def test_filters_by_column(page: Page) -> None:
    """The row of filters stays open through answers and refreshes, and can be cleared."""
    page.get_by_role("button", name="Filter by column").click()
    page.get_by_label("Filter Grams").fill(">=400")
    expect(page.locator("tbody tr")).to_have_count(3)
    page.get_by_label("Filter Kind").fill("=green")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.reload()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.get_by_label("Filter Grams")).to_have_value(">=400")


def test_a_wrong_filter_says_so(page: Page) -> None:
    """What a filter cannot mean is said in the table's place, with what it takes, and can be taken back."""
    page.goto("/lab/Teas?where-table-1-grams=many")
    expect(page.locator(".macro")).to_contain_text("filter.grams: must be a number")
    page.get_by_role("link", name="Clear").first.click()
    expect(page.locator("tbody tr")).to_have_count(10)


def test_columns_are_remembered(page: Page) -> None:
    """A column that was taken away stays away on the next visit."""
    page.get_by_role("button", name="Columns and downloads").click()
    page.get_by_role("checkbox", name="Picked").uncheck()
    page.keyboard.press("Escape")
    expect(page.locator("th", has_text="Picked")).to_be_hidden()
    page.reload()
    expect(page.locator("th", has_text="Picked")).to_be_hidden()
    expect(page.locator("th", has_text="Grams")).to_be_visible()


def test_download(page: Page) -> None:
    """The download holds all rows that match, in the order shown."""
    page.goto("/lab/Teas?where-table-1-kind=%3Dgreen&sort-table-1=-grams")
    page.get_by_role("button", name="Columns and downloads").click()
    with page.expect_download() as started:
        page.get_by_role("link", name="Download CSV").click()
    lines = started.value.path().read_text().splitlines()
    assert len(lines) == 15
    assert lines[1].startswith("42,")
