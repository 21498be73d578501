"""The same line by clicks: an operator makes a machine in the Cloud Broker pages, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from browsing import sign_in
from cloud_steps import BOOT_LIMIT, answer_of
from playwright.sync_api import Browser, Page, expect
from product import Product, wait_for

pytestmark = [pytest.mark.qemu, pytest.mark.browser, pytest.mark.timeout(400)]
NOISE = re.compile(r"ERR_NETWORK_CHANGED|^htmx:(afterRequest|sendError)")
WORK = 60_000  # milliseconds that the cloud may take for one step


@pytest.fixture
def page(browser: Browser, real_product: Product) -> Iterator[Page]:
    """Give a page signed in as the administrator; an error in its console fails the test.

    Chromium drops a connection that it is just opening when an address of its machine changes, which the bridges made
    here do; the page asks again by itself, so that noise does not count.
    """
    context = browser.new_context(base_url=real_product.url, viewport={"width": 1440, "height": 900})
    found = context.new_page()
    problems: list[str] = []
    found.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    found.on("pageerror", lambda error: problems.append(str(error)))
    found.goto("/cbgrid")
    sign_in(found, "admin", real_product.password)
    yield found
    context.close()
    network = any("ERR_NETWORK_CHANGED" in problem for problem in problems)
    assert not [problem for problem in problems if not (network and NOISE.search(problem))]


def submit(page: Page, button: str, **fields: str) -> None:
    """Press a button of the page head, fill the fields of its dialog by their names and press the dialog's button."""
    page.locator(".page-head").get_by_role("button", name=button).click()
    dialog = page.locator("dialog[open]")
    for name, value in fields.items():
        field = dialog.locator("[data-confirm-name]" if name == "confirm" else f"[name={name}]")
        if field.evaluate("element => element.tagName") == "SELECT":
            field.select_option(label=value)
        else:
            field.fill(value)
    dialog.get_by_role("button", name=button).click()


def close_silent(page: Page) -> None:
    """Wait until the dialog is closed; close the one that could not hear its answer, see ``page``."""
    dialog = page.locator("dialog[open]")
    silent = dialog.get_by_text("The portal does not answer")
    try:
        wait_for(lambda: not dialog.count() or silent.count(), WORK / 1000, "the dialog's end")
    except AssertionError as error:
        raise AssertionError(f"{error}: {dialog.inner_text()!r}") from error
    if silent.count():
        dialog.locator("[data-close]").click()


def test_operator_makes_and_deletes_a_machine(page: Page, real_product: Product) -> None:
    """Account, cloud space, machine and port forward made by clicks lead to a guest that answers; deletes lead back."""
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    page.get_by_role("link", name="Accounts").first.click()
    submit(page, "Create account", name="clicks", username="admin")
    expect(page.get_by_role("heading", name="clicks")).to_be_visible(timeout=WORK)

    submit(page, "Create cloud space", name="office")
    expect(page.get_by_role("heading", name="office")).to_be_visible(timeout=WORK)
    expect(page.locator(".page-head")).to_contain_text("Deployed", timeout=WORK)
    fact = page.locator("dl.facts > div", has_text="Public address").locator("dd")
    address = re.findall(r"[\d.]{7,}", fact.inner_text())[0]

    submit(page, "Create machine", name="desk-1", imageId="tiny", sizeId="tiny", disksize="1")
    expect(page.get_by_role("heading", name="desk-1")).to_be_visible(timeout=WORK)
    expect(page.locator(".page-head")).to_contain_text("Running", timeout=WORK)

    submit(page, "Add port forward", localPort="80", destPort="8088")
    expect(page.get_by_text(f"{address}:8088")).to_be_visible(timeout=WORK)
    url = f"http://{address}:8088/"
    assert wait_for(lambda: answer_of(url), BOOT_LIMIT, "the guest's answer").strip() == "desk-1"

    submit(page, "Stop")
    expect(page.locator(".page-head")).to_contain_text("Halted", timeout=WORK)
    close_silent(page)
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".page-head")).to_contain_text("Running", timeout=WORK)

    submit(page, "Delete machine", reason="done", confirm="desk-1")
    expect(page.get_by_role("heading", name="Virtual machines")).to_be_visible(timeout=WORK)
    expect(page.get_by_role("link", name="desk-1")).to_have_count(0)
    page.get_by_role("link", name="Cloud spaces").first.click()
    page.get_by_role("link", name="office").click()
    submit(page, "Delete cloud space", reason="done", confirm="office")
    expect(page.get_by_role("heading", name="Cloud spaces")).to_be_visible(timeout=WORK)
    assert real_product.ask("cloudbroker/cloudspace/list") == [] or all(
        space["name"] != "office" for space in real_product.ask("cloudbroker/cloudspace/list")
    )
