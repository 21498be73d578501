"""An alert by clicks: an operator sees it on every page, and works on it in a real browser."""

from __future__ import annotations

import pytest
from browsing import sign_in
from playwright.sync_api import Browser, Page, expect
from product import Product, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
WORK = 20_000  # milliseconds


def press(page: Page, button: str, comment: str) -> None:
    """Press a button of the page head, write a comment, and press the dialog's button."""
    page.locator(".page-head").get_by_role("button", name=button, exact=True).click()
    dialog = page.locator("dialog[open]")
    dialog.locator("[name=comment]").fill(comment)
    dialog.locator(".btn-primary, .btn-danger").last.click()


def test_an_operator_accepts_and_closes_an_alert(browser: Browser, product: Product) -> None:
    """From the mark in the bar to the findings, from the list to the alert; each step stands in its history."""
    product.ask("lab/wellness/choose", state="ERROR")
    product.ask("system/health/refreshCommand", cmd="wellness")
    wait_for(lambda: product.ask("system/alerts/list", search="kettle"), what="the alert")
    with browser.new_context(base_url=product.url, viewport={"width": 1440, "height": 900}) as context:
        page = context.new_page()
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.goto("/login?next=/cbgrid")
        sign_in(page, "admin", product.password)
        page.get_by_role("link", name="Health: errors").click()
        expect(page.locator("#table_system_health").get_by_text("The kettle is error")).to_be_visible(timeout=WORK)
        page.goto("/grid/Alerts")
        page.get_by_role("link", name="The kettle is error").first.click()
        press(page, "Accept", "on my way")
        expect(page.locator(".page-head .state", has_text="Accepted")).to_be_visible(timeout=WORK)
        press(page, "Close", "a new kettle")
        expect(page.locator(".page-head .state", has_text="Closed")).to_be_visible(timeout=WORK)
        page.reload()
        for words in ("on my way", "a new kettle"):
            expect(page.get_by_text(words)).to_be_visible(timeout=WORK)
    product.ask("lab/wellness/choose", state="OK")
    product.ask("system/health/refreshCommand", cmd="wellness")
    assert not problems
