"""Behind a proxy: whom the portal believes about where a request comes from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from product import Product, run, running, wait_for
from requests.adapters import HTTPAdapter

PROXY, OTHER_PROXY, STRANGER = "127.0.0.2", "127.0.1.9", "127.0.0.7"  # all of loopback is ours to call from
CLIENT = "192.0.2.7"
PUBLIC = "https://cloud.example.org"


class From(HTTPAdapter):
    """Connects from one of this machine's addresses."""

    def __init__(self, address: str) -> None:
        """Connect from ``address``."""
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, source_address=(self._address, 0), **more)


@pytest.fixture(scope="module")
def proxied() -> Iterator[Product]:
    """A product that believes one address and one network."""
    trusted = json.dumps([PROXY, "127.0.1.0/24"])
    limits = {"PORTALFW_RATE_PER_ADDRESS": "1/30", "PORTALFW_SIGN_IN_FAILURES_ADDRESS": "3"}
    with running(
        "--hypervisor", "test", PORTALFW_TRUSTED_PROXIES=trusted, PORTALFW_PUBLIC_URL=PUBLIC + "/", **limits
    ) as found:
        yield found


def peer(address: str, **headers: str) -> requests.Session:
    """Return a client at ``address`` that sends X-Forwarded- headers: ``For``, ``Proto``, ``Host``."""
    session = requests.Session()
    session.mount("http://", From(address))
    session.headers.update({f"X-Forwarded-{name}": value for name, value in headers.items()})
    return session


def recorded_address(product: Product, session: requests.Session) -> str:
    """Call a method and return the address that the audit record of the call holds."""
    headers = {"Authorization": f"Bearer {product.token}"}
    address = f"{product.url}/restmachine/system/usermanager/listUsers"
    done = session.post(address, headers=headers, timeout=10)
    assert done.status_code == 200, done.text
    identity = done.headers["X-Request-Id"]
    found = wait_for(
        lambda: [row for row in product.ask("system/audits/listAudits") if row["id"] == identity], what="the record"
    )
    return str(found[0]["address"])


@pytest.mark.parametrize(
    ("at", "forwarded", "seen"),
    [
        (STRANGER, None, STRANGER),
        (STRANGER, CLIENT, STRANGER),
        (PROXY, None, PROXY),
        (PROXY, CLIENT, CLIENT),
        (PROXY, f"203.0.113.1, {CLIENT}", CLIENT),
        (PROXY, f"203.0.113.1, {CLIENT}, {OTHER_PROXY}", CLIENT),
        (OTHER_PROXY, f"{CLIENT}:4711", CLIENT),
        (PROXY, "203.0.113.1, [2001:db8::7]:80", "2001:db8::7"),
        (PROXY, f"::ffff:{CLIENT}", CLIENT),
        (PROXY, f"{OTHER_PROXY}", OTHER_PROXY),
        (PROXY, f"{CLIENT}, unknown, {OTHER_PROXY}", OTHER_PROXY),
    ],
)
def test_address_is_the_nearest_that_is_no_proxy(proxied: Product, at: str, forwarded: str | None, seen: str) -> None:
    """The audit record shows the last address that a trusted proxy vouches for, and never what the client made up."""
    session = peer(at) if forwarded is None else peer(at, For=forwarded)
    assert recorded_address(proxied, session) == seen


def test_limits_are_the_clients_own(proxied: Product) -> None:
    """One client behind the proxy that asks too often, or guesses passwords, does not hold up another one."""
    greedy, other = peer(PROXY, For="192.0.2.1"), peer(PROXY, For="192.0.2.2")
    address = f"{proxied.url}/restmachine/system/usermanager/whoami"
    assert 429 in {greedy.post(address, timeout=10).status_code for _ in range(40)}
    assert other.post(address, timeout=10).status_code == 200
    guess = {"name": "nobody", "password": "guess"}
    ours = {"Sec-Fetch-Site": "same-origin"}
    statuses = [
        greedy.post(f"{proxied.url}/login", data={**guess, "name": f"n{number}"}, headers=ours, timeout=10).status_code
        for number in range(5)
    ]
    assert statuses[-1] == 429
    assert other.post(f"{proxied.url}/login", data=guess, headers=ours, timeout=10).status_code == 401


def test_a_stranger_cannot_choose_its_bucket(proxied: Product) -> None:
    """Who reaches the portal past the proxy is limited by its own address, whatever it says of others."""
    address = f"{proxied.url}/restmachine/system/usermanager/whoami"
    session = peer("127.0.0.8")
    statuses = {
        session.post(address, headers={"X-Forwarded-For": f"192.0.2.{number}"}, timeout=10).status_code
        for number in range(40)
    }
    assert 429 in statuses


@pytest.mark.parametrize(
    ("at", "headers", "origin", "status"),
    [
        (PROXY, {"Proto": "https", "Host": "portal.example.net"}, "https://portal.example.net", 200),
        (PROXY, {"Proto": "https", "Host": "evil.example, portal.example.net"}, "https://portal.example.net", 200),
        (PROXY, {"Proto": "https", "Host": "evil.example, portal.example.net"}, "https://evil.example", 403),
        (PROXY, {"Host": "portal.example.net"}, "https://portal.example.net", 403),
        (PROXY, {"Proto": "gopher", "Host": "a/b"}, "gopher://a/b", 403),
        (STRANGER, {"Proto": "https", "Host": "portal.example.net"}, "https://portal.example.net", 403),
        (STRANGER, {}, PUBLIC, 200),
        (STRANGER, {}, PUBLIC + ".evil.example", 403),
    ],
)
def test_origin_agrees_with_what_the_browser_called(
    proxied: Product, at: str, headers: dict[str, str], origin: str, status: int
) -> None:
    """A write with the cookie passes from pages of the forwarded address or of ``public_url``, and no others."""
    session = peer(at, **headers)
    form = {"name": "admin", "password": proxied.password}
    ours = {"Sec-Fetch-Site": "same-origin"}
    signed_in = session.post(f"{proxied.url}/login", data=form, headers=ours, allow_redirects=False, timeout=10)
    assert signed_in.status_code == 303
    cookie = signed_in.headers["Set-Cookie"].partition(";")[0]  # by hand: over https it is for https only
    address = f"{proxied.url}/restmachine/system/usermanager/editUser"
    given = {"username": "admin", "emails": ["admin@example.org"]}
    done = session.post(address, json=given, headers={"Origin": origin, "Cookie": cookie}, timeout=10)
    assert done.status_code == status, done.text


def test_wrong_settings_stop_the_start() -> None:
    """A public address with a path or without a scheme, and a proxy that is no network, are named at the start."""
    for name, value in (
        ("public_url", "cloud.example.org"),
        ("public_url", "https://cloud.example.org/portal"),
        ("public_url", "https://a@cloud.example.org"),
        ("public_url", "https://cloud.example.org:many"),
        ("trusted_proxies", '["proxy"]'),
        ("trusted_proxies", '["10.0.0.1/8"]'),
    ):
        done = run("settings", **{f"PORTALFW_{name.upper()}": value})
        assert done.returncode == 1
        assert name in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
