"""A browser that looks at the sample portal, and complains about whatever the browser complains about."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page, expect
from product import Product
from werkzeug.serving import make_server

from . import sample
from .writers import SPACE, Writers

_numbers = itertools.count(1)
WAIT = 5000  # ms; longest wait for anything on a page


@dataclass
class Desk:
    """An open page, the portal behind it, and everything that the browser complained about."""

    page: Page
    portal: sample.Portal
    address: str
    complaints: list[str] = field(default_factory=list)

    def visit(self, path: str) -> Page:
        """Open a page of the sample and wait until it is alive."""
        self.page.goto(self.address + path)
        return self.page

    def visit_live(self, path: str) -> Page:
        """Open a page and wait until changes arrive by themselves."""
        page = self.visit(path)
        expect(page.locator("#live")).to_have_text("Live")
        return page


@pytest.fixture
def portal() -> Iterator[tuple[sample.Portal, str]]:
    """Serve the sample portal on a free port of the loopback."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    found = sample.Portal()
    server = make_server("127.0.0.1", 0, sample.create_app(found), threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield found, f"http://127.0.0.1:{server.port}"
    found.broken = True
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def desk(browser: Browser, portal: tuple[sample.Portal, str]) -> Iterator[Desk]:
    """Give a desktop window; afterwards it must be free of complaints other than those a test has cleared."""
    yield from _desk(browser, portal, 1440, 900)


@pytest.fixture
def phone(browser: Browser, portal: tuple[sample.Portal, str]) -> Iterator[Desk]:
    yield from _desk(browser, portal, 390, 844)


def _desk(browser: Browser, portal: tuple[sample.Portal, str], width: int, height: int) -> Iterator[Desk]:
    context = browser.new_context(viewport={"width": width, "height": height})
    context.set_default_timeout(WAIT)
    found = Desk(context.new_page(), *portal)
    found.page.on("console", lambda message: found.complaints.append(message.text) if message.type != "info" else None)
    found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
    yield found
    context.close()
    assert found.complaints == []


@pytest.fixture
def writers(browser: Browser, product: Product) -> Iterator[Writers]:
    """Give people with windows on the running product."""
    found = Writers(browser, product)
    yield found
    found.close()


@pytest.fixture
def new_page(product: Product) -> Callable[[str], str]:
    """Give a function that makes a page of a text and returns its name."""

    def make(text: str) -> str:
        name = f"Editor {next(_numbers)}"
        product.ask("system/pages/create", space=SPACE, page=name, text=text)
        return name

    return make
