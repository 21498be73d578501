"""The text of an open page, when somebody edits it elsewhere."""

from __future__ import annotations

import pytest
from browsing import sign_in
from playwright.sync_api import Browser, expect
from product import Product

pytestmark = pytest.mark.browser


def test_an_open_page_shows_what_others_save(browser: Browser, product: Product) -> None:
    """The text and a new macro appear without a reload, and the query of the page's address still holds."""
    text = "---\nparams:\n  who: str?\n---\n# Board\n\nWORDS for ${who}.\n"
    product.ask("system/pages/create", space="lab", page="Board", text=text.replace("WORDS", "First words"))
    context = browser.new_context(base_url=product.url)
    page = context.new_page()
    page.goto("/lab/Board?who=Ann")
    sign_in(page, "admin", product.password)
    expect(page.locator("article")).to_contain_text("First words for Ann.")
    expect(page.locator("#live")).to_have_text("Live")
    page.evaluate("window.stays = true")
    base = product.ask("system/pages/get", space="lab", page="Board")["revision"]
    changed = text.replace("WORDS", "Other words") + "\n{{note text:'A new remark'}}\n"
    product.ask("system/pages/save", space="lab", page="Board", text=changed, base=base)
    expect(page.locator("article")).to_contain_text("Other words for Ann.")
    expect(page.locator("article")).to_contain_text("A new remark")
    assert page.evaluate("window.stays")
    context.close()
