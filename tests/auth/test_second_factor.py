"""The second factor: RFC 6238, at sign-in, once."""

from __future__ import annotations

import base64
import html
import re
import time

import pytest
import requests
from product import Product, wait_for

from portalfw.auth.second_factor import PERIOD, current_step, provisioning_uri, totp

WHO = "restmachine/system/usermanager/whoami"
PASSWORD = "a-long-password"


def who(product: Product, browser: requests.Session) -> str:
    return str(browser.get(f"{product.url}/{WHO}", timeout=10).json()["name"])


def enrol(product: Product, name: str) -> tuple[str, list[str]]:
    """Make a user with a second factor; return the secret and the recovery codes."""
    product.ask("system/usermanager/create", username=name, password=PASSWORD)
    token = product.ask("system/tokens/create", name="x", user=name)
    wrong = product.call("system/secondfactor/enrol", token=token, current="guess")
    assert wrong.status_code == 403
    enrolment = product.call("system/secondfactor/enrol", token=token, current=PASSWORD).json()
    assert enrolment["uri"] == provisioning_uri(name, enrolment["secret"], "portalfw")
    assert enrolment["qr"].startswith("data:image/svg+xml")
    # The period before is taken now, so that the current one is still good for signing in; not near its end, though.
    wait_for(lambda: time.time() % PERIOD < PERIOD / 2, PERIOD, "a period that is not about to end")
    code = totp(enrolment["secret"], current_step() - 1)
    assert product.call("system/secondfactor/confirm", token=token, code="000 000").status_code == 400
    confirmed = product.call("system/secondfactor/confirm", token=token, code=code)
    assert confirmed.status_code == 200, confirmed.text
    return enrolment["secret"], confirmed.json()


def first_step(product: Product, browser: requests.Session, name: str) -> None:
    form = {"name": name, "password": PASSWORD, "next": "/cbgrid"}
    answer = browser.post(f"{product.url}/login", data=form, allow_redirects=False, timeout=10)
    assert answer.headers["Location"] == "/login/code?next=%2Fcbgrid"
    assert who(product, browser) == "guest"


def give(product: Product, browser: requests.Session, code: str) -> requests.Response:
    form = {"code": code, "next": "/cbgrid"}
    return browser.post(f"{product.url}/login/code", data=form, allow_redirects=False, timeout=10)


@pytest.mark.parametrize(("seconds", "code"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")])
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    """The codes are the last six digits of the test vectors of RFC 6238, appendix B."""
    secret = base64.b32encode(b"12345678901234567890").decode()
    assert totp(secret, seconds // 30) == code


def test_sign_in_asks_for_the_code_and_takes_it_once(product: Product, browser: requests.Session) -> None:
    """The password alone gives no session; the code does, once: the same code is refused afterwards."""
    secret, _ = enrol(product, "factor.fay")
    first_step(product, browser, "factor.fay")
    assert "Second factor" in browser.get(f"{product.url}/login/code", timeout=10).text
    assert give(product, browser, "123456").status_code == 401
    code = totp(secret, current_step())
    assert give(product, browser, code).headers["Location"] == "/cbgrid"
    assert who(product, browser) == "factor.fay"
    other = requests.Session()
    other.headers["Sec-Fetch-Site"] = "same-origin"
    first_step(product, other, "factor.fay")
    replayed = give(product, other, code)
    assert replayed.status_code == 401
    assert "used before" in replayed.text
    assert who(product, other) == "guest"


def test_recovery_code_works_once(product: Product, browser: requests.Session) -> None:
    """A recovery code opens in place of the authenticator, one time; disabling needs the password."""
    _, codes = enrol(product, "factor.rex")
    assert len(set(codes)) == 10
    first_step(product, browser, "factor.rex")
    assert give(product, browser, codes[3].upper()).status_code == 303
    again = requests.Session()
    again.headers["Sec-Fetch-Site"] = "same-origin"
    first_step(product, again, "factor.rex")
    assert give(product, again, codes[3]).status_code == 401
    status = browser.get(f"{product.url}/restmachine/system/secondfactor/status", timeout=10).json()
    assert status == {"enabled": True, "recovery_codes": 9}
    disable = f"{product.url}/restmachine/system/secondfactor/disable"
    assert browser.post(disable, json={"current": "guess"}, timeout=10).status_code == 403
    assert browser.post(disable, json={"current": PASSWORD}, timeout=10).json() is True


def test_earlier_code_is_refused_after_a_later_one(product: Product, browser: requests.Session) -> None:
    """A code that was never used is worthless as soon as that of a later period was taken."""
    secret, _ = enrol(product, "factor.eli")
    step = current_step()
    first_step(product, browser, "factor.eli")
    assert give(product, browser, totp(secret, step + 1)).headers["Location"] == "/cbgrid"
    other = requests.Session()
    other.headers["Sec-Fetch-Site"] = "same-origin"
    first_step(product, other, "factor.eli")
    assert give(product, other, totp(secret, step)).status_code == 401
    assert who(product, other) == "guest"


def test_code_is_asked_for_in_one_field_of_digits(product: Product, browser: requests.Session) -> None:
    """Where a code is asked for there is one input, which brings up digits and may be filled in by the system."""
    enrol(product, "factor.dia")
    first_step(product, browser, "factor.dia")
    form = browser.get(f"{product.url}/login/code", timeout=10).text
    inputs = re.findall(r"<input[^>]*name=\"code\"[^>]*>", form)
    assert len(inputs) == 1
    assert 'inputmode="numeric"' in inputs[0]
    assert 'autocomplete="one-time-code"' in inputs[0]


def test_guessing_codes_is_locked_out(product: Product, browser: requests.Session) -> None:
    """Codes cannot be tried without end, though the password is given again in between."""
    enrol(product, "factor.gus")
    for _ in range(5):
        first_step(product, browser, "factor.gus")
        give(product, browser, "000000")
        answer = give(product, browser, "000001")
    assert answer.status_code == 401
    assert give(product, browser, "000002").status_code == 429
    product.ask("system/usermanager/clearLock", lockedId="user:factor.gus")


def test_code_form_is_for_who_gave_the_password(product: Product, browser: requests.Session) -> None:
    """Without the first step there is no second; its cookie is no session."""
    answer = browser.get(f"{product.url}/login/code", allow_redirects=False, timeout=10)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?next=%2F")
    assert give(product, browser, "123456").status_code == 303


def test_factor_is_set_up_by_pages(product: Product, browser: requests.Session) -> None:
    """The pages lead from the password over the QR code to recovery codes that are shown once."""
    product.ask("system/usermanager/create", username="factor.pam", password=PASSWORD)
    form = {"name": "factor.pam", "password": PASSWORD}
    browser.post(f"{product.url}/login", data=form, allow_redirects=False, timeout=10)
    page = f"{product.url}/login/second-factor"
    assert browser.post(page, data={"current": "guess"}, timeout=10).status_code == 403
    scan = browser.post(page, data={"current": PASSWORD}, timeout=10).text
    assert '<img class="auth-qr" src="data:image/svg+xml' in scan
    found = re.search(r"secret=([A-Z2-7]{32})", html.unescape(scan))
    assert found
    done = browser.post(page, data={"code": totp(found[1], current_step())}, timeout=10).text
    assert len(re.findall(r"<span>[a-z2-7]{4}(?:-[a-z2-7]{4}){3}</span>", done)) == 10
    assert "factor.pam" in browser.get(f"{product.url}/system/Account", timeout=10).text


def test_token_is_made_by_a_page(product: Product, browser: requests.Session) -> None:
    """The page shows a new token once; it works, within the scope that was typed."""
    product.ask("system/usermanager/create", username="page.peg", password=PASSWORD)
    form = {"name": "page.peg", "password": PASSWORD}
    browser.post(f"{product.url}/login", data=form, allow_redirects=False, timeout=10)
    page = f"{product.url}/login/token"
    assert "such as 30d" in browser.post(page, data={"name": "ci", "expires": "soon"}, timeout=10).text
    made = browser.post(page, data={"name": "ci", "expires": "30d", "apps": "cloudapi", "readonly": "true"}, timeout=10)
    found = re.search(r"<span>(pfw_[\w-]+)</span>", made.text)
    assert found
    assert product.call("cloudapi/locations/list", token=found[1]).status_code == 200
    assert product.call("system/usermanager/userexists", token=found[1], name="x").status_code == 403
    assert found[1] not in browser.get(f"{product.url}/system/Account", timeout=10).text
