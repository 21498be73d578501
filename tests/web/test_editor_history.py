"""The past of pages, and what is done with a whole page, in a browser on the running product."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from product import Product

from .writers import SPACE, Writers, text_of

pytestmark = pytest.mark.browser
NewPage = Callable[[str], str]


def rewrite(product: Product, name: str, text: str, message: str) -> None:
    """Save a page over what it is."""
    base = product.ask("system/pages/get", space=SPACE, page=name)["revision"]
    product.ask("system/pages/save", space=SPACE, page=name, text=text, base=base, message=message)


@pytest.fixture
def name(product: Product, new_page: NewPage) -> str:
    """Make a page that was changed once."""
    made = new_page("# Tea\n\nIt is green and hot.\n\nEnd.\n")
    rewrite(product, made, "# Tea\n\nIt is black and hot.\n\nEnd.\n", "Black it is")
    return made


def test_who_changed_what(writers: Writers, name: str) -> None:
    """The history lists revisions; a comparison marks the words that changed, and only those."""
    page = writers.admin(f"/{SPACE}/{name}")
    page.get_by_role("link", name="History").click()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Black it is")
    expect(rows.first).to_contain_text("admin")
    page.get_by_role("button", name="Compare old and new").click()
    expect(page.locator(".diff del")).to_have_text("green")
    expect(page.locator(".diff ins")).to_have_text("black")
    page.get_by_role("link", name="All revisions").click()
    page.get_by_role("link", name="Who wrote what").click()
    expect(page.locator(".blame-part", has_text="It is black and hot.")).to_contain_text("Black it is")


def test_the_way_back(writers: Writers, product: Product, name: str) -> None:
    """An old revision can be looked at, and the page reverted to it."""
    page = writers.admin(f"/history/{SPACE}/{name}")
    page.locator("tbody tr").last.get_by_role("link", name="Look").click()
    expect(page.locator(".diff")).to_contain_text("It is green and hot.")
    page.get_by_role("button", name="Revert to this").click()
    page.get_by_role("dialog").get_by_label("Why").fill("Green was better")
    page.get_by_role("dialog").get_by_role("button", name="Revert to this").click()
    expect(page.locator("#toasts")).to_contain_text("Page reverted")
    expect(page.locator("article")).to_contain_text("It is green and hot.")
    assert product.ask("system/pages/history", space=SPACE, page=name)[0]["message"] == "Green was better"


def test_only_writers_revert(writers: Writers, product: Product, name: str) -> None:
    """Who may read sees the history, without the buttons that change the page."""
    product.user_token("historian", "level2")
    page = writers.sign_in("historian", "historian-password", f"/history/{SPACE}/{name}")
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.get_by_role("button", name="Revert to this")).to_have_count(0)


def test_deleted_and_restored(writers: Writers, product: Product, name: str) -> None:
    """A page is deleted after a question, and its history brings it back."""
    page = writers.admin(f"/{SPACE}/{name}")
    page.get_by_role("button", name="Page", exact=True).click()
    page.get_by_role("button", name="Delete page").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete page").click()
    expect(page.locator("#toasts")).to_contain_text("Page deleted")
    page.goto(f"/{SPACE}/{name}")
    page.get_by_role("link", name="History").click()
    page.get_by_role("button", name="Restore page").click()
    page.get_by_role("dialog").get_by_role("button", name="Restore page").click()
    expect(page.get_by_role("heading", name="Tea")).to_be_visible()
    assert "black" in text_of(product, name)


def test_renamed(writers: Writers, product: Product, name: str, new_page: NewPage) -> None:
    """A renamed page is found under its new name, and links to it follow."""
    other = new_page(f"See [it]({name}).\n")
    page = writers.admin(f"/{SPACE}/{name}")
    page.get_by_role("button", name="Page", exact=True).click()
    page.get_by_role("button", name="Rename page").click()
    page.get_by_role("dialog").get_by_label("New name").fill(f"{name} renamed")
    page.get_by_role("dialog").get_by_role("button", name="Rename page").click()
    expect(page.locator("#toasts")).to_contain_text("Page renamed")
    expect(page.locator(".sheet-foot")).to_contain_text(f"{name} renamed")
    assert f"({name} renamed)" in text_of(product, other)


def test_recent_changes(writers: Writers, name: str) -> None:
    """The System space lists what was changed lately, whoever did it."""
    page = writers.admin("/system/Recent Changes")
    row = page.locator("tbody tr", has_text=name).first
    expect(row).to_contain_text("Black it is")
    row.get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", name="Tea")).to_be_visible()


def test_files(writers: Writers, product: Product, name: str) -> None:
    """The files of a page are listed, and deleted after a question."""
    data = base64.b64encode(b"a,b\n1,2\n").decode()
    product.ask("system/pages/attach", space=SPACE, page=name, name="figures.csv", data=data)
    page = writers.admin(f"/{SPACE}/{name}")
    page.get_by_role("button", name="Page", exact=True).click()
    page.get_by_role("link", name="Files").click()
    expect(page.locator("tbody tr")).to_contain_text("figures.csv")
    page.get_by_role("button", name="Delete file").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete file").click()
    expect(page.get_by_role("heading", name="No files yet")).to_be_visible()
    assert product.ask("system/pages/attachments", space=SPACE, page=name) == []
