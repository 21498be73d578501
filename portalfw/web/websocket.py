"""WebSockets on gevent's pywsgi: the handshake, and one connection with pings and a bound on what waits in it.

The frames are wsproto's. A message is handed on as its pieces come, and nothing is read before the last was taken.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any, Final

import flask
import gevent
from flask import Request, Response
from gevent.lock import RLock
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage
from wsproto.utilities import ProtocolError, generate_accept_token

from portalfw.errors import InvalidError, UnavailableError

CHUNK: Final = 64 * 1024
PING: Final = 20.0
"""Seconds of silence after which the peer is asked for a sign of life; proxies cut what is silent for 60 s."""

SEND_LIMIT: Final = 60.0
"""Seconds in which a peer must take what is sent to it at once."""

GOOD_BYE: Final = 2.0
"""Seconds that a peer gets to close after it was told to."""

NORMAL: Final = 1000
LONGEST_REASON: Final = 120  # bytes; RFC 6455, 5.5: a control frame holds 125
KEY_LENGTH: Final = 16
VERSION: Final = "13"


class WebSocket:
    """One connection. One greenlet may read and others send at the same time."""

    def __init__(self, connection: socket.socket) -> None:
        """Take over a connection whose handshake is done."""
        self._socket = connection
        self._socket.settimeout(SEND_LIMIT)
        self._protocol = Connection(ConnectionType.SERVER)
        self._lock = RLock()

    def messages(self) -> Iterator[bytes | str]:
        """Give what comes, in pieces, until the peer closes or shows no sign of life."""
        while (data := self._read()) is not None:
            try:
                self._protocol.receive_data(data)
                for event in self._protocol.events():
                    if isinstance(event, (BytesMessage, TextMessage)):
                        yield event.data if isinstance(event, TextMessage) else bytes(event.data)
                    elif isinstance(event, Ping):
                        self._say(event.response())
                    elif isinstance(event, CloseConnection):
                        return
            except (OSError, ProtocolError):
                return

    def send(self, data: bytes | str) -> None:
        """Send a message, waiting until the peer's side has room for it; raises OSError if it is gone."""
        self._say(TextMessage(data) if isinstance(data, str) else BytesMessage(data))

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Say why nothing more comes, wait a moment for the peer to close, and end. A second time does nothing."""
        with self._lock:
            if self._protocol.state is ConnectionState.CLOSED:
                return
            cut = reason.encode()[:LONGEST_REASON].decode(errors="ignore")
            with contextlib.suppress(OSError, ProtocolError):
                self._say(CloseConnection(code=code, reason=cut))
                self._socket.shutdown(socket.SHUT_WR)
                gevent.with_timeout(GOOD_BYE, self._drain, timeout_value=None)
            self._protocol.receive_data(None)

    def _drain(self) -> None:
        while self._socket.recv(CHUNK):
            continue

    def _say(self, event: Event) -> None:
        with self._lock:
            try:
                self._socket.sendall(self._protocol.send(event))
            except ProtocolError as error:
                raise ConnectionError(f"the WebSocket is closed: {error}") from error

    def _read(self) -> bytes | None:
        """Return what comes next; None when the connection has ended, or the peer answers no ping."""
        try:
            for _ in range(2):
                data: bytes | None = gevent.with_timeout(PING, self._socket.recv, CHUNK, timeout_value=None)
                if data is not None:
                    return data or None
                self._say(Ping())
        except OSError:
            return None
        return None


class Upgrade(Response):
    """The answer that turns a request into a WebSocket; it lasts as long as ``serve`` does."""

    def __init__(self, request: Request, serve: Callable[[WebSocket], None]) -> None:
        """Check the handshake; raises InvalidError if it is none, UnavailableError on another server than ours."""
        super().__init__(status=101)
        self._token = generate_accept_token(_key(request).encode())
        self._serve = serve
        self._socket = _socket(request)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        """Answer the handshake, then serve."""
        headers = [
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", self._token.decode()),
        ]
        start_response("101 Switching Protocols", headers)(b"")
        connection = WebSocket(self._socket)
        try:
            self._serve(connection)
        finally:
            connection.close()
            environ["wsgi.input"].close()  # tells pywsgi that no request follows on this connection
        return []


def _key(request: Request) -> str:
    headers = request.headers
    key = headers.get("Sec-WebSocket-Key", "")
    try:
        good = len(base64.b64decode(key, validate=True)) == KEY_LENGTH
    except binascii.Error:
        good = False
    if headers.get("Upgrade", "").lower() != "websocket" or not good:
        raise InvalidError("This address answers WebSockets only.")
    if headers.get("Sec-WebSocket-Version") != VERSION:
        raise InvalidError("This address speaks version 13 of the WebSocket protocol only.")
    return key


def _socket(request: Request) -> socket.socket:
    """Return the connection below a request, which gevent's pywsgi keeps in the reader of an upgraded one."""
    found = getattr(getattr(flask.request.environ["wsgi.input"], "raw", None), "_sock", None)
    if not isinstance(found, socket.socket):
        raise UnavailableError(f"The server cannot take over the connection of {request.path}.")
    return found
