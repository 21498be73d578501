"""The page of a page's files, and of a space's, in a browser on the running product."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, expect
from product import Product

from .writers import SPACE, Writers

pytestmark = pytest.mark.browser
DROP = """files => {
    const data = new DataTransfer();
    for (const [name, text] of files) data.items.add(new File([text], name, {type: "text/plain"}));
    dispatchEvent(new DragEvent("dragenter", {dataTransfer: data}));
    dispatchEvent(new DragEvent("drop", {dataTransfer: data, cancelable: true}));
}"""


def upload(page: Page, *files: tuple[str, bytes]) -> None:
    """Press the button and pick files."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload files").click()
    chooser.value.set_files([FilePayload(name=name, mimeType="", buffer=data) for name, data in files])


def kept(product: Product, name: str) -> dict[str, int]:
    """Return name and size of the page's files."""
    rows: list[dict[str, Any]] = product.ask("system/pages/attachments", space=SPACE, page=name)
    return {row["name"]: row["size"] for row in rows}


def test_files_go_up_and_away(writers: Writers, product: Product, new_page: Callable[[str], str]) -> None:
    """Several files are picked or dropped; what is not kept says why; a taken name is replaced or another is chosen."""
    name = new_page("# Shelf\n")
    page = writers.admin(f"/files/{SPACE}/{name}")
    expect(page.get_by_text("No files yet")).to_be_visible()
    upload(page, ("plan.txt", b"first"), ("tool.exe", b"MZ"), ("big.log", b"x" * (8 * 2**20 + 1)), ("none.txt", b""))
    said = page.locator("#uploads .upload")
    expect(said.nth(3)).to_contain_text("The file is empty")
    expect(said.nth(0)).to_contain_text("uploaded")
    expect(said.nth(1)).to_contain_text("Files of the type exe are not kept")
    expect(said.nth(2)).to_contain_text("8 MiB are the most")
    expect(page.locator("#files tbody tr")).to_have_count(1)  # drawn anew
    page.evaluate(DROP, [["plan.txt", "second"], ["Plan.TXT", "third one"], ["notes.csv", "a,b"]])
    expect(said.nth(6)).to_contain_text("uploaded")
    expect(said.nth(4)).to_contain_text("There is a file plan.txt already")
    assert kept(product, name) == {"plan.txt": 5, "notes.csv": 3}
    said.nth(4).get_by_role("button", name="Replace").click()
    expect(said.nth(4)).to_contain_text("uploaded")
    expect(said.nth(5).get_by_label("Another name")).to_have_value("Plan-2.txt")
    said.nth(5).get_by_role("button", name="Use this name").click()
    expect(said.nth(5)).to_contain_text("uploaded as Plan-2.txt")
    assert kept(product, name) == {"plan.txt": 6, "Plan-2.txt": 9, "notes.csv": 3}
    row = page.locator("#files tr", has_text="notes.csv").first
    row.get_by_role("button", name="Delete file").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete file").click()
    expect(page.locator("#files tr", has_text="notes.csv")).to_have_count(0)
    assert set(kept(product, name)) == {"plan.txt", "Plan-2.txt"}


def test_rights_hold_for_files(writers: Writers, product: Product, new_page: Callable[[str], str]) -> None:
    """Who may only read sees no way to add or delete; in a space, only files of pages that one may write can go."""
    mine = new_page("---\nrights: {level1: RW}\n---\n# Mine\n")
    shown = new_page("---\nrights: {level1: R}\n---\n# Shown\n")
    hidden = new_page('---\nrights: {level1: ""}\n---\n# Hidden\n')
    for name in (mine, shown, hidden):
        data = base64.b64encode(name.encode()).decode()
        product.ask("system/pages/attach", space=SPACE, page=name, name=f"{name}.txt", data=data)
    product.user_token("shelver", "level1")
    page = writers.sign_in("shelver", "shelver-password", f"/files/{SPACE}/{shown}")
    expect(page.get_by_role("link", name=f"{shown}.txt", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Delete file")).to_have_count(0)
    expect(page.locator("#pick")).to_have_count(0)
    page.get_by_role("link", name="All files of the space").click()
    rows = page.locator("#files tbody tr")
    expect(rows.filter(has_text=f"{mine}.txt").get_by_role("button", name="Delete file")).to_be_visible()
    expect(rows.filter(has_text=f"{shown}.txt").get_by_role("button", name="Delete file")).to_have_count(0)
    expect(rows.filter(has_text=f"{hidden}.txt")).to_have_count(0)
    assert page.goto(f"/files/{SPACE}/{hidden}").status == 403  # type: ignore[union-attr]
    assert page.goto("/files/nowhere").status == 404  # type: ignore[union-attr]
