"""What the originals let out, or let in, at the door: each once against the running product."""

from __future__ import annotations

import requests
from product import Product

from portalfw.auth.second_factor import current_step, totp

PASSWORD = "a-long-password"


def made(product: Product, name: str, browser: requests.Session) -> None:
    """Make a user and sign it in."""
    product.ask("system/usermanager/create", username=name, password=PASSWORD, emails=[f"{name}@example.com"])
    form = {"name": name, "password": PASSWORD}
    answer = browser.post(f"{product.url}/login", data=form, allow_redirects=False, timeout=10)
    assert answer.status_code == 303


def test_secrets_are_in_no_record_list_or_page(product: Product, browser: requests.Session) -> None:
    """Passwords, tokens, codes and hashes are neither in the audit log nor in lists of users, nor in the log file."""
    made(product, "secret.sam", browser)
    token = product.ask("system/tokens/create", name="x", user="secret.sam")
    enrolment = product.call("system/secondfactor/enrol", token=token, current=PASSWORD).json()
    code = totp(enrolment["secret"], current_step())
    recovery = product.call("system/secondfactor/confirm", token=token, code=code).json()
    changed = product.call("system/usermanager/setPassword", token=token, password="another-one", current=PASSWORD)
    assert changed.json() is True
    headers = {"Authorization": f"Bearer {product.token}"}
    shown = [
        requests.get(f"{product.url}/system/User?name=secret.sam", headers=headers, timeout=10).text,
        product.call("system/usermanager/listUsers").text,
        product.call("system/tokens/listAll").text,
        product.call("system/audits/listAudits", limit=500).text,
        (product.state / "log" / "portalfw.log").read_text(),
    ]
    for secret in (PASSWORD, "another-one", token, enrolment["secret"], recovery[0], "argon2id"):
        assert not [text for text in shown if secret in text]


def test_following_a_link_signs_nobody_in(product: Product, browser: requests.Session) -> None:
    """Name and password in an address, or posted to any other page, do not sign in (the originals did both)."""
    product.ask("system/usermanager/create", username="secret.sid", password=PASSWORD)
    names = {"name": "secret.sid", "password": PASSWORD, "user_login_": "secret.sid", "passwd": PASSWORD}
    browser.get(f"{product.url}/login", params=names, timeout=10)
    browser.get(f"{product.url}/cbgrid", params=names, timeout=10)
    browser.post(f"{product.url}/cbgrid", data=names, timeout=10)
    assert not browser.cookies


def test_second_step_leads_to_our_pages_only(product: Product, browser: requests.Session) -> None:
    """The target is checked anew at the second step, and another site's page cannot post the code."""
    made(product, "secret.sol", browser)
    token = product.ask("system/tokens/create", name="x", user="secret.sol")
    enrolment = product.call("system/secondfactor/enrol", token=token, current=PASSWORD).json()
    first = totp(enrolment["secret"], current_step() - 1)
    recovery = product.call("system/secondfactor/confirm", token=token, code=first).json()
    fresh = requests.Session()
    fresh.headers["Sec-Fetch-Site"] = "same-origin"
    form = {"name": "secret.sol", "password": PASSWORD, "next": "https://evil.example/"}
    answer = fresh.post(f"{product.url}/login", data=form, allow_redirects=False, timeout=10)
    assert answer.headers["Location"] == "/login/code?next=%2F"
    step = f"{product.url}/login/code"
    given = {"code": recovery[0], "next": "//evil.example"}
    foreign = fresh.post(step, data=given, headers={"Sec-Fetch-Site": "cross-site"}, allow_redirects=False, timeout=10)
    assert foreign.status_code == 403
    assert fresh.post(step, data=given, allow_redirects=False, timeout=10).headers["Location"] == "/"
