"""Nothing keeps anybody out: axe looks at every page of every shipped space, and what opens there, light and dark."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote, urlsplit

import pytest
from browsing import sign_in
from cloud_steps import Cloud
from playwright.sync_api import Browser, Page, StorageState, expect
from product import REPOSITORY, Product, wait_for

from .writers import SPACE, editing, write

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
AXE = REPOSITORY / "portalfw/web/bundle/node_modules/axe-core/axe.min.js"
SPACES = sorted(folder.name for folder in (REPOSITORY / "spaces").iterdir() if folder.is_dir())
NEEDS_ARGUMENTS = 400
LOOK = """async (part) => {
    const told = ({id, help}, {html, any}) => `${id}: ${help}: ${html.slice(0, 160)} ${any[0]?.message ?? ""}`;
    const found = async (more) => {
        const {violations} = await axe.run(part, {resultTypes: ["violations"], iframes: false, ...more});
        return violations.flatMap((one) => one.nodes.map((node) => told(one, node)));
    };
    const root = document.documentElement;
    const light = await found({});
    const before = root.dataset.bsTheme;
    root.dataset.bsTheme = "dark";
    const dark = await found({runOnly: ["color-contrast"]});
    root.dataset.bsTheme = before;
    return [...light, ...dark.map((one) => `dark: ${one}`)];
}"""


@pytest.fixture(scope="module")
def seeded(product: Product) -> Iterator[None]:
    """Have one of everything that pages are about."""
    cloud = Cloud(product, "Everybody")
    space = cloud.cloudspace("everywhere")
    machine = cloud.machine(space, "everything")
    product.call("lab/samovar/forget")  # fails as nobody foresaw
    product.ask("lab/wellness/choose", state="ERROR")
    product.ask("system/health/refreshCommand", cmd="wellness")
    wait_for(lambda: product.ask("system/alerts/list"), what="an alert")
    quiet = {"name": "everyone", "url": "http://192.0.2.1/", "secret": "s" * 16, "enabled": False}
    webhook = product.ask("system/webhooks/create", **quiet, events=["alert.raised"])
    product.ask("system/webhooks/test", webhook=webhook)
    yield
    product.ask("system/webhooks/delete", webhook=webhook)
    product.ask("lab/wellness/choose", state="OK")
    product.ask("system/health/refreshCommand", cmd="wellness")
    cloud.delete_machine(machine)
    cloud.delete_cloudspace(space)


@pytest.fixture(scope="module")
def signed_in(browser: Browser, product: Product) -> StorageState:
    """Sign in once for all windows."""
    with browser.new_context(base_url=product.url) as context:
        page = context.new_page()
        page.goto("/login?next=/system")
        sign_in(page, "admin", product.password)
        expect(page.locator(".page-head")).to_be_visible(timeout=30_000)
        return context.storage_state()


@pytest.fixture
def page(browser: Browser, product: Product, signed_in: StorageState) -> Iterator[Page]:
    """Give a window in which nothing moves, so that every colour is the one that stays."""
    with browser.new_context(
        base_url=product.url,
        storage_state=signed_in,
        reduced_motion="reduce",
        color_scheme="light",
        viewport={"width": 1440, "height": 900},
    ) as context:
        context.set_default_timeout(30_000)
        context.add_init_script(path=AXE)
        yield context.new_page()


def faults(page: Page, part: str = "body") -> list[str]:
    """Return what axe finds wrong in a part of what is shown."""
    return [f"{urlsplit(page.url).path}: {one}" for one in page.evaluate(LOOK, part)]


def faults_of_dialogs(page: Page) -> list[str]:
    """Open every dialog of the page's head, and return what is wrong in them."""
    found = []
    for button in page.locator(".page-actions button[data-asks]:enabled").all():
        if not button.is_visible():
            continue  # behind a menu
        button.click()
        found += faults(page, "dialog[open]")
        page.locator("dialog[open] [data-close]").click()
    return found


def links(page: Page) -> dict[str, str]:
    """Return addresses with arguments that the page leads to, by the page they are of."""
    found = page.evaluate("[...document.querySelectorAll('main a[href*=\"?\"]')].map((link) => link.href)")
    return {key(urlsplit(one).path): one for one in found}


def key(path: str) -> str:
    return unquote(path).strip("/").replace("_", " ").lower()


@pytest.mark.usefixtures("seeded")
@pytest.mark.parametrize("space", SPACES)
def test_every_page_of_a_space(page: Page, product: Product, space: str) -> None:
    """No macro of a page fails, axe finds nothing; no page is left out: some are reached by links of others only."""
    waiting = [f"/{space}/{row['page']}" for row in product.ask("system/editor/links", space=space)]
    assert waiting
    known: dict[str, str] = {}
    found: list[str] = []
    part = "body"
    while waiting:
        left = []
        for address in waiting:
            answer = page.goto(known.get(key(address), address))
            assert answer is not None
            if answer.status == NEEDS_ARGUMENTS:
                left.append(address)
                continue
            assert answer.ok, page.url
            expect(page.locator(".macro.late")).to_have_count(0)
            expect(page.locator(".macro-error"), page.url).to_have_count(0)
            known = {**links(page), **known}
            found += faults(page, part) + faults_of_dialogs(page)
            part = "main"  # the frame around it is the same on every page of a space
        reachable = [address for address in left if key(address) in known]
        assert len(left) == len(reachable), f"no page leads to {set(left) - set(reachable)}"
        waiting = reachable
    assert found == []


def test_pages_about_pages(page: Page, product: Product, new_page: Callable[[str], str]) -> None:
    """The editor with a form and a mistake, what is behind menus, the past and the files of a page, and refusals."""
    name = new_page("# First\n\nold words\n")
    first = product.ask("system/pages/get", space=SPACE, page=name)["revision"]
    text = "# Second\n\nnew words\n\n{{fields data:thing title:Thing}}\n"
    product.ask("system/pages/save", space=SPACE, page=name, text=text, base=first)
    product.ask("system/pages/attach", space=SPACE, page=name, name="a.txt", data="YQ==")
    found = []
    for address in (
        *(f"/{where}/{SPACE}/{name}" for where in ("history", "files")),
        *(f"/history/{SPACE}/{name}?{query}" for query in ("blame=1", f"revision={first}", f"old={first}")),
        *(f"/files/{SPACE}", "/notes/nowhere", "/nowhere", f"/edit/{SPACE}/.hidden", "/system/Search?q=everything"),
    ):
        page.goto(address)
        found += faults(page)
    page.goto(f"/{SPACE}/{name}")
    page.get_by_role("button", name="Page", exact=True).click()
    found += faults(page)
    page.get_by_role("button", name="Rename page").click()
    found += faults(page, "dialog[open]")
    page.goto(f"/edit/{SPACE}/{name}")
    editing(page)
    write(page, text + "\n{{wrong}}\n")
    expect(page.locator("#problems")).to_be_visible()
    page.locator(".cm-line", has_text="{{fields").click()
    page.get_by_role("option", name=re.compile("^card ")).click()
    found += faults(page)
    page.locator(".pane-source [data-edit-macro]").click()
    found += faults(page)
    assert found == []


def test_signing_in(page: Page) -> None:
    """The sign-in form, also after a wrong password, and what a guest may not see."""
    page.context.clear_cookies()
    page.goto("/login")
    found = faults(page)
    sign_in(page, "nobody at all", "wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    found += faults(page)
    assert found == []
