"""The web server: gevent's pywsgi, with the one setting without which every keep-alive answer would stall.

Connections that have nothing to say for a while, and questions whose answer comes later, rest without a greenlet.
"""

from __future__ import annotations

import socket
import ssl
import time
from typing import Any, Final

import gevent
from gevent.pywsgi import WSGIHandler, WSGIServer
from werkzeug.wrappers import Response

from portalfw.errors import StartError
from portalfw.later import PUT_OFF, Later
from portalfw.web.resting import Rest, send
from portalfw.web.short import Request, Short

HANDSHAKE = 10.0  # seconds in which a client must have agreed on TLS
AGENTS = "/agent/"


REST_AFTER: Final = 3.0
"""Seconds of silence after which a kept connection is put to rest: a busy one keeps its greenlet, which is faster."""

MOST_AT_ONCE: Final = 200  # connections put to rest in one go, so that it takes a few milliseconds


class _SilentError(Exception):
    """Thrown into a greenlet that waits for its connection's next request."""


class Handler(WSGIHandler):
    """Answers requests without an access log: the audit records and the load balancer have it."""

    server: Server
    socket: Any
    later: Later | None = None
    silent_since: float | None = None

    def handle(self) -> None:
        """Answer until the connection ends or comes to rest."""
        self.greenlet = gevent.getcurrent()
        self.server.handlers.add(self)
        try:
            super().handle()
        finally:
            self.server.handlers.discard(self)
            self.environ = None  # which knows this handler

    def get_environ(self) -> dict[str, Any]:
        """Offer the application to answer later."""
        environ: dict[str, Any] = super().get_environ()
        environ[PUT_OFF] = self._put_off
        return environ

    def process_result(self) -> None:
        """Send the answer, unless it comes later."""
        if self.later is None:
            super().process_result()

    def handle_one_request(self) -> Any:
        """Answer one request; afterwards the connection may be at rest."""
        try:
            data = self._hear()
        except OSError:
            return None
        if not data:
            return None
        request = self.server.short.take(data) if self.server.short is not None else None
        if request is not None:
            self.rfile.read(len(data))
            return self._answer_shortly(request)
        result = super().handle_one_request()
        if self.later is not None:
            self._rest()
        return result

    def _hear(self) -> bytes:
        """Return what has come, without taking it; nothing at the end, and when the connection has come to rest."""
        if self.rfile.closed:
            return b""
        self.silent_since = time.monotonic()
        try:
            return bytes(self.rfile.peek(1))  # nothing of a request is read where this is interrupted
        except _SilentError:
            self._rest()
            return b""
        finally:
            self.silent_since = None

    def _answer_shortly(self, request: Request) -> Any:
        """Answer what goes the short way; True when the connection goes on here."""
        answer = self.server.short.answer(request) if self.server.short is not None else None
        self.close_connection = not request.keep
        if isinstance(answer, Response):
            return send(self.socket, answer, keep=request.keep) or None
        self.later = answer
        self._rest()
        return None

    def log_request(self) -> None:
        """Write nothing."""

    def _put_off(self, later: Later) -> None:
        self.later = later

    def _rest(self) -> None:
        sock, self.socket = self.socket, None  # so that nothing is closed
        self.rfile.close()
        self.server.rest.add(sock, self.client_address, self.later, keep=not self.close_connection)


class Server(WSGIServer):
    """Serves one application on one listening socket."""

    def __init__(
        self,
        listener: socket.socket,
        application: Any,
        context: ssl.SSLContext | None = None,
        rest_after: float = REST_AFTER,
        short: Short | None = None,
    ) -> None:
        """Serve ``application`` on ``listener``, which :func:`listen` has made; over TLS if there is a ``context``.

        What ``short`` takes is answered by that, past the application.
        """
        environ = None if context is None else {"wsgi.url_scheme": "https"}
        super().__init__(listener, application, handler_class=Handler, log=None, environ=environ)
        self._context = context
        self._rest_after = rest_after
        self.handlers: set[Handler] = set()
        self.short = short
        self.rest = Rest(self.do_handle, short)
        self._hush: Any = None

    def handle(self, sock: socket.socket, address: Any) -> None:
        """Answer a connection."""
        if self._hush is None:
            self._hush = self.loop.timer(self._rest_after / 3, self._rest_after / 3, ref=False)
            self._hush.start(self._put_to_rest)
        if self._context is None or isinstance(sock, ssl.SSLSocket):  # who has rested has agreed before
            super().handle(sock, address)
        elif (wrapped := _agreed(self._context, sock)) is not None:
            super().handle(wrapped, address)

    def do_close(self, sock: socket.socket, *_: Any) -> None:
        """Close a connection whose greenlet ends, unless it rests."""
        if sock not in self.rest:
            sock.close()

    def close(self) -> None:
        """Stop listening, and hang up on who is at rest."""
        super().close()
        if self._hush is not None:
            self._hush.stop()
            self._hush.close()
            self._hush = None
        self.rest.close()

    def _put_to_rest(self) -> None:
        """Free the greenlets of connections that have been silent; called by the event loop, where none runs."""
        before = time.monotonic() - self._rest_after
        silent = [one for one in self.handlers if one.silent_since is not None and one.silent_since < before]
        for handler in silent[:MOST_AT_ONCE]:
            handler.greenlet.throw(_SilentError)


def _agreed(context: ssl.SSLContext, sock: socket.socket) -> ssl.SSLSocket | None:
    """Agree on TLS; None for who speaks something else, or nothing: such a one is hung up on, and not worth a line."""
    try:
        with gevent.Timeout(HANDSHAKE, TimeoutError):
            return context.wrap_socket(sock, server_side=True)
    except OSError:  # TimeoutError and ssl.SSLError are such
        return None


def agents_only(application: Any) -> Any:
    """Return ``application`` without what is not for agents."""

    def answer(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"].startswith(AGENTS):
            return application(environ, start_response)
        start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"Only the agent of this machine is answered here.\n"]

    return answer


def listen(address: str, port: int) -> socket.socket:
    """Return a listening socket.

    TCP_NODELAY is inherited by accepted connections; without it each answer on a kept connection waits 44 ms for the
    peer's delayed acknowledgement (measured).

    :raises StartError: if the address is taken or cannot be used.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((address, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise StartError(
            f"Port {port} on {address} cannot be used: {error.strerror}. Choose another with --port."
        ) from error
    listener.setblocking(False)  # noqa: FBT003 - the argument's name is not public
    return listener
