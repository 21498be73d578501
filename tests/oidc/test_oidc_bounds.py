"""A provider that misbehaves holds up nobody and leads nowhere."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from gevent.pywsgi import WSGIServer

from portalfw.auth import oidc_http
from portalfw.auth.oidc_provider import Provider
from portalfw.auth.oidc_settings import OidcProvider
from portalfw.errors import UnavailableError

Answer = Callable[[str], tuple[str, Any]]


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], Provider]]:
    """Give a function that serves a discovery document and returns the provider that reads it."""
    servers = []

    def served(answer: Answer) -> Provider:
        def application(environ: dict[str, Any], begin: Any) -> Any:
            status, body = answer(f"http://{environ['HTTP_HOST']}")
            begin(status, [("Location", "/elsewhere")] if status.startswith("3") else [])
            return body if not isinstance(body, dict) else [json.dumps(body).encode()]

        server = WSGIServer(("127.0.0.1", 0), application, log=None)
        server.start()
        servers.append(server)
        return Provider(OidcProvider(name="odd", issuer=f"http://127.0.0.1:{server.server_port}", client_id="x"))

    yield served
    for server in servers:
        server.stop()


def trickle() -> Iterator[bytes]:
    while True:
        yield b" "
        gevent.sleep(0.05)


def document(here: str, **changes: Any) -> dict[str, Any]:
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    return {"issuer": here, **dict.fromkeys(names, f"{here}/x"), **changes}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda _: ("200 OK", [b" " * (oidc_http.LARGEST + 1)]), "larger than"),
        (lambda _: ("200 OK", trickle()), "no whole answer within"),
        (lambda _: ("302 Found", []), "redirect"),
        (lambda _: ("500 Internal Server Error", []), "500 Server Error"),
        (lambda _: ("200 OK", [b"<html>"]), "Expecting value"),
        (lambda _: ("200 OK", [b"[]"]), "does not answer a JSON object"),
        (lambda here: ("200 OK", document(here + "/other")), "calls itself"),
        (lambda here: ("200 OK", document(here, jwks_uri="file:///etc/passwd")), "jwks_uri 'file:///etc/passwd'"),
        (lambda here: ("200 OK", document(here, token_endpoint="http://10.0.0.1/")), "is no https address"),
        (lambda here: ("200 OK", document(here, token_endpoint=None)), "token_endpoint None"),
        (lambda here: ("200 OK", document(here)), "keys"),
    ],
)
def test_bad_answer_is_told_and_bounded(
    serve: Callable[[Answer], Provider],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    answer: Answer,
    said: str,
) -> None:
    """Whatever a provider answers instead of its document, people learn that it is away, the log why, within bounds."""
    monkeypatch.setattr(oidc_http, "WHOLE", 0.5)
    provider = serve(answer)
    began = time.monotonic()
    with pytest.raises(UnavailableError, match=r"^odd cannot be reached now\. Try again"):
        provider.refresh()
    assert time.monotonic() - began < 5
    assert said in caplog.text
    assert provider.failure == "odd cannot be reached now."


def test_slow_provider_holds_up_nobody(serve: Callable[[Answer], Provider], monkeypatch: pytest.MonkeyPatch) -> None:
    """While some wait for a provider, everybody else is served, and who waits is told at the first failure."""
    monkeypatch.setattr(oidc_http, "WHOLE", 1.0)
    turns = 0

    def others() -> None:
        nonlocal turns
        while True:
            gevent.sleep(0.01)
            turns += 1

    beside = gevent.spawn(others)
    provider = serve(lambda _: ("200 OK", trickle()))
    began = time.monotonic()
    gevent.joinall([gevent.spawn(provider.look) for _ in range(8)], raise_error=True)
    beside.kill()
    assert time.monotonic() - began < 5
    assert turns > 30
