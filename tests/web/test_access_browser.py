"""Signing in, the second factor and API tokens as people meet them: in a real browser, on the running product."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from browsing import sign_in
from playwright.sync_api import Browser, Page, expect
from product import Product, wait_for

from portalfw.auth.second_factor import PERIOD, current_step, totp

pytestmark = pytest.mark.browser
PASSWORD = "a-long-password"


@pytest.fixture
def page(browser: Browser, product: Product) -> Iterator[Page]:
    """Give an empty browser; a script's error or a breach of the content policy fails the test."""
    context = browser.new_context(base_url=product.url, viewport={"width": 1280, "height": 800})
    found = context.new_page()
    problems: list[str] = []
    found.on("pageerror", lambda error: problems.append(str(error)))
    found.on("console", lambda message: problems.append(message.text) if "Content Security" in message.text else None)
    yield found
    context.close()
    assert not problems


def test_sign_in_leads_on_and_out_again(page: Page, product: Product) -> None:
    """A guest is asked to sign in, told of a wrong password, led to the page asked for, and out again."""
    product.ask("system/usermanager/create", username="browser.bea", password=PASSWORD)
    page.goto("/system/Account")
    sign_in(page, "browser.bea", "wrong")
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    sign_in(page, "browser.bea", PASSWORD)
    expect(page).to_have_url(re.compile(r"/system/Account$"))
    page.get_by_role("button", name="Sign out").click()
    page.goto("/system/Account")
    expect(page.get_by_label("User name")).to_be_visible()


def test_second_factor(page: Page, product: Product) -> None:
    """Somebody sets up a second factor on the account page, and is asked for a code at the next sign-in."""
    product.ask("system/usermanager/create", username="browser.fay", password=PASSWORD)
    page.goto("/system/Account")
    sign_in(page, "browser.fay", PASSWORD)
    page.get_by_role("link", name="Set up second factor").click()
    page.locator("input[type=password]").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    secret = (page.locator(".auth-secret span").first.text_content() or "").strip()
    wait_for(lambda: time.time() % PERIOD < PERIOD / 2, PERIOD, "a period that is not about to end")
    page.locator("#code").fill(totp(secret, current_step() - 1))
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    recovery = (page.locator(".auth-secret span").first.text_content() or "").strip()
    for code in (totp(secret, current_step()), recovery):
        page.goto("/system/Account")
        page.get_by_role("button", name="Sign out").click()
        page.goto("/system/Account")
        sign_in(page, "browser.fay", PASSWORD)
        if code == recovery:
            page.get_by_role("link", name="Use a recovery code").click()
        page.locator("#code").fill("000000")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_be_visible()
        page.locator("#code").fill(code)
        page.get_by_role("button", name="Sign in").click()
        expect(page).to_have_url(re.compile(r"/system/Account$"))


def test_a_token_is_shown_once_and_works(page: Page, product: Product) -> None:
    """A token is shown once, on the page for it and in the dialog of its method; it works until it is revoked."""
    page.goto("/system/API Method?address=system/tokens/create")
    sign_in(page, "admin", product.password)
    page.get_by_role("button", name="Create token").click()
    dialog = page.locator("dialog[open]")
    dialog.locator("[name=name]").fill("from its method")
    dialog.get_by_role("button", name="Create token").click()
    expect(dialog.locator(".answer")).to_contain_text("pfw_")
    shown = dialog.locator(".answer").text_content() or ""
    assert shown not in page.url
    assert product.call("system/usermanager/whoami", token=shown).json()["name"] == "admin"
    page.goto("/login/token")
    page.get_by_label("Name").fill("from the browser")
    page.get_by_role("button", name="Create token").click()
    expect(page.get_by_role("heading", name="Your new token")).to_be_visible()
    token = (page.locator(".auth-secret span").text_content() or "").strip()
    assert product.call("system/usermanager/whoami", token=token).json()["name"] == "admin"
    page.goto("/system/Account")
    row = page.locator("tr", has_text="from the browser")
    row.get_by_role("button", name="More actions").click()
    row.get_by_role("button", name="Revoke").click()
    page.locator("dialog[open]").get_by_role("button", name="Revoke").click()
    expect(row).to_have_count(0)
    assert product.call("system/usermanager/whoami", token=token).status_code == 401
