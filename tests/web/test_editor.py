"""The editor of pages, in a browser on the running product."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from product import Product

pytestmark = pytest.mark.browser
SPACE = "notes"
SAVE = re.compile(r"^Save")
_numbers = itertools.count(1)


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
        page.get_by_label("User name").fill(name)
        page.get_by_label("Password", exact=True).fill(password)
        page.get_by_role("button", name="Continue").click()
        return page

    def watch(self, page: Page) -> None:
        """Collect what the browser says of a page."""
        page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in {"error", "warning"} else None
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def admin(self, path: str, *, width: int = 1440) -> Page:
        return self.sign_in("admin", self.product.password, path, width=width)


@pytest.fixture
def writers(browser: Browser, product: Product) -> Iterator[Writers]:
    found = Writers(browser, product)
    yield found
    for context in found.contexts:
        context.close()
    assert found.complaints == []


@pytest.fixture
def new_page(product: Product) -> Callable[[str], str]:
    """Give a function that makes a page of a text and returns its name."""

    def make(text: str) -> str:
        name = f"Editor {next(_numbers)}"
        product.ask("system/pages/create", space=SPACE, page=name, text=text)
        return name

    return make


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


def test_from_the_page_to_a_commit(writers: Writers, product: Product, new_page: Callable[[str], str]) -> None:
    """E opens the editor, the preview follows with macros and all, and saving is a commit with author and message."""
    name = new_page("# Before\n\nOld words.\n")
    page = writers.admin(f"/{SPACE}/{name}")
    expect(page.get_by_role("heading", name="Before")).to_be_visible()
    page.keyboard.press("e")
    editing(page)
    expect(page.locator("#preview h1")).to_have_text("Before")
    write(page, "# After\n\nNew words.\n\n{{children}}\n")
    expect(page.locator("#preview h1")).to_have_text("After")
    expect(page.locator("#preview")).to_contain_text("No pages")  # what the macro says
    page.get_by_label("What changed?").fill("Say it anew")
    page.get_by_role("button", name=SAVE).click()
    expect(page.locator("#toasts")).to_contain_text("Page saved")
    assert text_of(product, name).startswith("# After\n\nNew words.")
