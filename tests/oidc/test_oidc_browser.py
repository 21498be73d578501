"""The same with a real browser, through the provider's own pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browsing import CHROMIUM, SWITCHES
from oidc_sso import Sso
from playwright.sync_api import Browser, BrowserType, Page, expect

pytestmark = pytest.mark.browser
# The provider's pages name fonts of another host; only loopback is there for them.
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"


@pytest.fixture(scope="module")
def chromium(driver: BrowserType) -> Iterator[Browser]:
    """Run headless Chromium that reaches this machine only."""
    found = driver.launch(executable_path=str(CHROMIUM), args=[*SWITCHES.split(), ALONE])
    yield found
    found.close()


@pytest.fixture
def page(chromium: Browser, sso: Sso) -> Iterator[Page]:
    """Give a page; an error of ours in its console fails the test."""
    context = chromium.new_context(base_url=sso.product.url)
    found = context.new_page()
    problems: list[str] = []

    def note(text: str) -> None:
        if found.url.startswith(sso.product.url) and "status of 401" not in text:  # the page of a refused sign-in
            problems.append(text)

    found.on("console", lambda message: note(message.text) if message.type == "error" else None)
    found.on("pageerror", lambda error: note(str(error)))
    yield found
    context.close()
    assert not problems


def authenticate(page: Page, login: str) -> None:
    """Fill in the provider's form and agree."""
    page.get_by_placeholder("Enter any login").fill(login)
    page.get_by_placeholder("and password").fill("any")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()


def test_person_signs_in_twice_and_out(page: Page, sso: Sso) -> None:
    """A person signs in at the provider, is let in again without a password, signs out in both places, and is asked."""
    sso.provider.says("bella", groups=["operators"])
    page.goto("/cbgrid/Accounts")
    page.get_by_role("link", name="Sign in with Example SSO").click()
    authenticate(page, "bella")
    expect(page).to_have_url(f"{sso.product.url}/cbgrid/Accounts")
    expect(page.get_by_role("heading", name="Accounts")).to_be_visible()
    expect(page.get_by_text("bella@sso").first).to_be_visible()
    assert sso.product.ask("system/usermanager/userget", name="bella@sso")["groups"] == ["level1", "level2", "user"]

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Signed out")).to_be_visible()
    page.get_by_role("link", name="Sign in again").click()
    page.get_by_role("link", name="Sign in with Example SSO").click()
    page.get_by_role("button", name="Continue").click()  # it asks native clients each time, but for no password
    expect(page.get_by_text("bella@sso").first).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign out of Example SSO too").click()
    page.get_by_role("button", name="Sign out of the provider").click()
    expect(page).to_have_url(f"{sso.product.url}/login")
    page.get_by_role("link", name="Sign in with Example SSO").click()
    expect(page.get_by_placeholder("Enter any login")).to_be_visible()


def test_person_who_changes_the_mind_is_told(page: Page, sso: Sso) -> None:
    """Who gives up at the provider is back on the sign-in page, with the provider's words."""
    page.goto("/login?next=/cbgrid")
    page.get_by_role("link", name="Sign in with Example SSO").click()
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("alert")).to_contain_text("Example SSO did not sign you in: access_denied")
    expect(page).to_have_title("Sign in · portalfw")
    assert page.url.startswith(sso.product.url)
