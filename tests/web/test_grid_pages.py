"""The main ways through the Grid Portal in a browser: running a JumpScript, cancelling, running again, schedules."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from browsing import sign_in
from playwright.sync_api import Browser, ConsoleMessage, Page, expect
from product import Product

pytestmark = pytest.mark.browser
LONG = 30_000  # milliseconds, where others load the machine
ABORTED = re.compile(r"htmx:(sendAbort|afterRequest)")  # a newer wish took the place of one under way
GONE = re.compile(r".*404.*/grid/Schedule\?id=")  # a deleted object's page asks before it is left


@pytest.fixture
def page(browser: Browser, product: Product) -> Iterator[Page]:
    """Open the page of a JumpScript, signed in; an error in the console fails the test."""
    context = browser.new_context(base_url=product.url, viewport={"width": 1280, "height": 900})
    found = context.new_page()
    found.set_default_timeout(LONG)
    problems: list[str] = []
    found.on("console", lambda message: problems.append(told(message)) if message.type == "error" else None)
    found.on("pageerror", lambda error: problems.append(str(error)))
    found.goto("/grid/JumpScript?name=lab/count")
    sign_in(found, "admin", product.password)
    expect(found.locator("#live")).to_have_text("Live", timeout=LONG)
    yield found
    context.close()
    assert not [problem for problem in problems if not (ABORTED.match(problem) or GONE.match(problem))]


def told(message: ConsoleMessage) -> str:
    """Return what the console shows, with the address that it is about."""
    return f"{message.text} {message.location['url']}"


def run(page: Page, count: str, every: str) -> None:
    """Fill in the form that was made of the script's arguments, and send it."""
    page.get_by_role("button", name="Run", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.locator("[name=nid]").select_option(index=1)
    dialog.locator("[name='args.count']").fill(count)
    dialog.locator("[name='args.every']").fill(every)
    dialog.locator("[name='args.words']").fill("green\nblack")
    dialog.locator("[name='args.how']").select_option("down")
    dialog.locator("[name='args.more']").fill('{"cups": 2}')
    dialog.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url("**/grid/Job?id=*")


def test_a_jumpscript_is_run_by_a_form_and_its_output_is_seen(page: Page) -> None:
    """Each argument has a field of its kind; what the job says comes while it runs, its result and arguments stay."""
    run(page, count="12", every="0.3")
    expect(page.get_by_role("log")).to_contain_text("down 3", timeout=LONG)
    expect(page.get_by_role("log")).to_contain_text("down 11", timeout=LONG)
    expect(page.locator(".page-head")).to_contain_text("Ok", timeout=LONG)
    facts = page.locator("dl.facts")
    expect(facts.filter(has_text="Counted")).to_contain_text("green, black")
    expect(facts.filter(has_text="How").first).to_contain_text("down")


def test_a_running_job_is_cancelled_and_run_again(page: Page) -> None:
    """Cancelling asks for a reason and shows it; running again warns of work that may be half done, and leads there."""
    run(page, count="600", every="0.2")
    expect(page.get_by_role("log")).to_contain_text("down 1", timeout=LONG)
    page.get_by_role("button", name="Cancel job").click()
    page.get_by_role("dialog").get_by_label("Reason").fill("wrong node")
    page.get_by_role("dialog").get_by_role("button", name="Cancel job").click()
    expect(page.locator(".note")).to_contain_text("wrong node", timeout=LONG)
    cancelled = page.url
    again = page.locator(".page-head").get_by_role("button", name="Run again")
    expect(again).to_be_enabled(timeout=LONG)
    again.click()
    expect(page.get_by_role("dialog")).to_contain_text("half of its work may be done")
    page.get_by_role("dialog").get_by_role("button", name="Run again").click()
    page.wait_for_url(lambda url: "Job?id=" in url and url != cancelled)
    expect(page.locator("dl.facts", has_text="Again of")).to_contain_text(cancelled.rpartition("=")[2])
    page.get_by_role("button", name="Cancel job").click()
    page.get_by_role("dialog").get_by_label("Reason").fill("seen")
    page.get_by_role("dialog").get_by_role("button", name="Cancel job").click()
    expect(page.locator(".page-head")).to_contain_text("Cancelled", timeout=LONG)


def test_a_schedule_is_made_changed_and_deleted(page: Page, product: Product) -> None:
    """A script's page makes a schedule with its arguments; its own page changes it, and deletes it by its name."""
    page.get_by_role("button", name="Create schedule").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("[name=name]").fill("by hand")
    dialog.locator("[name=when]").fill("3600")
    dialog.locator("[name='args.count']").fill("1")
    dialog.get_by_role("button", name="Create schedule").click()
    page.wait_for_url("**/grid/Schedule?id=*")
    expect(page.locator(".page-head")).to_contain_text("every 60 min")
    page.get_by_role("button", name="Change schedule").click()
    dialog.locator("[name=when]").fill("30 4 * * *")
    dialog.locator("[name='args.count']").fill("7")
    dialog.get_by_role("button", name="Change schedule").click()
    expect(page.locator(".page-head")).to_contain_text("30 4 * * *", timeout=LONG)
    (row,) = product.ask("system/schedules/list", filter={"name": "=by hand"})
    assert (row["when"], row["args"]["count"]) == ("30 4 * * *", 7)
    page.locator(".page-head [data-menu-button]").click()
    page.get_by_role("button", name="Delete schedule").click()
    dialog.get_by_role("textbox").fill("by hand")
    dialog.get_by_role("button", name="Delete schedule").click()
    page.wait_for_url("**/grid/Schedules")
    assert product.ask("system/schedules/list", filter={"name": "=by hand"}) == []
