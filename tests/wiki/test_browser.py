"""Pages with macros that live in the browser: late ones, charts, tabs, diagrams, actions on several rows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import sign_in
from playwright.sync_api import Browser, Page, expect
from product import REPOSITORY, running

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
LIVING = Path(__file__).parent / "living"
LIMIT = 15_000  # ms


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """Give the page that all tests look at, signed in; what breaks the content security policy fails them."""
    content = json.dumps([str(REPOSITORY), str(LIVING)])
    with running(PORTALFW_CONTENT=content, PORTALFW_DEV="true", PORTALFW_MACRO_DEADLINE="0.3") as product:
        with browser.new_context(base_url=product.url, viewport={"width": 1440, "height": 900}) as context:
            page = context.new_page()
            page.set_default_timeout(LIMIT)
            expect.set_options(timeout=LIMIT)
            complaints: list[str] = []
            page.on("console", lambda message: complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto("/pad/Living")
            sign_in(page, "admin", product.password)
            yield page
        assert [one for one in complaints if "Content Security Policy" in one or "Error:" in one] == []


def test_a_late_macro_fills_in_by_itself(page: Page) -> None:
    """A macro that the page did not wait for takes its place once it has answered."""
    expect(page.locator("#macro-count-1")).to_have_text("3")
    expect(page.locator("[data-late]")).to_have_count(0)


def test_a_chart_is_drawn(page: Page) -> None:
    """The chart's module is loaded and draws; a range is chosen without leaving the page; the numbers are told too."""
    chart = page.locator(".chart")
    expect(chart.locator("canvas")).to_be_visible()
    expect(chart.get_by_role("img")).to_have_attribute("aria-label", re.compile("Load: 0.% to 50.%"))
    chart.get_by_role("link", name="24h").click()
    expect(page).to_have_url(re.compile("range-chart-2=24h"))
    expect(page.locator(".chart [aria-current]")).to_have_text("24h")
    expect(page.locator(".chart canvas")).to_be_visible()


def test_tabs(page: Page) -> None:
    """One part is shown at a time, chosen by click or arrow key."""
    expect(page.get_by_text("Second part")).to_be_hidden()
    page.get_by_role("tab", name="One").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("Second part")).to_be_visible()
    expect(page.get_by_text("First part")).to_be_hidden()


def test_a_diagram_is_drawn_in_its_frame(page: Page) -> None:
    """Mermaid draws in a frame without an origin; what could run in a diagram is no link in it."""
    box = page.locator("[data-diagram]")
    box.scroll_into_view_if_needed()
    expect(box).to_have_attribute("data-state", "drawn")
    expect(box.locator("iframe")).to_have_attribute("sandbox", "allow-scripts")
    inside = box.frame_locator("iframe")
    expect(inside.get_by_text("Kettle")).to_be_visible()
    expect(inside.locator('[*|href^="javascript"]')).to_have_count(0)


def test_actions_on_several_rows(page: Page) -> None:
    """Picked rows are asked about once and called one after another; what failed is listed and stays picked."""
    for number in (1, 2, 3):
        page.get_by_label(f"Select thing-0{number}").check()
    expect(page.locator("[data-bulk-count]")).to_have_text("3 selected")
    page.locator("[data-bulk]").click()
    dialog = page.locator("dialog[open]")
    dialog.locator("[name=reason]").fill("too many")
    expect(dialog.locator("[type=submit]")).to_be_disabled()
    dialog.locator("input").last.fill("delete 3")
    dialog.locator("[type=submit]").click()
    expect(dialog.locator(".bulk-failed")).to_have_text(re.compile("thing-02 thing 2 is in use: too many"))
    dialog.get_by_role("button", name="Close").click()
    expect(page.locator("[data-bulk-count]")).to_have_text("1 selected")
    page.keyboard.press("Escape")
    expect(page.locator("[data-bulk-bar]")).to_be_hidden()
