"""A real machine's screen in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from browsing import sign_in
from cloud_steps import BOOT_LIMIT, Cloud, served
from playwright.sync_api import Browser, Page, expect
from product import Product, wait_for

pytestmark = [pytest.mark.qemu, pytest.mark.browser, pytest.mark.timeout(400)]

LIT = """() => {
  const canvas = document.querySelector(".console-screen canvas");
  if (!canvas?.width) return 0;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((value, index) => index % 4 < 3 && value > 100).length;
}"""


def lit(page: Page) -> int:
    """Return how much of the screen is not black."""
    return int(page.evaluate(LIT))


def test_screen_in_the_browser(real_product: Product, guest_image: Path, browser: Browser) -> None:
    """The screen of a booting machine is seen, what is typed shows on it, and it says when the machine is off."""
    cloud = Cloud(real_product, "screen")
    with served(guest_image.parent) as address:
        image = cloud.register_image("screen", f"{address}/{guest_image.name}")
        space = cloud.cloudspace("screen")
        machine = cloud.machine(space, "seen", image)
    page = browser.new_page(base_url=real_product.url)
    page.goto(f"/cbgrid/Console?id={machine}")
    sign_in(page, "admin", real_product.password)
    state = page.locator(".console-state")
    expect(state).to_have_text("Connected", timeout=60_000)
    wait_for(lambda: lit(page) > 1000, BOOT_LIMIT, "the text of a booting machine")
    page.locator(".console-screen canvas").click()
    before = lit(page)

    def typed() -> bool:
        page.keyboard.type("echo mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm")  # unseen until the kernel has its keyboard
        page.keyboard.press("Enter")
        return lit(page) > before + 3000

    wait_for(typed, BOOT_LIMIT, "what was typed on the screen")
    expect(page.get_by_text("Ctrl Alt Shift leaves the screen")).to_be_visible()
    real_product.ask("cloudapi/machines/stop", machineId=machine, force=True)
    expect(state).to_have_text("Off", timeout=60_000)
    real_product.ask("cloudapi/machines/start", machineId=machine)
    expect(state).to_have_text("Connected", timeout=60_000)
    cloud.delete_machine(machine)
    expect(state).to_have_text("Not connected", timeout=60_000)
    page.close()
    cloud.delete_cloudspace(space)
