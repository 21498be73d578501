"""What all tests share: a real MongoDB, started once, and an empty database for each test that asks."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import shutil  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
from collections.abc import Generator, Iterator  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import pytest  # noqa: E402
from playwright.sync_api import Browser, BrowserType, sync_playwright  # noqa: E402
from pymongo.database import Database  # noqa: E402

from portalfw.events import EventBus  # noqa: E402
from portalfw.store import Mongod  # noqa: E402
from portalfw.web.assets import BUNDLE  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent))

from browsing import CHROMIUM, SWITCHES  # noqa: E402
from databases import empty_database  # noqa: E402
from product import REPOSITORY, Product, running  # noqa: E402

CONTENT = Path(__file__).parent / "content"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a test that has failed what the products that it used have logged."""
    report = yield
    used = [one for one in getattr(item, "funcargs", {}).values() if isinstance(one, Product)]
    if report.failed:
        report.sections += [(f"Log of {product.url}", product.log()) for product in used]
    return report


@pytest.fixture(scope="session")
def mongod() -> Iterator[Mongod]:
    """Run the embedded MongoDB in a short temporary folder (a socket's path is limited to 107 bytes)."""
    folder = Path(tempfile.mkdtemp(prefix="Pfw-", dir="/tmp"))  # capitals: see Mongod.uri
    server = Mongod(folder / "mongod")
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def database(mongod: Mongod) -> Iterator[Database[dict[str, Any]]]:
    """Give an empty database with the indexes of all imported documents."""
    with empty_database(mongod.uri) as found:
        yield found


@pytest.fixture
def bus(database: Database[dict[str, Any]]) -> Iterator[EventBus]:
    """Give a running event bus over the test's database."""
    found = EventBus(database)
    found.start()
    yield found
    found.stop()


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    """Run the whole product with libvirt's simulated driver, and with the tests' own content directory."""
    with running("--hypervisor", "test", "--content", str(REPOSITORY), "--content", str(CONTENT)) as found:
        yield found


@pytest.fixture(scope="session")
def driver() -> Iterator[BrowserType]:
    """Drive Chromium for the whole run: a process can have only one driver of browsers at a time."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser: {CHROMIUM} is missing (Debian package chromium)")
    if not (BUNDLE / "manifest.json").exists():
        pytest.skip("the browser bundle is not built: run `npm ci` and `npm run build` in portalfw/web/bundle")
    with sync_playwright() as playwright:
        yield playwright.chromium


@pytest.fixture(scope="session")
def browser(driver: BrowserType) -> Iterator[Browser]:
    """Run headless Chromium, the one that tests share."""
    found = driver.launch(executable_path=str(CHROMIUM), args=SWITCHES.split())
    yield found
    found.close()
