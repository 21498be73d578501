"""Passkeys in a real browser, with Chromium's virtual authenticator, against the running product."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import pytest
from browsing import sign_in
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, Route, expect
from product import Product

pytestmark = pytest.mark.browser

PASSWORD = "a-long-password"
WAIT = 10_000  # ms
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
#: The virtual authenticator answers what waits at the name field at once, so most tests are without that.
NO_OFFER = "PublicKeyCredential.isConditionalMediationAvailable = async () => false"


@dataclass
class Desk:
    """A user at a browser with an authenticator built in."""

    context: BrowserContext
    page: Page
    device: CDPSession
    authenticator: str
    name: str
    url: str
    complaints: list[str] = field(default_factory=list)

    def sign_in_with_password(self) -> None:
        self.page.goto(f"{self.url}/login?next=/system/Account")
        sign_in(self.page, self.name, PASSWORD)
        self.expect_account()

    def add_passkey(self, name: str) -> None:
        self.page.get_by_role("link", name="Add passkey").click()
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_role("button", name="Add passkey").click()
        expect(self.page.locator("#toasts")).to_contain_text("Passkey added")
        expect(self.page.locator("tr", has_text=name)).to_be_visible()

    def sign_out(self) -> None:
        self.context.clear_cookies()
        self.page.goto(f"{self.url}/login?next=/system/Account")

    def press_passkey(self) -> None:
        self.page.get_by_role("button", name="Sign in with a passkey").click()

    def expect_account(self) -> None:
        expect(self.page.locator(".page-head")).to_contain_text(self.name)


@pytest.fixture
def desk(browser: Browser, product: Product, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """Give a new user's browser; afterwards it must be free of complaints other than those a test has cleared."""
    name = f"web.{request.node.name.removeprefix('test_')[:34]}"
    product.ask("system/usermanager/create", username=name, password=PASSWORD)
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(WAIT)
    page = context.new_page()
    device = context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    added = device.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    url = product.url.replace("127.0.0.1", "localhost")
    found = Desk(context, page, device, added["authenticatorId"], name, url)
    page.on("console", lambda message: found.complaints.append(message.text) if message.type != "info" else None)
    page.on("pageerror", lambda error: found.complaints.append(str(error)))
    yield found
    context.close()
    assert found.complaints == []


def test_passkey_is_added_used_and_removed(desk: Desk) -> None:
    """A passkey is added by name, signs in by one click, cannot be replayed, and opens nothing once removed."""
    desk.page.add_init_script(NO_OFFER)
    desk.sign_in_with_password()
    desk.add_passkey("My laptop")
    posted: list[str] = []
    desk.page.on("request", lambda sent: posted.append(sent.post_data or "") if sent.url.endswith("passkey") else None)
    desk.sign_out()
    desk.press_passkey()
    desk.expect_account()
    expect(desk.page.locator("tr", has_text="My laptop")).not_to_contain_text("–")  # it has been used

    form = {name: values[0] for name, values in parse_qs(posted[-1]).items()}
    headers = {"Sec-Fetch-Site": "same-origin"}
    replayed = desk.context.request.post(f"{desk.url}/login/passkey", form=form, headers=headers, max_redirects=0)
    assert replayed.status == 401
    assert "not accepted" in replayed.text()

    desk.page.locator("tr", has_text="My laptop").locator("[data-menu-button]").click()
    desk.page.get_by_role("button", name="Remove").click()
    dialog = desk.page.get_by_role("dialog")
    expect(dialog).to_contain_text("May be left out within 5 minutes after signing in")
    dialog.get_by_role("button", name="Remove").click()
    expect(desk.page.get_by_text("No passkey yet")).to_be_visible()
    desk.sign_out()
    desk.press_passkey()
    expect(desk.page.get_by_role("alert")).to_contain_text("This passkey was not accepted")
    assert desk.page.url.endswith("/login/passkey")
    desk.complaints.clear()  # the browser logs the 401


def test_name_field_offers_passkeys(desk: Desk) -> None:
    """Where the browser can, it offers passkeys at the name field; choosing one signs in without a further click."""
    desk.sign_in_with_password()
    desk.add_passkey("Key")
    desk.sign_out()
    desk.expect_account()


def test_who_does_not_verify_hears_what_to_do(desk: Desk) -> None:
    """When nobody answers the authenticator the page says so in place, and the button works again."""
    desk.page.add_init_script(NO_OFFER)
    desk.sign_in_with_password()
    desk.add_passkey("Key")
    desk.sign_out()
    verified = {"authenticatorId": desk.authenticator, "isUserVerified": False}
    desk.device.send("WebAuthn.setUserVerified", verified)
    desk.press_passkey()
    expect(desk.page.get_by_role("alert")).to_contain_text("No passkey was chosen")
    desk.device.send("WebAuthn.setUserVerified", {**verified, "isUserVerified": True})
    desk.press_passkey()
    desk.expect_account()


def test_device_has_one_passkey_for_each_user(desk: Desk) -> None:
    """A device that has a passkey of the user makes no second one, and the page says why."""
    desk.page.add_init_script(NO_OFFER)
    desk.sign_in_with_password()
    desk.add_passkey("Key")
    desk.page.get_by_role("link", name="Add passkey").click()
    desk.page.get_by_role("button", name="Add passkey").click()
    expect(desk.page.locator("[data-field=name] .field-error")).to_have_text("This is needed.")
    desk.page.get_by_label("Name").fill("Again")
    desk.page.get_by_role("button", name="Add passkey").click()
    expect(desk.page.get_by_role("alert")).to_contain_text("This device has a passkey of yours already")


def test_address_without_passkeys_shows_the_way(desk: Desk) -> None:
    """At an address where browsers have no passkeys there is no button, but a link to where they work."""
    desk.page.goto(desk.url.replace("localhost", "127.0.0.1") + "/login?next=/system/Account")
    expect(desk.page.get_by_role("button", name="Sign in with a passkey")).to_have_count(0)
    expect(desk.page.get_by_text("Passkeys need the portal's name")).to_be_visible()
    desk.page.get_by_role("link", name=re.compile("^Open.localhost")).click()
    expect(desk.page.get_by_role("button", name="Sign in with a passkey")).to_be_visible()
    assert desk.page.url == f"{desk.url}/login?next=/system/Account"


def test_page_of_another_origin_asks_for_none(desk: Desk) -> None:
    """A page that is not where the portal says it is asks the browser for nothing, and says where passkeys work."""
    answer = re.compile(r"/login\?next=/elsewhere$")

    def moved(route: Route) -> None:
        fetched = route.fetch()
        body = fetched.text().replace(f'data-origin="{desk.url}"', 'data-origin="https://cloud.example.org"')
        route.fulfill(response=fetched, body=body)

    desk.page.route(answer, moved)
    desk.page.goto(f"{desk.url}/login?next=/elsewhere")
    expect(desk.page.get_by_text("Passkeys work at another address of this portal.")).to_be_visible()
    expect(desk.page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
