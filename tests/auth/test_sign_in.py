"""Signing in with a browser's means: form, cookie, same-site check."""

from __future__ import annotations

import requests
from product import Product


def sign_in(product: Product, browser: requests.Session, **form: str) -> requests.Response:
    return browser.post(f"{product.url}/login", data=form, allow_redirects=False, timeout=10)


def test_right_password_gives_a_session(product: Product, browser: requests.Session) -> None:
    """The administrator signs in with the password from the state folder, is sent on, and signs out for good."""
    answer = sign_in(product, browser, name="admin", password=product.password, next="/cbgrid")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/cbgrid")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    who = f"{product.url}/restmachine/system/usermanager/whoami"
    assert browser.post(who, timeout=10).json()["name"] == "admin"
    kept = dict(browser.cookies)
    browser.post(f"{product.url}/logout", timeout=10, allow_redirects=False)
    assert requests.get(who, cookies=kept, timeout=10).json()["name"] == "guest"


def test_wrong_password_does_not_say_what_was_wrong(product: Product, browser: requests.Session) -> None:
    """A wrong password and an unknown name get the same words and 401, and no cookie."""
    wrong = sign_in(product, browser, name="admin", password="guess")
    unknown = sign_in(product, browser, name="nobody", password="guess")
    assert wrong.status_code == unknown.status_code == 401
    assert "The name or the password is wrong" in wrong.text
    assert wrong.text.replace('value="admin"', "") == unknown.text.replace('value="nobody"', "")
    assert not browser.cookies


def test_login_leads_to_our_pages_only(product: Product, browser: requests.Session) -> None:
    """A link to the login page cannot send people to another site."""
    for target in ("//evil.example", "https://evil.example/", "/\\evil.example", "evil"):
        answer = sign_in(product, browser, name="admin", password=product.password, next=target)
        assert answer.headers["Location"] == "/"


def test_another_sites_page_cannot_write(product: Product, browser: requests.Session) -> None:
    """A POST that carries the cookie but comes from another site's page is refused; a token needs no such proof."""
    sign_in(product, browser, name="admin", password=product.password)
    address = f"{product.url}/restmachine/lab/kettle/lock"
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        assert browser.post(address, json={"key": "k"}, headers=headers, timeout=10).status_code == 403
    del browser.headers["Sec-Fetch-Site"]
    assert browser.post(address, json={"key": "k"}, timeout=10).status_code == 403
    assert browser.post(address, json={"key": "k"}, headers={"Origin": product.url}, timeout=10).status_code == 200
    assert product.call("lab/kettle/lock", key="k").status_code == 200


def test_password_file_is_private(product: Product) -> None:
    """The first administrator's password lies in a file that only its owner can read."""
    assert (product.state / "admin-password").stat().st_mode & 0o777 == 0o600
