"""The web server: gevent's pywsgi, with the one setting without which every keep-alive answer would stall."""

from __future__ import annotations

import socket
import ssl
from typing import Any

import gevent
from gevent.pywsgi import WSGIHandler, WSGIServer

from portalfw.errors import StartError

HANDSHAKE = 10.0  # seconds in which a client must have agreed on TLS
AGENTS = "/agent/"


class Handler(WSGIHandler):
    """Answers requests without an access log: the audit records and the load balancer have it."""

    def log_request(self) -> None:
        """Write nothing."""


class Server(WSGIServer):
    """Serves one application on one listening socket."""

    def __init__(self, listener: socket.socket, application: Any, context: ssl.SSLContext | None = None) -> None:
        """Serve ``application`` on ``listener``, which :func:`listen` has made; over TLS if there is a ``context``."""
        environ = None if context is None else {"wsgi.url_scheme": "https"}
        super().__init__(listener, application, handler_class=Handler, log=None, environ=environ)
        self._context = context

    def handle(self, sock: socket.socket, address: Any) -> None:
        """Answer a connection."""
        if self._context is None:
            super().handle(sock, address)
            return
        wrapped = _agreed(self._context, sock)
        if wrapped is not None:
            with wrapped:
                super().handle(wrapped, address)


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
