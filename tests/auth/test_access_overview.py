"""The overview of who may do what where agrees with what calls are given."""

from __future__ import annotations

from typing import Any

import requests
from product import Product


def methods_of(product: Product, user: str) -> dict[str, dict[str, Any]]:
    rows = product.ask("system/accessoverview/listMethods", user=user, limit=500)
    return {row["id"]: row for row in rows}


def test_verdicts_are_those_of_calls(product: Product) -> None:
    """Always, by object and never are what a member of an operators' group, and somebody without one, meet."""
    token = product.user_token("over.ollie")
    found = methods_of(product, "over.ollie")
    assert found["system/usermanager/whoami"]["verdict"] == "always"
    assert found["cloudapi/machines/start"]["verdict"] == "by object"
    assert found["cloudapi/machines/start"]["reason"].startswith("machine:")
    assert found["system/settings/list"]["verdict"] == "never"
    assert product.call("system/settings/list", token=token).status_code == 403
    product.ask("system/usermanager/editUser", username="over.ollie", groups=["level1"])
    assert methods_of(product, "over.ollie")["cloudbroker/machine/list"]["verdict"] == "always"
    assert {row["verdict"] for row in methods_of(product, "admin").values()} == {"always"}


def test_users_are_paged_and_found(product: Product) -> None:
    """The list of users comes in pages, is searched by name and group, and counts methods by app."""
    product.user_token("over.page", "level2")
    found = product.ask("system/accessoverview/listUsers", search="over.page")
    assert [row["name"] for row in found] == ["over.page"]
    always, _, rest = found[0]["system"].partition(" + ")
    assert int(always) > 0
    assert " of " in rest
    assert len(product.ask("system/accessoverview/listUsers", limit=1)) == 1


def test_access_lists_show_objects_and_lead_to_the_explanation(product: Product) -> None:
    """An account's entry is in the lists of all and of its user, and in no other user's; its cell opens Explain."""
    product.user_token("over.anna")
    product.user_token("over.otto")
    account = product.ask("cloudbroker/account/create", name="overview", username="over.anna")
    mine = product.ask("cloudbroker/access/listEntries", user="over.anna")
    assert [(row["kind"], row["letters"]) for row in mine] == [("account", "ARCXDU")]
    assert product.ask("cloudbroker/access/listEntries", user="over.otto") == []
    assert mine[0] in product.ask("cloudbroker/access/listEntries", search="over.anna")
    query = {"method": mine[0]["method"], "arguments": mine[0]["arguments"], "user": "over.anna"}
    headers = {"Authorization": f"Bearer {product.token}"}
    shown = requests.get(f"{product.url}/system/Explain", params=query, headers=headers, timeout=10).text
    assert "has right R on the account" in shown
    page = requests.get(f"{product.url}/system/Access%20of?user=over.anna", headers=headers, timeout=10).text
    assert f"overview ({account})" in page
    assert "Explain?method=cloudapi%2Faccounts%2Fget&amp;arguments=%7B%22accountId%22%3A%20" in page
