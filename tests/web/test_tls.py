"""TLS, of the portal's own and by a proxy before it: what browsers are told, and which cookies count."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from product import COMMAND, Product, run, running, wait_for
from reverse_proxy import reverse_proxy, self_signed, shown

from portalfw.auth.second_factor import current_step, totp

PROXY = "127.0.0.2"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and its key."""
    return self_signed(tmp_path_factory.mktemp("tls") / "portal.pem")


@pytest.fixture(scope="module")
def own(certificate: Path) -> Iterator[Product]:
    """A product that serves TLS itself."""
    with running("--hypervisor", "test", PORTALFW_TLS_CERTIFICATE=str(certificate)) as found:
        found.url = f"https://127.0.0.1:{found.port}"
        yield found


@pytest.fixture(scope="module")
def behind(certificate: Path) -> Iterator[Product]:
    """A product behind a proxy that serves TLS."""
    environment = {"PORTALFW_TRUSTED_PROXIES": json.dumps([PROXY]), "PORTALFW_HSTS_SUBDOMAINS": "true"}
    with (
        running("--hypervisor", "test", **environment) as found,
        reverse_proxy(found.port, certificate, at=PROXY) as port,
    ):
        found.url = f"https://127.0.0.1:{port}"
        yield found


@pytest.fixture(params=["own", "behind"])
def secure(request: pytest.FixtureRequest) -> Product:
    """The one product, then the other."""
    found: Product = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def visitor(certificate: Path) -> requests.Session:
    """A browser that trusts the certificate and says that it comes from our own pages."""
    session = requests.Session()
    session.verify = str(certificate)
    session.trust_env = False  # else variables of the environment would name other authorities
    session.headers["Sec-Fetch-Site"] = "same-origin"
    return session


def sign_in(product: Product, visitor: requests.Session, **more: str) -> requests.Response:
    form = {"name": "admin", "password": product.password, **more}
    return visitor.post(f"{product.url}/login", data=form, allow_redirects=False, timeout=10)


def called(product: Product, visitor: requests.Session, address: str, **given: str) -> Any:
    """Call a method as who has signed in, and return the answer."""
    done = visitor.post(f"{product.url}/restmachine/{address}", json=given, timeout=10)
    assert done.status_code == 200, done.text
    return done.json()


def who(product: Product, visitor: requests.Session) -> str:
    """Return for whom the portal takes the browser."""
    return str(called(product, visitor, "system/usermanager/whoami")["name"])


def test_session_is_bound_to_host_and_https(secure: Product, visitor: requests.Session) -> None:
    """Over https the session's cookie is a __Host- one, secure, for the whole host; it signs in and out."""
    cookie = sign_in(secure, visitor).headers["Set-Cookie"]
    assert cookie.startswith("__Host-portalfw_session=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert who(secure, visitor) == "admin"
    kept = {name: value or "" for name, value in visitor.cookies.items()}
    visitor.post(f"{secure.url}/logout", timeout=10, allow_redirects=False)
    assert not visitor.cookies
    visitor.cookies.update(kept)
    assert who(secure, visitor) == "guest"


def test_browsers_are_told_to_keep_to_https(own: Product, behind: Product, visitor: requests.Session) -> None:
    """Each answer over https asks for https for a year, for subdomains if so set; one over plain http does not."""
    for path in ("/login", "/healthz", "/nowhere", "/restmachine/no/such/method"):
        header = visitor.get(own.url + path, timeout=10).headers["Strict-Transport-Security"]
        assert header == "max-age=31536000"
    header = visitor.get(f"{behind.url}/login", timeout=10).headers["Strict-Transport-Security"]
    assert header == "max-age=31536000; includeSubDomains"
    plain = requests.get(f"http://127.0.0.1:{behind.port}/login", timeout=10)
    assert "Strict-Transport-Security" not in plain.headers


def test_cookie_of_the_time_before_https_is_replaced(behind: Product, visitor: requests.Session) -> None:
    """A session that began over plain http counts for nothing over https; signing in again ends and replaces it."""
    plain = requests.Session()
    plain.headers["Sec-Fetch-Site"] = "same-origin"
    form = {"name": "admin", "password": behind.password}
    plain.post(f"http://127.0.0.1:{behind.port}/login", data=form, allow_redirects=False, timeout=10)
    old = str(plain.cookies["portalfw_session"])
    visitor.cookies.set("portalfw_session", old, domain="127.0.0.1", path="/")
    assert who(behind, visitor) == "guest"
    sign_in(behind, visitor)
    assert who(behind, visitor) == "admin"
    assert set(visitor.cookies.keys()) == {"__Host-portalfw_session"}
    address = f"http://127.0.0.1:{behind.port}/restmachine/system/usermanager/whoami"
    assert plain.post(address, timeout=10).json()["name"] == "guest"


def test_second_step_is_bound_too(own: Product, visitor: requests.Session) -> None:
    """Between password and code the browser holds a __Host- cookie, which is gone afterwards."""
    sign_in(own, visitor)
    called(own, visitor, "system/usermanager/create", username="tls.tom", password="a-long-password")
    sign_in(own, visitor, name="tls.tom", password="a-long-password")
    secret = called(own, visitor, "system/secondfactor/enrol", current="a-long-password")["secret"]
    called(own, visitor, "system/secondfactor/confirm", code=totp(secret, current_step() - 1))
    visitor.cookies.clear()
    cookie = sign_in(own, visitor, name="tls.tom", password="a-long-password").headers["Set-Cookie"]
    assert cookie.startswith("__Host-portalfw_pending=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} <= set(cookie.split("; "))
    code = {"code": totp(secret, current_step())}
    visitor.post(f"{own.url}/login/code", data=code, allow_redirects=False, timeout=10)
    assert set(visitor.cookies.keys()) == {"__Host-portalfw_session"}
    assert who(own, visitor) == "tls.tom"


def test_audit_shows_the_client_of_the_proxy(behind: Product, visitor: requests.Session) -> None:
    """A session that was begun through the proxy shows the browser's address, not the proxy's."""
    sign_in(behind, visitor)
    listed = called(behind, visitor, "system/sessions/list")
    assert {row["address"] for row in listed if row["current"]} == {"127.0.0.1"}


def test_events_come_through_a_proxy_at_once(behind: Product, visitor: requests.Session) -> None:
    """A stream of events through the proxy tells of a change while it is open."""
    sign_in(behind, visitor)
    with visitor.get(f"{behind.url}/events?topics=user", stream=True, timeout=10) as stream:
        lines = stream.iter_lines()
        assert next(lines) == b": open"
        plain_address = f"http://127.0.0.1:{behind.port}/restmachine/system/usermanager/create"
        headers = {"Authorization": f"Bearer {behind.token}"}
        given = {"username": "tls.eve", "password": "a-long-password"}
        assert requests.post(plain_address, json=given, headers=headers, timeout=10).status_code == 200
        assert "user" in next(line for line in lines if line.startswith(b"data:")).decode()


def test_agent_works_through_a_proxy(behind: Product, certificate: Path, tmp_path: Path) -> None:
    """An agent enters through the proxy by https, waits for work there, and does it."""
    done = run("node", "token", "--state", str(behind.state))
    assert done.returncode == 0, done.stderr
    command = [*COMMAND, "agent", "--controller", behind.url, "--state", str(tmp_path), "--hypervisor", "test"]
    environment = {**os.environ, "REQUESTS_CA_BUNDLE": str(certificate), "PORTALFW_JOIN_TOKEN": done.stdout.strip()}
    plain = Product(f"http://127.0.0.1:{behind.port}", behind.port, behind.state, behind.process, behind.token)
    before = {row["id"] for row in plain.ask("system/gridmanager/getNodes")}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as agent:
        try:
            node = wait_for(
                lambda: [row for row in plain.ask("system/gridmanager/getNodes") if row["id"] not in before],
                what="the new node",
            )[0]
            ready = f"{plain.url}/readyz"
            wait_for(lambda: requests.get(ready, timeout=10).json()["nodes"] == len(before) + 1, what="its long poll")
            assert node["status"] == "ENABLED"
        finally:
            agent.terminate()


def test_renewed_certificate_is_taken_without_restart(own: Product, certificate: Path, tmp_path: Path) -> None:
    """A new file is served to the next connection; one that is broken changes nothing, and the log says so."""
    before = shown(own.port)
    kept = certificate.read_bytes()
    certificate.write_text("no certificate")
    log = own.state / "log" / "portalfw.log"
    wait_for(lambda: "The TLS certificate stays as it was" in log.read_text(), what="the warning")
    assert shown(own.port) == before
    self_signed(tmp_path / "new.pem").replace(certificate)
    wait_for(lambda: shown(own.port) != before, what="the new certificate")
    certificate.write_bytes(kept)
    wait_for(lambda: shown(own.port) == before, what="the old certificate")


def test_who_speaks_no_tls_is_hung_up_on(own: Product, visitor: requests.Session) -> None:
    """Plain http on the port of TLS ends without an answer, a trace, or harm to others."""
    with socket.create_connection(("127.0.0.1", own.port), timeout=10) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):  # hung up on, too
            assert not plain.recv(1000).startswith(b"HTTP")
    assert visitor.get(f"{own.url}/healthz", timeout=10).status_code == 200
    assert "Traceback" not in (own.state / "log" / "portalfw.log").read_text()


def test_agent_beside_a_portal_with_tls_has_a_way_of_its_own(own: Product, visitor: requests.Session) -> None:
    """The local agent is connected, by a plain port of loopback that answers nobody but agents."""
    assert visitor.get(f"{own.url}/readyz", timeout=10).json()["nodes"] == 1
    found = subprocess.run(["pgrep", "-af", str(own.state)], capture_output=True, text=True, check=True).stdout
    words = next(line for line in found.splitlines() if "--controller" in line).split()
    address = words[words.index("--controller") + 1]
    assert address.startswith("http://127.0.0.1:")
    assert requests.get(f"{address}/login", timeout=10).status_code == 404
    assert requests.get(f"{address}/agent/jobs", timeout=10).status_code == 401


def test_wrong_files_stop_the_start(tmp_path: Path, certificate: Path) -> None:
    """A missing file, one without a key, a key that does not fit or stands alone are named before anything starts."""
    lone = tmp_path / "lone.pem"
    lone.write_bytes(certificate.read_bytes().partition(b"-----BEGIN PRIVATE KEY")[0])
    other = self_signed(tmp_path / "other.pem")
    cases = [
        ({"PORTALFW_TLS_CERTIFICATE": str(tmp_path / "nowhere.pem")}, "nowhere.pem"),
        ({"PORTALFW_TLS_CERTIFICATE": str(lone)}, "lone.pem"),
        ({"PORTALFW_TLS_CERTIFICATE": str(lone), "PORTALFW_TLS_KEY": str(other)}, "other.pem"),
        ({"PORTALFW_TLS_KEY": str(other)}, "tls_certificate"),
    ]
    for environment, word in cases:
        done = run("master", "--state", str(tmp_path / "state"), **environment)
        assert done.returncode == 1
        assert word in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
