"""Connections that wait for something without a greenlet: for their next request, or for an answer that comes later.

A greenlet with its handler and buffers takes some 30 KiB, a resting connection 3; agents rest nearly always.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from email.utils import formatdate
from typing import Any, Final

import gevent
import gevent.monkey
from gevent.queue import PriorityQueue
from werkzeug.wrappers import Response

from portalfw.later import Later
from portalfw.web.short import LARGEST, Request, Short

log = logging.getLogger(__name__)

LOOKERS: Final = 200
"""How many connections are looked after at the same time when many answers are ready at once."""

URGENT: Final = 0
USUAL: Final = 1

SENDING: Final = 30.0
"""Seconds in which a client must have taken an answer that came later."""

READ: Final = 1  # the event loop's word for "can be read"
Turn = tuple[int, int, Callable[[], None], Callable[[], None]]  # how urgent, its number, what to do, what if it fails


class Resting:
    """One connection at rest."""

    __slots__ = ("_again", "_keep", "_last", "_later", "_looking", "_peer", "_rest", "_socket", "_timer", "_watcher")

    def __init__(self, rest: Rest, sock: socket.socket, peer: Any, later: Later | None, *, keep: bool) -> None:
        """Begin to rest: until the next request if there is no answer to come ``later``, else until that is there."""
        loop = gevent.get_hub().loop
        self._rest = rest
        self._socket = sock
        self._peer = peer
        self._later = later
        self._keep = keep
        self._looking = self._again = self._last = False
        self._watcher: Any = loop.io(sock.fileno(), READ)
        self._watcher.start(self._readable)
        self._timer: Any = None
        if later is not None:
            self._timer = loop.timer(later.seconds)
            self._timer.start(self._late)
            later.begin(self._ready)

    def end(self) -> None:
        """Rest no more."""
        self._rest.leave(self._socket)
        for watcher in (self._watcher, self._timer):
            if watcher is not None:
                watcher.stop()
                watcher.close()
        self._watcher = self._timer = None

    def close(self) -> None:
        """Hang up."""
        self.end()
        if self._later is not None:
            self._later.cut()
        self._socket.close()

    def look(self) -> None:
        """Answer, if the answer is there; go on with the connection afterwards."""
        self._again = False
        if self._later is None or self._watcher is None:
            return  # it was cut while it waited for its turn
        answer = self._later.look(last=self._last)
        self._looking = False
        if self._watcher is None:
            return  # it was cut meanwhile
        if answer is not None:
            self._later = None
            self.end()
            self._send(answer)
        elif self._again:
            self._ready(urgent=True)

    def _send(self, answer: Response) -> None:
        # One that is gone, or takes nothing, did not get its job: that is noticed at its next question.
        if send(self._socket, answer, keep=self._keep):
            self._rest.add(self._socket, self._peer)
        else:
            self._socket.close()

    def _ready(self, *, urgent: bool) -> None:
        """Have somebody look; called in the event loop, or by whoever has made the answer possible."""
        self._again = True
        if not self._looking:
            self._looking = True
            self._rest.turn(self.look, self.close, urgent=urgent)

    def _late(self) -> None:
        self._last = True
        self._ready(urgent=False)

    def _readable(self) -> None:
        if self._later is None:
            self.end()
            self._rest.hear(self._socket, self._peer)
            return
        self._watcher.stop()  # more is read after the answer
        if _is_cut(self._socket):
            self.close()


class Rest:
    """The resting connections of a server."""

    def __init__(self, go_on: Callable[[socket.socket, Any], None], short: Short | None = None) -> None:
        """Answer requests that go the ``short`` way here.

        Call ``go_on(socket, peer)``, which must not wait, when a connection has something else to say again.
        """
        self.go_on = go_on
        self._short = short
        self._resting: dict[socket.socket, Resting] = {}
        self._turns: PriorityQueue[Turn] = PriorityQueue()
        self._numbers = itertools.count()
        self._lookers: list[gevent.Greenlet[..., None]] = []
        self._idle = 0
        self._closed = False

    def __contains__(self, sock: socket.socket) -> bool:
        """Tell whether a connection rests."""
        return sock in self._resting

    def add(self, sock: socket.socket, peer: Any, later: Later | None = None, *, keep: bool = True) -> None:
        """Let a connection rest, until it has something to say or the answer that comes ``later`` is there.

        With ``keep`` it goes on after that answer, else it is closed then. Once all are hung up on, so is this one: an
        answer may have been on its way.
        """
        if self._closed:
            if later is not None:
                later.cut()
            sock.close()
            return
        self._resting[sock] = Resting(self, sock, peer, later, keep=keep)

    def leave(self, sock: socket.socket) -> None:
        """Forget a connection; does nothing the second time."""
        self._resting.pop(sock, None)

    def turn(self, work: Callable[[], None], give_up: Callable[[], None], *, urgent: bool) -> None:
        """Have a connection looked after when it is its turn; ``give_up`` if that goes wrong."""
        if self._turns.qsize() >= self._idle and len(self._lookers) < LOOKERS:
            self._lookers.append(gevent.spawn(self._look))
        self._turns.put((URGENT if urgent else USUAL, next(self._numbers), work, give_up))

    def hear(self, sock: socket.socket, peer: Any) -> None:
        """Go on with a connection that has something to say; called in the event loop."""
        data = _seen(sock) if self._short is not None else b""
        request = self._short.take(data) if self._short is not None else None
        if request is None:
            self.go_on(sock, peer)
            return
        _skip(sock, len(data))
        self.turn(lambda: self._answer(sock, peer, request), sock.close, urgent=False)

    def _answer(self, sock: socket.socket, peer: Any, request: Request) -> None:
        if self._short is None:
            return
        answer = self._short.answer(request)
        if not isinstance(answer, Response):
            self.add(sock, peer, answer, keep=request.keep)
        elif send(sock, answer, keep=request.keep):
            self.add(sock, peer)
        else:
            sock.close()

    def close(self) -> None:
        """Hang up on everybody, and on who comes to rest from now on."""
        self._closed = True
        gevent.killall(self._lookers)
        while not self._turns.empty():
            *_, give_up = self._turns.get_nowait()
            give_up()
        for resting in list(self._resting.values()):
            resting.close()

    def _look(self) -> None:
        while True:
            self._idle += 1
            try:
                _, _, work, give_up = self._turns.get()
            finally:
                self._idle -= 1
            try:
                work()
            except gevent.GreenletExit:  # the server stops
                give_up()
                raise
            except Exception:  # the edge: nobody else would see it
                log.exception("A connection that waited for its answer could not be answered")
                give_up()


def send(sock: socket.socket, answer: Response, *, keep: bool) -> bool:
    """Send an answer; tell whether the connection can go on."""
    try:
        with gevent.Timeout(SENDING, TimeoutError):
            sock.sendall(_bytes(answer, keep=keep))
    except OSError:
        return False
    return keep


def _seen(sock: socket.socket) -> bytes:
    """Return what has come over a connection, without taking it and without waiting; nothing if it is encrypted."""
    if isinstance(sock, ssl.SSLSocket):
        return b""
    with _plain(sock) as plain:
        try:
            return plain.recv(LARGEST + 1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except OSError:
            return b""


def _skip(sock: socket.socket, count: int) -> None:
    """Take bytes that were seen."""
    with _plain(sock) as plain:
        plain.recv(count, socket.MSG_DONTWAIT)


@contextlib.contextmanager
def _plain(sock: socket.socket) -> Iterator[socket.socket]:
    """Give the connection as a socket of the standard library, which never waits in the event loop's stead."""
    plain = gevent.monkey.get_original("socket", "socket")(fileno=sock.fileno())
    try:
        yield plain
    finally:
        plain.detach()


def _is_cut(sock: socket.socket) -> bool:
    """Tell whether the other end has hung up, without reading anything and without waiting."""
    with _plain(sock) as plain:
        try:
            return not plain.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True


def _bytes(answer: Response, *, keep: bool) -> bytes:
    body = answer.get_data()
    head = [f"HTTP/1.1 {answer.status}", f"Date: {formatdate(usegmt=True)}"]
    head += [f"{name}: {value}" for name, value in answer.headers if name.lower() != "content-length"]
    head += [f"Content-Length: {len(body)}"] if keep else [f"Content-Length: {len(body)}", "Connection: close"]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body
