"""A call that takes a while, in a browser over the running product: steps in the dialog, then a toast, then its end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browsing import sign_in
from playwright.sync_api import Browser, Locator, Page, Response, expect
from product import Product, wait_for

pytestmark = pytest.mark.browser
FORM = "/lab/Serve"
PATIENCE = 10_000  # ms
TAKEN = 202


@pytest.fixture
def page(browser: Browser, product: Product) -> Iterator[Page]:
    """Give a page signed in as the administrator; an error in its console fails the test."""
    context = browser.new_context(base_url=product.url, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE)
    found = context.new_page()
    problems: list[str] = []
    found.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    found.on("pageerror", lambda error: problems.append(str(error)))
    found.goto("/login?next=/system/API")
    sign_in(found, "admin", product.password)
    found.wait_for_url("**/system/API")
    yield found
    context.close()
    assert [problem for problem in problems if "ERR_FAILED" not in problem] == []  # that one a test asks for


def serve(page: Page, cups: int, seconds: float, *, spill: bool = False) -> Locator:
    """Fill the form of the slow method and send it; return its dialog."""
    page.goto(FORM)
    page.locator("article button[data-action]").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("[name=cups]").fill(str(cups))
    dialog.locator("[name=seconds]").fill(str(seconds))
    if spill:
        dialog.locator("[name=spill]").check()
    dialog.locator("[type=submit]").click()
    return dialog


def test_dialog_shows_the_steps_of_a_long_call(page: Page) -> None:
    """The dialog shows each step with its amount in place of its fields, and closes when the call has ended."""
    dialog = serve(page, 4, 0.5)
    steps = dialog.locator(".steps li")
    expect(steps.first).to_contain_text("heating the water")
    expect(steps.filter(has_text="cup 2 is served")).to_be_visible()
    expect(steps.filter(has_text="pouring").nth(1)).to_contain_text("2 of 4")
    expect(dialog.locator("[name=cups]")).to_be_hidden()
    expect(dialog.locator(".steps li.current")).to_have_count(1)
    expect(page.locator(".toast-line.s-ok")).to_be_visible()
    expect(dialog).to_have_count(0)


def test_quick_call_shows_no_steps(page: Page) -> None:
    """A call that ends at once closes its dialog after one request; one that ends soon after one question more."""
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer) if "/restmachine/" in answer.url else None)
    dialog = serve(page, 2, 0)
    expect(page.locator(".toast-line.s-ok")).to_be_visible()
    expect(dialog).to_have_count(0)
    more = ["system/task/status"] if answers[0].status == TAKEN else []  # where the machine was too busy for that
    assert [answer.url.partition("/restmachine/")[2] for answer in answers] == ["lab/samovar/serve", *more]


def test_failure_comes_back_to_its_field(page: Page) -> None:
    """A long call that fails brings the form back, with the reason next to the field that it is about."""
    dialog = serve(page, 2, 0.5, spill=True)
    expect(dialog.locator(".steps")).to_be_visible()
    expect(dialog.locator("[data-field=cups] .field-error")).to_have_text("Cup 2 was spilt; wipe the table.")
    expect(dialog.locator("[name=cups]")).to_be_focused()
    expect(dialog.locator(".steps")).to_have_count(0)


def test_closed_dialog_goes_on_as_a_toast(page: Page) -> None:
    """Closing the dialog leaves a toast that tells the step and ends in success; a reload does not lose it."""
    dialog = serve(page, 6, 0.5)
    dialog.get_by_role("button", name="Continue in background").click()
    toast = page.locator(".toast-line.s-busy")
    expect(toast).to_contain_text("Serve")
    page.reload()
    expect(toast).to_contain_text("is served")
    expect(page.locator(".toast-line.s-ok")).to_be_visible()
    expect(toast).to_have_count(0)
    page.reload()
    expect(page.locator("#sheet")).to_be_visible()
    expect(page.locator(".toast-line")).to_have_count(0)


def test_background_failure_tells_its_reason(page: Page) -> None:
    """A call that fails in the background ends in a toast that stays and says why."""
    dialog = serve(page, 2, 0.6, spill=True)
    expect(dialog.locator(".steps")).to_be_visible()
    page.keyboard.press("Escape")
    bad = page.locator(".toast-line.s-bad")
    expect(bad).to_contain_text("Cup 2 was spilt; wipe the table.")
    expect(page.locator(".toast-line.s-busy")).to_have_count(0)


@pytest.mark.parametrize("place", ["dialog", "toast"])
def test_cancel_ends_the_call(page: Page, product: Product, place: str) -> None:
    """*Cancel* in the dialog or in the toast ends the call itself, and a toast says so."""
    dialog = serve(page, 100, 0.5)
    if place == "dialog":
        dialog.locator(".running-foot").get_by_role("button", name="Cancel").click()
    else:
        dialog.get_by_role("button", name="Continue in background").click()
        page.locator(".toast-line.s-busy").get_by_role("button", name="Cancel").click()
    expect(page.locator(".toast-line.s-idle")).to_contain_text("cancelled")
    expect(dialog).to_have_count(0)
    newest = product.ask("system/task/list", limit=1)[0]
    assert (newest["call"], newest["ok"]) == ("lab/samovar/serve", False)


@pytest.mark.parametrize("spill", [False, True])
def test_button_that_asks_nothing_is_freed(page: Page, spill: bool) -> None:
    """A button without a question is free again while its long call goes on as a toast, which tells how it ended."""
    page.goto(FORM)
    button = page.locator("article button[data-action]")
    button.evaluate(
        """(button, spill) => {
            button.removeAttribute("data-asks");
            const form = button.querySelector("template").content;
            form.querySelector("[name=cups]").setAttribute("value", "2");
            form.querySelector("[name=seconds]").setAttribute("value", "0.8");
            if (spill) form.querySelector("[name=spill]").setAttribute("checked", "");
        }""",
        spill,
    )
    button.click()
    expect(page.locator(".toast-line.s-busy")).to_be_visible()
    expect(button).not_to_have_attribute("aria-busy", "true")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".toast-line.s-bad" if spill else ".toast-line.s-ok")).to_be_visible()
    expect(page.locator(".toast-line.s-busy")).to_have_count(0)


def test_call_is_followed_without_a_stream(page: Page, product: Product) -> None:
    """Where no stream of events gets through, the dialog asks for the steps and finds the end."""
    page.route("**/events?**", lambda route: route.abort())
    dialog = serve(page, 14, 0.5)
    expect(dialog.locator(".steps li").filter(has_text="heating the water")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".toast-line.s-ok")).to_be_visible(timeout=2 * PATIENCE)
    wait_for(lambda: product.ask("system/task/list", limit=1)[0]["ok"], 5, "the task's end")


def test_a_word_that_is_lost_keeps_no_dialog_open(page: Page) -> None:
    """Where the stream is open and its word of the call's end got lost, the dialog asks in the end."""
    page.add_init_script("""
        const add = EventSource.prototype.addEventListener;
        EventSource.prototype.addEventListener = function (name, ...rest) {
            if (name !== "task") add.call(this, name, ...rest);
        };
    """)
    dialog = serve(page, 2, 0.5)
    expect(dialog.locator(".steps li").first).to_be_visible()
    expect(page.locator(".toast-line.s-ok")).to_be_visible(timeout=4 * PATIENCE)
    expect(dialog).to_have_count(0)
