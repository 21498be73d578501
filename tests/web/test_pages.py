"""The pages as a person meets them, in headless Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from .conftest import Desk

pytestmark = pytest.mark.browser

PAGES = ["/home", "/machines", "/machine", "/text", "/login"]


def test_no_complaints(desk: Desk) -> None:
    """Pages are shown without console errors and without breaking the Content-Security-Policy."""
    for path in PAGES:
        page = desk.visit(path)
        expect(page.locator("h1")).to_be_visible()
        assert page.evaluate("document.fonts.ready.then(() => document.fonts.check('14px Inter'))"), path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert desk.complaints == [], path


def test_phone_has_no_sideways_scroll(phone: Desk) -> None:
    """No page is wider than a phone."""
    for path in PAGES:
        assert phone.visit(path).evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_first_load_is_small(desk: Desk) -> None:
    """A first visit loads less than 300 KB of compressed assets, and not the whole icon font."""
    sizes: dict[str, int] = {}

    def finished(request: Any) -> None:
        sizes[request.url] = request.sizes()["responseBodySize"]

    desk.page.on("requestfinished", finished)
    desk.visit("/login")
    desk.page.goto(desk.address + "/home", wait_until="load")
    desk.page.evaluate("document.fonts.ready.then(() => 1)")
    files = {url: size for url, size in sizes.items() if "/static/" in url}
    assert sum(files.values()) < 300_000, files
    assert not [url for url in files if "bootstrap-icons" in url]


def test_icons_outside_the_small_font(desk: Desk) -> None:
    """An author may name any icon of bootstrap-icons: the whole font is fetched where one is shown."""
    page = desk.visit("/text")
    with page.expect_response("**/bootstrap-icons-*.woff2"):
        page.evaluate(
            "document.querySelector('.page h1').insertAdjacentHTML('beforeend', '<i class=\"bi bi-yin-yang\"></i>')"
        )


def test_theme_toggle(desk: Desk) -> None:
    """The theme button goes from the system's look to light to dark, and the next page keeps it."""
    page = desk.visit("/home")
    root = page.locator("html")
    expect(root).to_have_attribute("data-theme", "auto")
    page.click("[data-theme-toggle]")
    expect(root).to_have_attribute("data-bs-theme", "light")
    page.click("[data-theme-toggle]")
    expect(root).to_have_attribute("data-bs-theme", "dark")
    desk.visit("/machines")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    assert page.evaluate("getComputedStyle(document.querySelector('.sheet')).backgroundColor") == "rgb(23, 24, 27)"


def test_auto_theme_follows_the_system(desk: Desk) -> None:
    """With the theme "auto" a dark system gets the dark look, also when it changes while the page is open."""
    desk.page.emulate_media(color_scheme="dark")
    page = desk.visit("/home")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.emulate_media(color_scheme="light")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")


def test_phone_menu(phone: Desk) -> None:
    """On a phone the sidebar opens over the page, and Escape closes it."""
    page = phone.visit("/home")
    link = page.get_by_role("link", name="Virtual machines")
    expect(link).to_be_hidden()
    page.click('[data-menu="open"]')
    expect(link).to_be_visible()
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()


def test_phone_dock(phone: Desk) -> None:
    """On a phone the page's actions lie at the bottom of the window."""
    page = phone.visit("/machines")
    box = page.get_by_role("button", name="Create machine").bounding_box()
    assert box
    assert box["y"] > 760
    assert box["height"] >= 40


def test_portal_switch(desk: Desk) -> None:
    """The head of the sidebar opens the list of portals."""
    page = desk.visit("/home")
    page.click(".side .portal")
    expect(page.locator("#portal-menu").get_by_role("link", name="Grid")).to_be_visible()


def test_not_found(desk: Desk) -> None:
    """A page that does not exist says so in the portal's frame, and shows a way back."""
    page = desk.visit("/missing")
    desk.complaints.clear()  # the browser logs every 404
    expect(page.get_by_role("heading", name="This page does not exist")).to_be_visible()
    expect(page.get_by_role("link", name="Go to the start page")).to_be_visible()
    expect(page.get_by_role("navigation", name="Pages")).to_be_visible()


def test_login_shows_what_is_wrong(desk: Desk) -> None:
    """A failed sign-in says what is wrong; the password can be looked at."""
    page = desk.visit("/login?wrong")
    expect(page.get_by_role("alert")).to_have_text("The user name or the password is wrong.")
    page.fill("#password", "correct horse")
    page.click("[data-reveal]")
    expect(page.locator("#password")).to_have_attribute("type", "text")


def test_filter_and_sort(desk: Desk) -> None:
    """A table is filtered with the key "/" and sorted by a click on its head."""
    page = desk.visit("/machines")
    page.keyboard.press("/")
    page.keyboard.type("web")
    rows = page.locator("tbody tr:visible")
    expect(rows).to_have_count(3)
    expect(page.locator("[data-shown]")).to_have_text("3 of 16")
    page.keyboard.press("Escape")
    expect(rows).to_have_count(16)
    page.click("th:has-text('Memory') button")
    page.click("th:has-text('Memory') button")
    expect(rows.first).to_contain_text("32")


def test_nothing_matches(desk: Desk) -> None:
    """A filter that nothing matches says so and can be cleared."""
    page = desk.visit("/machines")
    page.fill("[data-filter]", "no such machine")
    page.click("text=Clear the filter")
    expect(page.locator("tbody tr:visible")).to_have_count(16)


def test_copy(desk: Desk) -> None:
    """The copy button puts an address on the clipboard."""
    desk.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = desk.visit("/machine")
    page.click("[data-copy='10.12.4.11']")
    expect(page.locator("[data-copy='10.12.4.11'] .bi-check-lg")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "10.12.4.11"


def test_relative_times(desk: Desk) -> None:
    """Times are shown relative to now up to seven days, then as a date, with the exact time in the title."""
    page = desk.visit("/machine")
    created = page.locator("dl.facts div", has_text="Created").locator("time")
    assert created.text_content().split()[-1].isdigit()  # type: ignore[union-attr]
    expect(page.locator("dl.facts div", has_text="Last change").locator("time")).to_contain_text("ago")
    assert created.get_attribute("title")
