"""A browser's end of a console, for tests: speaks WebSocket over a plain socket."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import parse_qs, urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)

LIMIT = 60.0


class RefusedError(Exception):
    """The portal answered the handshake with another status than 101."""


def ticket_of(url: str) -> str:
    """Return the ticket of an issued address."""
    return parse_qs(urlsplit(url).query)["ticket"][0]


class Viewer:
    """One WebSocket; ``state`` holds what the portal said before the screen, ``ended`` why it closed."""

    def __init__(self, url: str, path: str, token: str, *, origin: str | None = None) -> None:
        """Open ``path`` of the portal at ``url``; raises RefusedError with status and body."""
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname or "", parts.port or 80), LIMIT)
        self._protocol = WSConnection(ConnectionType.CLIENT)
        extra = [(b"Origin", (origin or url).encode())]
        extra += [(b"Authorization", f"Bearer {token}".encode())] if token else []
        self.state: list[dict[str, Any]] = []
        self.ended: tuple[int, str] | None = None
        self._bytes = bytearray()
        self._socket.sendall(self._protocol.send(Request(host=parts.netloc, target=path, extra_headers=extra)))
        self._accepted = False
        while not self._accepted:
            self._hear()

    def read(self, count: int) -> bytes:
        """Return so many bytes of the screen; fewer if it ended before."""
        while len(self._bytes) < count and self.ended is None:
            self._hear()
        found, self._bytes = bytes(self._bytes[:count]), self._bytes[count:]
        return found

    def send(self, data: bytes) -> None:
        self._socket.sendall(self._protocol.send(BytesMessage(data)))

    def end(self) -> tuple[int, str]:
        """Wait until the portal closes; return its code and reason."""
        while self.ended is None:
            self._hear()
        return self.ended

    def close(self) -> None:
        self._socket.close()

    def _hear(self) -> None:
        data = self._socket.recv(1 << 18)
        self._protocol.receive_data(data or None)
        for event in self._protocol.events():
            match event:
                case AcceptConnection():
                    self._accepted = True
                case RejectConnection(status_code=status):
                    self._status = status
                case RejectData(data=body, body_finished=finished) if finished:
                    self.close()
                    raise RefusedError(self._status, body.decode(errors="replace"))
                case BytesMessage(data=data):
                    self._bytes += data
                case TextMessage(data=text):
                    self.state.append(json.loads(text))
                case Ping():
                    self._socket.sendall(self._protocol.send(event.response()))
                case CloseConnection(code=code, reason=reason):
                    self.ended = (code, reason or "")
