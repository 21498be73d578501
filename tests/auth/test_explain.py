"""Why somebody may do something, or may not."""

from __future__ import annotations

from typing import Any

import requests
from product import Product

START = "cloudapi/machines/start"


def explain(product: Product, token: str | None = None, **asked: Any) -> requests.Response:
    return product.call("system/access/explain", token=token, **asked)


def test_each_alternative_is_explained(product: Product) -> None:
    """A refusal names every right that would do and why it is not given; the verdict is that of a real call."""
    token = product.user_token("explain.ed")
    shown = explain(product, method="lab/kettle/overheat", user="explain.ed").json()
    assert shown["allowed"] is False
    assert shown["alternatives"] == [{"right": "group:level2", "allowed": False, "reason": "needs group level2"}]
    assert product.call("lab/kettle/overheat", token=token).status_code == 403
    product.ask("system/usermanager/editUser", username="explain.ed", groups=["level2"])
    assert explain(product, method="lab/kettle/overheat", user="explain.ed").json()["allowed"] is True
    product.ask("system/usermanager/editUser", username="explain.ed", active=False)
    assert explain(product, method="lab/kettle/overheat", user="explain.ed").json()["allowed"] is False


def test_missing_objects_and_arguments_are_words(product: Product) -> None:
    """An object that does not exist is a reason, not a failure; a malformed argument and an unknown method are."""
    product.user_token("explain.eve")
    shown = explain(product, method=START, user="explain.eve", arguments={"machineId": 987654}).json()
    assert shown["allowed"] is False
    assert "987654" in shown["alternatives"][0]["reason"]
    assert explain(product, method=START, arguments={"machineId": "three"}).status_code == 400
    assert explain(product, method="no/such/method").status_code == 404
    assert explain(product, method=START, user="guest").json()["alternatives"][0]["reason"] == "needs a sign-in"


def test_everybody_may_ask_about_oneself_only(product: Product) -> None:
    """A user is told about itself and its credential's scope; about others only operators are told."""
    token = product.user_token("explain.eli")
    assert explain(product, token, method="system/usermanager/whoami").json()["allowed"] is True
    assert explain(product, token, method=START, user="admin").status_code == 403
    narrow = product.ask("system/tokens/create", name="x", user="explain.eli", readonly=True)
    shown = explain(product, narrow, method="lab/kettle/lock").json()
    assert (shown["allowed"], shown["alternatives"][0]["allowed"]) == (False, True)
    assert "read-only" in shown["scope"]


def test_page_and_json_say_the_same(product: Product) -> None:
    """The page takes method, user and arguments from its address; its twin in JSON is for programs."""
    headers = {"Authorization": f"Bearer {product.token}"}
    query = {"method": START, "machineId": "987654", "user": "admin"}
    page = requests.get(f"{product.url}/system/explain", params=query, headers=headers, timeout=10)
    assert page.status_code == 200
    assert "Any of these rights is enough" in page.text
    assert "987654" in page.text
    twin = requests.get(f"{product.url}/system/Explain.json", params=query, headers=headers, timeout=10)
    assert twin.status_code == 200
    assert "987654" in twin.text
    assert twin.json()["data"]["explain"]["method"] == START


def test_page_asks_in_a_form_and_answers(product: Product) -> None:
    """The page has a form with what was asked, takes arguments as JSON, and shows what is wrong with them."""
    headers = {"Authorization": f"Bearer {product.token}"}

    def shown(**query: str) -> str:
        return requests.get(f"{product.url}/system/Explain", params=query, headers=headers, timeout=10).text

    asked = shown(method="cloudapi/machines/start", user="admin", arguments='{"machineId": 4711}')
    assert "macro-error" not in asked
    assert 'name="method"' in asked
    assert 'value="cloudapi/machines/start"' in asked
    assert "4711" in asked.partition("Any of these rights")[2].partition("</table>")[0]
    assert "must be an object" in shown(method="cloudapi/machines/start", arguments="machineId=3")
    assert "{&#34;machineId&#34;: 3}" in shown()


def test_a_page_is_explained_like_a_method(product: Product) -> None:
    """Letter by letter the first rule that gives it is named, or those that fit and do not; pages really obey."""
    token = product.user_token("explain.pam", "level1")
    home = {row["right"]: row for row in explain(product, token, page="/notes/home").json()["alternatives"]}
    assert {letter: row["allowed"] for letter, row in home.items()} == {"R": True, "W": True, "A": False}
    assert home["W"]["reason"] == (
        "level1: RW in space.yaml of the space, which the page inherits; explain.pam is in this group"
    )
    closed = explain(product, page="/notes/Closed Book", user="explain.pam").json()
    assert closed["allowed"] is False
    assert closed["alternatives"][0]["reason"] == (
        "no rule that fits gives R: level1: nothing in the front matter of the page; "
        "level1: RW in space.yaml of the space (which the page replaces)"
    )
    assert [(rule["name"], rule["source"], rule["fits"]) for rule in closed["rules"]][:2] == [
        ("level1", "page", True),
        ("level1", "space", False),
    ]
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{product.url}/notes/Closed Book", headers=headers, timeout=10).status_code == 403
    shown = requests.get(f"{product.url}/system/Explain?page=/notes/Home", headers=headers, timeout=10).text
    assert "Who may see this page?" in shown
    assert "which the page inherits" in shown


def test_pages_that_one_may_not_ask_about(product: Product) -> None:
    """Only who may read a space learns whether a page exists there; a method and a page at once are too much."""
    token = product.user_token("explain.pat")
    assert explain(product, token, page="/notes/Home").json()["allowed"] is False
    assert explain(product, token, page="/notes/No such page").status_code == 403
    assert explain(product, page="/notes/No such page").status_code == 404
    assert explain(product, page="/notes/Home", method=START).status_code == 400
    assert explain(product).status_code == 400
