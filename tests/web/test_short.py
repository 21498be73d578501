"""Small requests that go past WSGI: what is taken, and that everything else is answered as ever; over real sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from product import wait_for
from werkzeug.wrappers import Response

from portalfw.errors import NotFoundError
from portalfw.web.server import Server, listen
from portalfw.web.short import Request, Short, read
from portalfw.web.traffic import Traffic

GET = b"GET /agent/jobs?session=a&held=1.1%2C2.1 HTTP/1.1\r\nHost: x\r\nAuthorization:  Bearer b \r\n\r\n"
POST = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
SLOW = b"long way"


def test_a_plain_request() -> None:
    """Verb, path, query, headers and body are what was sent."""
    assert read(GET) == Request(
        "GET", "/agent/jobs", "session=a&held=1.1%2C2.1", {"host": "x", "authorization": "Bearer b"}, b""
    )
    assert read(POST) == Request("POST", "/echo", "", {"host": "x", "content-length": "2"}, b"hi")
    request = read(POST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert request is not None
    assert not request.keep


@pytest.mark.parametrize(
    "data",
    [
        b"",
        GET[:-2],  # not whole
        POST[:-1],
        POST + b"GET",  # more than one
        POST.replace(b"1.1", b"1.0"),
        POST.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked"),
        POST.replace(b"Content-Length: 2", b"Content-Length: +2"),
        POST.replace(b"Content-Length: 2", b"Content-Length: 2\r\nContent-Length: 2"),
        POST.replace(b"Content-Length: 2", b"Content-Length: 2\r\nExpect: 100-continue"),
        POST.replace(b"Host: x", b"Host: x\r\n folded"),
        POST.replace(b"Host: x", b"Host : x"),
        POST.replace(b"Host: x", b"Host: x\nA: b"),
        POST.replace(b"Host: x\r\n", b""),
        POST.replace(b"/echo", b"http://x/echo"),
        POST.replace(b"/echo", b"/echo a"),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",  # TLS
    ],
)
def test_what_is_not_plain_is_left(data: bytes) -> None:
    """It is for the web server proper to judge."""
    assert read(data) is None


def _echo(request: Request) -> Response:
    if request.body == b"no":
        raise NotFoundError("There is none.")
    if request.body == b"xx":
        raise RuntimeError("a fault of our own")
    return Response(request.body)


def _application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", str(len(SLOW)))])
    return [SLOW]


@pytest.fixture
def traffic() -> Traffic:
    return Traffic(_application)


@pytest.fixture
def server(traffic: Traffic) -> Iterator[Server]:
    short = Short({("POST", "/echo"): _echo}, traffic)
    server = Server(listen("127.0.0.1", 0), _application, rest_after=0.05, short=short)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def link(server: Server) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as connection:
        yield connection


def answer(link: socket.socket, *parts: bytes) -> bytes:
    """Send a request in parts and return its answer."""
    for part in parts:
        link.sendall(part)
    data = b""
    while b"\r\n\r\n" not in data:
        data += link.recv(4096)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += link.recv(4096)
    return body


def test_both_ways_over_one_connection(link: socket.socket, server: Server, traffic: Traffic) -> None:
    """A connection goes on whichever way its requests are answered, busy or after a rest; each is counted."""
    for _ in range(2):
        assert answer(link, POST) == b"hi"
        assert answer(link, POST.replace(b"/echo", b"/else")) == SLOW
        assert answer(link, POST[:-1], POST[-1:]) in {b"hi", SLOW}  # as it happens to come
        wait_for(lambda: not server.handlers, what="the connection's rest")
    assert traffic.requests["page", "2xx"] >= 2


@pytest.mark.parametrize(("body", "said"), [(b"no", b"There is none."), (b"xx", b"failed unexpectedly")])
def test_failures(link: socket.socket, body: bytes, said: bytes) -> None:
    """What fails is answered in the one shape, and the connection goes on."""
    assert said in answer(link, POST.replace(b"hi", body))
    assert answer(link, POST) == b"hi"
