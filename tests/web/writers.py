"""People who write pages, each in a browser window of their own."""

from __future__ import annotations

import re

from browsing import sign_in
from playwright.sync_api import Browser, BrowserContext, Page, expect
from product import Product

SPACE = "notes"
ANSWERED = re.compile(r"responded with a status of 4(00|03|04|09)")  # the browser notes what the editor tells people


class Writers:
    """Opens windows for people, and remembers whatever their browsers complained about."""

    def __init__(self, browser: Browser, product: Product) -> None:
        """Open nothing yet."""
        self.browser = browser
        self.product = product
        self.complaints: list[str] = []
        self.contexts: list[BrowserContext] = []

    def sign_in(self, name: str, password: str, path: str, *, width: int = 1440) -> Page:
        context = self.browser.new_context(base_url=self.product.url, viewport={"width": width, "height": 900})
        self.contexts.append(context)
        context.set_default_timeout(15_000)
        page = context.new_page()
        self.watch(page)
        page.goto(path)
        if "/login" not in page.url:
            page.goto(f"/login?next={path}")
        sign_in(page, name, password)
        return page

    def watch(self, page: Page) -> None:
        """Collect what the browser says of a page."""
        page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in {"error", "warning"} else None
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def admin(self, path: str, *, width: int = 1440) -> Page:
        return self.sign_in("admin", self.product.password, path, width=width)

    def close(self) -> None:
        """Close all windows; no browser may have complained of anything but refusals, which people are told."""
        for context in self.contexts:
            context.close()
        assert [one for one in self.complaints if not ANSWERED.search(one)] == [], self.complaints


def editing(page: Page) -> Page:
    """Wait until the editor can be typed in."""
    expect(page.locator("[data-ready]")).to_be_attached(timeout=20_000)
    return page


def write(page: Page, text: str) -> None:
    """Replace the whole text, by the keyboard."""
    page.get_by_label("Text of the page").focus()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def text_of(product: Product, name: str) -> str:
    return str(product.ask("system/pages/get", space=SPACE, page=name)["text"])
