"""A dialog that is filled in with what there is can also take it away, in a real browser against the real product."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, expect
from product import Product

WAIT = 10_000  # ms


def user_of(product: Product, name: str) -> dict[str, Any]:
    found: dict[str, Any] = product.ask("system/usermanager/userget", name=name)
    return found


def test_last_group_and_e_mail_can_be_taken_away(product: Product, browser: Browser) -> None:
    """Unticking the last group and emptying the list of addresses leaves none; what is left alone stays as it is."""
    given = {"groups": ["level1"], "emails": ["empty.emma@example.com"]}
    product.ask("system/usermanager/create", username="empty.emma", password="a-long-password", **given)
    context = browser.new_context(extra_http_headers={"Authorization": f"Bearer {product.token}"})
    context.set_default_timeout(WAIT)
    page = context.new_page()

    def edit(change: Any, expected: dict[str, Any]) -> None:
        page.goto(f"{product.url}/system/User?name=empty.emma")
        page.locator(".page-head").get_by_role("button", name="Edit").click()
        dialog = page.locator("dialog[open]")
        change(dialog)
        dialog.locator("button[type=submit], .btn-primary").last.click()
        expect(page.locator("dialog[open]")).to_have_count(0)
        found = user_of(product, "empty.emma")
        assert {name: found[name] for name in expected} == expected

    edit(lambda _: None, given)
    edit(lambda dialog: dialog.locator("[name=emails]").fill(""), {"groups": ["level1"], "emails": []})
    edit(lambda dialog: dialog.get_by_label("level1").uncheck(), {"groups": [], "emails": []})
    edit(lambda _: None, {"groups": [], "emails": []})
    context.close()
