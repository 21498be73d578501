"""Guessing passwords does not pay."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import requests
from product import Product
from pymongo.database import Database

from portalfw.auth.lockout import FIRST_WAIT, Lockout, SignInFailures, clear, waiting
from portalfw.errors import TooManyError
from portalfw.settings import Settings


def sign_in(product: Product, browser: requests.Session, name: str, password: str) -> requests.Response:
    form = {"name": name, "password": password}
    return browser.post(f"{product.url}/login", data=form, allow_redirects=False, timeout=10)


def test_too_many_failures_have_to_wait(product: Product, browser: requests.Session) -> None:
    """After ten failures even the right password gets 429 and Retry-After, until the administrator clears it."""
    product.user_token("locked.lisa")
    for _ in range(10):
        assert sign_in(product, browser, "locked.lisa", "guess").status_code == 401
    answer = sign_in(product, browser, "locked.lisa", "locked.lisa-password")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= FIRST_WAIT
    assert "Try again at" in answer.text
    assert not browser.cookies
    assert "user:locked.lisa" in [row["id"] for row in product.ask("system/usermanager/listLocked")]
    assert product.ask("system/usermanager/clearLock", lockedId="user:locked.lisa") is True
    assert sign_in(product, browser, "locked.lisa", "locked.lisa-password").status_code == 303


@pytest.mark.usefixtures("database")
def test_success_resets_the_user() -> None:
    """A success between failures begins the user's count anew, and takes only itself off the address."""
    lockout = Lockout(Settings(sign_in_failures=3, sign_in_failures_address=100))
    for _ in range(5):
        lockout.begin("alice", "192.0.2.1")
        lockout.begin("alice", "192.0.2.1")
        lockout.succeed("alice", "192.0.2.1")
    row = SignInFailures.collection().find_one({"_id": "address:192.0.2.1"})
    assert row is not None
    assert row["failures"] == 5


@pytest.mark.usefixtures("database")
def test_address_is_counted_over_all_users() -> None:
    """An address that tries many users has to wait; users of other addresses do not, and IPv6 counts by site."""
    lockout = Lockout(Settings(sign_in_failures=3, sign_in_failures_address=5))
    for number in range(5):
        lockout.begin(f"user{number}", f"2001:db8::{number + 1}")
    with pytest.raises(TooManyError):
        lockout.begin("user9", "2001:db8::ffff")
    lockout.begin("user9", "2001:db8:0:1::1")
    assert [row["name"] for row in waiting()] == ["2001:db8::/64"]
    assert clear("address:2001:db8::/64")
    lockout.begin("user9", "2001:db8::ffff")


def test_waits_grow_and_old_failures_are_forgotten(database: Database[dict[str, Any]]) -> None:
    """Each failure after a wait doubles the next one; a window without any begins anew."""
    lockout = Lockout(Settings(sign_in_failures=1))
    waits = []
    for _ in range(3):
        lockout.begin("bob", "192.0.2.7")
        with pytest.raises(TooManyError) as refused:
            lockout.begin("bob", "192.0.2.7")
        waits.append(refused.value.retry_after)
        past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
        database["sign_in_failures"].update_one({"_id": "user:bob"}, {"$set": {"until": past}})
    assert waits == [FIRST_WAIT, 2 * FIRST_WAIT, 4 * FIRST_WAIT]
    database["sign_in_failures"].update_one({"_id": "user:bob"}, {"$set": {"expires": past}})
    lockout.begin("bob", "192.0.2.7")
    row = database["sign_in_failures"].find_one({"_id": "user:bob"})
    assert row is not None
    assert row["failures"] == 1
