"""Bytes between a socket on this node and the portal, by a WebSocket that the node opens outwards.

Nobody can reach a node from outside, so what somebody is to see of it (a machine's screen) is brought to the controller
by the node itself. Neither side reads on before the other has taken what was read.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import requests
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Event, Ping, RejectConnection, Request
from wsproto.utilities import ProtocolError

from agent.errors import AgentError
from agent.protocol import MISDIRECTED, TUNNELS
from agent.trust import context, distrust

if TYPE_CHECKING:
    import socket

    from agent.jumpscript import Surroundings

CHUNK: Final = 64 * 1024
CONNECT_LIMIT: Final = 10.0
"""Seconds for one try to connect."""

MEETING_LIMIT: Final = 12.0
"""Seconds in which a new connection is tried again because the last one met another process of the portal."""

PAUSE: Final = 0.1
SILENCE: Final = 75.0
"""Seconds without a byte after which the portal counts as gone: it pings more often."""


class TunnelError(AgentError, OSError):
    """No tunnel to the portal could be made."""


@dataclass(frozen=True)
class Carried:
    """What went through a tunnel: bytes from the node and to it, and for how many seconds."""

    sent: int
    received: int
    seconds: float


def carry(surroundings: Surroundings, tunnel: str, local: socket.socket) -> Carried:
    """Carry bytes between ``local`` and the portal until either side ends; ``local`` is closed then.

    Args:
        surroundings: where the controller is, and the node's credential.
        tunnel: the tunnel's id, as the portal gave it.
        local: a connected stream socket.

    Raises:
        TunnelError: the portal cannot be reached, or does not wait for this tunnel.

    """
    with local:
        local.setblocking(False)  # noqa: FBT003 - the argument's name is not public
        return asyncio.run(_carry(surroundings, tunnel, local))


async def _carry(surroundings: Surroundings, tunnel: str, local: socket.socket) -> Carried:
    link = await _meet(surroundings, tunnel)
    began = time.monotonic()
    reader, writer = await asyncio.open_connection(sock=local)
    ways = [asyncio.create_task(_outwards(reader, link)), asyncio.create_task(_inwards(link, writer))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        await link.close()
        writer.close()
    return Carried(link.sent, link.received, time.monotonic() - began)


async def _outwards(reader: asyncio.StreamReader, link: _Link) -> None:
    while data := await reader.read(CHUNK):
        await link.send(data)


async def _inwards(link: _Link, writer: asyncio.StreamWriter) -> None:
    async with contextlib.aclosing(link.messages()) as messages:
        async for data in messages:
            writer.write(data)
            await writer.drain()


async def _meet(surroundings: Surroundings, tunnel: str) -> _Link:
    """Connect to the process that waits for the tunnel; a new connection may come to another one behind a balancer."""
    limit = time.monotonic() + MEETING_LIMIT
    while True:
        link = await _connect(surroundings)
        status = await link.open(TUNNELS + tunnel, surroundings.credential)
        if status == requests.codes.switching_protocols:
            return link
        await link.close()
        if status != MISDIRECTED:
            raise TunnelError(f"the portal does not wait for this tunnel (it answered {status})")
        if time.monotonic() > limit:
            raise TunnelError("no connection came to the process of the portal that waits for this tunnel")
        await asyncio.sleep(PAUSE)


async def _connect(surroundings: Surroundings) -> _Link:
    parts = urlsplit(surroundings.controller)
    secure = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    try:
        async with asyncio.timeout(CONNECT_LIMIT):
            streams = await asyncio.open_connection(host, port, ssl=context(surroundings.authority) if secure else None)
    except ssl.SSLError as error:
        raise TunnelError(str(distrust(surroundings.controller, error))) from error
    except (OSError, TimeoutError) as error:
        raise TunnelError(f"controller {surroundings.controller} cannot be reached: {error}") from error
    return _Link(*streams, parts.netloc)


class _Link:
    """One WebSocket to the portal; counts the bytes that it carries."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self._reader, self._writer, self._host = reader, writer, host
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self.sent = self.received = 0

    async def open(self, target: str, credential: str) -> int:
        """Ask for a WebSocket and return the status of the answer: 101 if it is one."""
        headers = [(b"Authorization", f"Bearer {credential}".encode())]
        await self._say(Request(host=self._host, target=target, extra_headers=headers))
        async with contextlib.aclosing(self._events()) as events:
            async for event in events:
                if isinstance(event, AcceptConnection):
                    return int(requests.codes.switching_protocols)
                if isinstance(event, RejectConnection):
                    return event.status_code
        return int(requests.codes.bad_gateway)

    async def send(self, data: bytes) -> None:
        """Send bytes, waiting until most of what was sent before has gone."""
        self.sent += len(data)
        await self._say(BytesMessage(data))

    async def messages(self) -> AsyncGenerator[bytes, None]:
        """Give the bytes that come, as they come, until the portal ends the tunnel."""
        async with contextlib.aclosing(self._events()) as events:
            async for event in events:
                if isinstance(event, BytesMessage):
                    self.received += len(event.data)
                    yield bytes(event.data)
                elif isinstance(event, Ping):
                    await self._say(event.response())
                elif isinstance(event, CloseConnection):
                    return

    async def close(self) -> None:
        """Say that nothing more comes."""
        try:
            await self._say(CloseConnection(code=1000))
        except (OSError, ProtocolError):
            return  # the other side was faster
        finally:
            self._writer.close()

    async def _say(self, event: Event) -> None:
        self._writer.write(self._protocol.send(event))
        await self._writer.drain()

    async def _events(self) -> AsyncGenerator[Event, None]:
        while True:
            for event in self._protocol.events():
                yield event
            try:
                async with asyncio.timeout(SILENCE):
                    data = await self._reader.read(CHUNK)
                self._protocol.receive_data(data or None)
            except (OSError, TimeoutError, ProtocolError):
                return
            if not data:
                return
