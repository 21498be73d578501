"""The web server: gevent's pywsgi, with the one setting without which every keep-alive answer would stall."""

from __future__ import annotations

import socket
from typing import Any

from gevent.pywsgi import WSGIHandler, WSGIServer

from portalfw.errors import StartError


class Handler(WSGIHandler):
    """Answers requests without an access log: the audit records and the load balancer have it."""

    def log_request(self) -> None:
        """Write nothing."""


class Server(WSGIServer):
    """Serves one application on one listening socket."""

    def __init__(self, listener: socket.socket, application: Any) -> None:
        """Serve ``application`` on ``listener``, which :func:`listen` has made."""
        super().__init__(listener, application, handler_class=Handler, log=None)


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
