"""Connections without a greenlet: silent ones, and those whose answer comes later; over real sockets."""

from __future__ import annotations

import contextlib
import functools
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gevent.event import Event
from product import wait_for
from reverse_proxy import self_signed
from werkzeug.wrappers import Response

from portalfw.later import PUT_OFF, Ready
from portalfw.web.resting import LOOKERS
from portalfw.web.server import Server, listen

ASK = b"GET /later HTTP/1.1\r\nHost: x\r\n\r\n"
NOW = b"GET /now HTTP/1.1\r\nHost: x\r\n\r\n"


class Question:
    """An answer that the test gives."""

    def __init__(self, seconds: float) -> None:
        """Let it be waited for so long."""
        self.seconds = seconds
        self.answer: Response | None = None
        self.begun, self.gone = Event(), Event()
        self.looks: list[bool] = []
        self.ready: Ready = lambda *, urgent: None  # noqa: ARG005 - nobody waits yet

    def begin(self, ready: Ready) -> None:
        self.ready = ready
        self.begun.set()

    def look(self, *, last: bool) -> Response | None:
        self.looks.append(last)
        return self.answer or (Response("too late") if last else None)

    def cut(self) -> None:
        self.gone.set()


class Served:
    """A server of this process, the questions that it was asked, and a connection to it."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        """Serve."""
        self.questions: list[Question] = []
        self.seconds = 30.0
        self.listener = listen("127.0.0.1", 0)
        self.server = Server(self.listener, self._answer, context, rest_after=0.2)
        self.server.start()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.listener.getsockname()[1]), timeout=20)

    def _answer(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "3")])
        if environ["PATH_INFO"] == "/later":
            self.questions.append(Question(self.seconds))
            environ[PUT_OFF](self.questions[-1])
        return [b"now"]


@pytest.fixture
def served() -> Iterator[Served]:
    found = Served()
    yield found
    found.server.stop()


def read(link: socket.socket, end: bytes) -> bytes:
    """Read until this is there."""
    data = b""
    while not data.endswith(end):
        part = link.recv(4096)
        assert part, f"the server hung up after {data!r}"
        data += part
    return data


def asked(served: Served, link: socket.socket, request: bytes = ASK) -> Question:
    """Ask for an answer that comes later; return when the connection is at rest."""
    count = len(served.questions)
    link.sendall(request)
    wait_for(lambda: len(served.questions) > count and served.questions[-1].begun.is_set(), what="the question")
    assert not served.server.handlers
    return served.questions[-1]


def test_an_answer_comes_when_it_is_there(served: Served) -> None:
    """What looks without success is looked at again; the answer is sent once, and the connection goes on."""
    with served.connect() as link:
        question = asked(served, link)
        question.ready(urgent=True)
        wait_for(lambda: question.looks == [False], what="a look without success")
        question.answer = Response("here", headers={"X-Mark": "yes"})
        question.ready(urgent=True)
        assert b"X-Mark: yes\r\n" in read(link, b"\r\n\r\nhere")
        link.sendall(NOW)
        read(link, b"\r\n\r\nnow")


def test_the_time_to_wait_ends(served: Served) -> None:
    """When the time is over it is looked at for the last time, and that is the answer."""
    served.seconds = 0.05
    with served.connect() as link:
        question = asked(served, link)
        read(link, b"\r\n\r\ntoo late")
        assert question.looks == [True]
        assert not question.gone.is_set()


def test_a_cut_connection_is_noticed_while_it_waits(served: Served) -> None:
    """Who hangs up is known to be gone, though nobody reads from the connection."""
    with served.connect() as link:
        question = asked(served, link)
    assert question.gone.wait(20)


def test_what_is_sent_meanwhile_is_answered_afterwards(served: Served) -> None:
    """A request that is sent before the answer to the last one is not lost."""
    with served.connect() as link:
        question = asked(served, link)
        link.sendall(NOW)
        question.answer = Response("first")
        question.ready(urgent=True)
        assert b"\r\n\r\nfirst" in read(link, b"\r\n\r\nnow")


def test_a_connection_that_is_not_kept_ends_with_its_answer(served: Served) -> None:
    """Proxies that speak HTTP/1.0 wait as well; their connection is closed after the answer."""
    with served.connect() as link:
        question = asked(served, link, b"GET /later HTTP/1.0\r\n\r\n")
        question.answer = Response("bye")
        question.ready(urgent=True)
        assert b"Connection: close\r\n" in read(link, b"\r\n\r\nbye")
        assert link.recv(1) == b""


def test_an_answer_nobody_can_give_ends_the_connection(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    """A fault while an answer is made is logged and hangs up, and does no harm to others."""
    with served.connect() as link:
        question = asked(served, link)
        question.look = None  # type: ignore[assignment,method-assign]
        question.ready(urgent=True)
        assert link.recv(1) == b""
    assert "could not be answered" in caplog.text


def test_a_silent_connection_rests_and_goes_on(served: Served) -> None:
    """A kept connection that says nothing loses its greenlet, not its place; half a request is no silence."""
    with served.connect() as link, served.connect() as slow:
        slow.sendall(NOW[:5])
        link.sendall(NOW)
        read(link, b"now")
        wait_for(lambda: len(served.server.handlers) == 1, what="the silent connection being at rest")
        link.sendall(NOW)
        slow.sendall(NOW[5:])
        read(link, b"now")
        read(slow, b"now")


def test_over_tls(tmp_path: Path) -> None:
    """It is the same over TLS: later answers, a cut, silence."""
    certificate = self_signed(tmp_path / "portal.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    served = Served(context)
    trusting = ssl.create_default_context(cafile=certificate)
    trusting.check_hostname = False
    with contextlib.closing(served.server), trusting.wrap_socket(served.connect()) as link:
        question = asked(served, link)
        question.answer = Response("here")
        question.ready(urgent=True)
        read(link, b"\r\n\r\nhere")
        wait_for(lambda: not served.server.handlers, what="the silent connection being at rest")
        link.sendall(NOW)
        read(link, b"now")


def test_who_comes_to_rest_after_the_end_is_hung_up_on(served: Served) -> None:
    """A connection that was being answered when the server stopped is closed, and its question is forgotten."""
    ours, theirs = socket.socketpair()
    question = Question(30.0)
    served.server.stop()
    served.server.rest.add(ours, "", question)
    assert question.gone.is_set()
    with theirs:
        theirs.settimeout(20)
        assert theirs.recv(1) == b""


def test_who_waits_for_his_turn_at_the_end_is_hung_up_on(served: Served) -> None:
    """A connection that somebody looks after when the server stops is closed, and so is one that nobody has come to."""
    rest, busy, hung_up = served.server.rest, Event(), list[int]()

    def work() -> None:
        busy.set()
        Event().wait()

    for number in range(LOOKERS + 1):
        rest.turn(work, functools.partial(hung_up.append, number), urgent=False)
    assert busy.wait(20)
    served.server.stop()
    assert sorted(hung_up) == list(range(LOOKERS + 1))
