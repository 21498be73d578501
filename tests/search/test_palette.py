"""The command palette and the search page in a real browser, over the running product."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from browsing import sign_in
from playwright.sync_api import Browser, BrowserContext, Page, expect
from product import REPOSITORY, Product, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

AXE = REPOSITORY / "portalfw/web/bundle/node_modules/axe-core/axe.min.js"
ACCOUNT = "Harbor Health"
KEPT = """JSON.parse(localStorage.getItem('portal-recent') ?? '{"pages": []}')
    .pages.map(kept => location.origin + kept.href)"""


@pytest.fixture(scope="module")
def account(product: Product) -> int:
    """Make an account and wait until it is found."""
    made = product.ask("cloudbroker/account/create", name=ACCOUNT, username="admin", emailaddress="a@example.org")
    wait_for(lambda: product.ask("system/search/find", text=ACCOUNT)["groups"], what="the account is found")
    return int(made)


@pytest.fixture(scope="module")
def signed_in(browser: Browser, product: Product) -> Any:
    """Sign in once; the other windows take over."""
    context = browser.new_context(base_url=product.url)
    page = context.new_page()
    page.goto("/cbgrid")
    sign_in(page, "admin", product.password)
    expect(page.locator(".page-head")).to_be_visible()
    state = context.storage_state()
    context.close()
    return state


def _window(browser: Browser, product: Product, state: Any, **options: Any) -> Iterator[Page]:
    context: BrowserContext = browser.new_context(base_url=product.url, storage_state=state, **options)
    context.set_default_timeout(10_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def page(browser: Browser, product: Product, signed_in: Any, account: int) -> Iterator[Page]:
    assert account
    yield from _window(browser, product, signed_in, viewport={"width": 1440, "height": 900})


@pytest.fixture
def phone(browser: Browser, product: Product, signed_in: Any) -> Iterator[Page]:
    yield from _window(browser, product, signed_in, viewport={"width": 390, "height": 844}, has_touch=True)


def field(page: Page) -> Any:
    return page.get_by_role("combobox", name="Search or run")


def option(page: Page, name: str) -> Any:
    return page.get_by_role("option", name=re.compile(name)).first


def test_nothing_is_fetched_before_it_opens(page: Page) -> None:
    """A page asks nothing of the search until the palette is opened."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/search/" in request.url else None)
    page.goto("/cbgrid/Accounts")
    expect(page.locator("#live")).to_have_text("Live")
    assert asked == []
    with page.expect_response("**/system/search/actions"):
        page.keyboard.press("Control+k")
    assert asked


def test_to_an_object_by_keys(page: Page) -> None:
    """Ctrl K, a few letters and Enter lead to an object; the focus goes into the field and stays in the dialog."""
    page.goto("/cbgrid/Images")
    page.keyboard.press("Control+k")
    expect(field(page)).to_be_focused()
    page.keyboard.type("harb")
    expect(option(page, ACCOUNT)).to_be_visible()
    expect(page.locator(".palette mark").first).to_have_text("Harb")
    for _ in range(4):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('.palette')")
    field(page).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=ACCOUNT)).to_be_visible()


def test_arrows_choose_and_escape_closes(page: Page) -> None:
    """Arrow keys go round the list and say so to assistive technology; Escape closes and gives the focus back."""
    page.goto("/cbgrid/Images")
    page.get_by_role("button", name="Search or run").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("option").first).to_be_visible()
    first = page.get_by_role("option", selected=True)
    expect(first).to_have_id("palette-item-0")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", selected=True)).to_have_id("palette-item-1")
    expect(field(page)).to_have_attribute("aria-activedescendant", "palette-item-1")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    last = page.get_by_role("option").last.get_attribute("id")
    expect(page.get_by_role("option", selected=True)).to_have_id(str(last))
    page.keyboard.press("Escape")
    expect(page.locator(".palette")).to_have_count(0)
    expect(page.get_by_role("button", name="Search or run")).to_be_focused()


def test_slash_opens_where_there_is_no_filter(page: Page) -> None:
    """The key "/" opens the palette, but goes to the filter of a page that has one, and is a letter in a field."""
    page.goto("/system/Search?q=x")
    page.locator("h1").click()
    page.keyboard.press("/")
    expect(field(page)).to_be_focused()
    expect(field(page)).to_have_value("")
    page.keyboard.press("Escape")
    page.get_by_role("searchbox").focus()
    page.keyboard.type("/")
    expect(page.get_by_role("searchbox")).to_have_value(re.compile("/"))
    expect(page.locator(".palette")).to_have_count(0)


def test_actions_of_the_page_and_from_anywhere(page: Page) -> None:
    """Buttons of the page can be pressed, and what is made on another page opens its dialog there."""
    page.goto("/cbgrid/Accounts")
    page.keyboard.press("Control+k")
    page.keyboard.type(">crea acc")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Create account")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("create user")
    option(page, "Create user").click()
    expect(page.get_by_role("dialog", name="Create user")).to_be_visible()
    assert page.url.endswith("/system/Users")
    page.reload()
    expect(page.get_by_role("heading", name="Users")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_wish_opens_dialogs_only(page: Page) -> None:
    """What the last page left to be pressed is pressed only if it asks first."""
    page.goto("/cbgrid/Images")
    page.evaluate("sessionStorage.setItem('portal-press', 'no/such/method')")
    page.goto("/cbgrid/Accounts")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("sessionStorage.getItem('portal-press')") is None


def test_recent_pages_stand_first(page: Page) -> None:
    """Without a letter typed, the pages visited last are offered, not the present one; signing out forgets them."""
    for name in ("Accounts", "Images", "Cloud Spaces"):
        page.goto(f"/cbgrid/{name}")
        wait_for(lambda: page.url in page.evaluate(KEPT), 10, f"{name} being kept")
    page.keyboard.press("Control+k")
    recent = page.get_by_role("group", name="Recently visited").get_by_role("option")
    expect(recent).to_have_text([re.compile("Images"), re.compile("Accounts"), re.compile("Dashboard")])
    page.keyboard.press("Escape")
    kept = json.loads(page.evaluate("localStorage.getItem('portal-recent')"))
    assert kept["viewer"] == "Aadmin"
    page.evaluate(
        "localStorage.setItem('portal-recent', JSON.stringify({viewer: 'other', pages: [{title: 'Secret'}]}))"
    )
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option").first).to_be_visible()
    expect(page.get_by_text("Secret")).to_have_count(0)
    page.evaluate("document.querySelector('form[action=\"/logout\"]').dispatchEvent(new Event('submit'))")
    assert page.evaluate("localStorage.getItem('portal-recent')") is None


def test_a_new_tab(page: Page) -> None:
    """Ctrl Enter opens what was found in a new tab and leaves the palette."""
    page.goto("/cbgrid/Images")
    page.keyboard.press("Control+k")
    page.keyboard.type("harbor")
    expect(option(page, ACCOUNT)).to_be_visible()
    with page.context.expect_page() as opened:
        page.keyboard.press("Control+Enter")
    expect(opened.value.get_by_role("heading", name=ACCOUNT)).to_be_visible()
    expect(field(page)).to_be_focused()


def test_fast_typing_asks_once(page: Page) -> None:
    """Letters typed in one go are one question, and what comes late of an old one is not shown."""
    page.goto("/cbgrid/Images")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "search/find" in request.url else None)
    page.keyboard.press("Control+k")
    with page.expect_response("**/search/find*"):
        field(page).evaluate(
            """field => { for (const text of ["h", "ha", "har", "harb"]) {
                 field.value = text; field.dispatchEvent(new InputEvent("input", {bubbles: true})); } }"""
        )
    expect(option(page, ACCOUNT)).to_be_visible()
    assert len(asked) == 1
    assert "text=harb&" in asked[0]
    field(page).fill("")
    expect(option(page, ACCOUNT)).to_have_count(0)


def test_nothing_found(page: Page) -> None:
    """What does not exist is said in words, with what was typed as mere text."""
    page.goto("/cbgrid/Images")
    page.keyboard.press("Control+k")
    page.keyboard.type("<img src=x>qqqq")
    expect(page.locator(".palette-message")).to_have_text("Nothing is called “<img src=x>qqqq”, or you may not see it.")
    assert page.locator(".palette img").count() == 0


def test_on_a_phone(phone: Page) -> None:
    """On a phone a button in the bar opens it over the whole width, with targets of 40 pixels and more."""
    phone.goto("/cbgrid/Home")
    phone.locator(".mobile-bar").get_by_role("button", name="Search or run").tap()
    field(phone).fill("mach")
    found = option(phone, "Virtual machines")
    box = found.bounding_box()
    assert box
    assert box["height"] >= 40
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found.tap()
    expect(phone.get_by_role("heading", name="Virtual machines")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_accessibility_violations(page: Page, theme: Any) -> None:
    """Axe finds nothing wrong with the palette, empty, full and with nothing found."""
    if not AXE.exists():
        pytest.skip("NO AXE: run `npm ci` in portalfw/web/bundle")
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.goto("/cbgrid/Images")
    page.keyboard.press("Control+k")
    expect(option(page, "Sign out")).to_be_visible()
    problems = axe(page, ".palette")
    page.keyboard.type("a")
    expect(page.locator(".palette mark").first).to_be_visible()
    page.wait_for_function("document.querySelector('.palette [role=status]').textContent")
    problems += axe(page, ".palette")
    page.keyboard.type("qqqq")
    expect(page.locator(".palette-message")).to_be_visible()
    problems += axe(page, ".palette")
    assert problems == []


def axe(page: Page, part: str) -> list[str]:
    """Return what axe finds wrong in a part of the page."""
    page.evaluate(AXE.read_text())
    found = page.evaluate(f"axe.run({json.dumps(part)})")
    return [
        f"{one['id']}: {one['help']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def test_the_search_page(page: Page) -> None:
    """The search page finds as one types, marks what matches, and can be linked to."""
    page.goto("/system/Search")
    page.get_by_role("searchbox").press_sequentially("harbor", delay=20)
    hit = page.locator(".hit", has_text=ACCOUNT)
    expect(hit).to_be_visible()
    expect(hit.locator("mark")).to_have_text("Harbor")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.goto("/system/Search?q=harbor")
    page.locator(".hit", has_text=ACCOUNT).get_by_role("link").click()
    expect(page.get_by_role("heading", name=ACCOUNT)).to_be_visible()


def test_a_guest_may_open_the_search_page(browser: Browser, product: Product) -> None:
    """A guest sees the search page and finds no more than guests may read."""
    for page in _window(browser, product, None):
        page.goto("/system/Search?q=a")
        expect(page.get_by_role("heading", name="Search")).to_be_visible()
        expect(page.locator(".hit", has_text=ACCOUNT)).to_have_count(0)
        page.keyboard.press("Control+k")
        expect(option(page, "Sign in")).to_be_visible()
        expect(page.get_by_role("option", name="Sign out")).to_have_count(0)
