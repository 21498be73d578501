"""Where a browser that waits for a screen and the node that brings it meet: in one process, by the tunnel's id."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gevent.event import AsyncResult, Event

if TYPE_CHECKING:
    from portalfw.web.websocket import WebSocket


class Awaited:
    """A tunnel that is waited for, from one node only."""

    def __init__(self, node_id: int) -> None:
        """Wait for the node's WebSocket."""
        self.node_id = node_id
        self.arrived: AsyncResult[WebSocket] = AsyncResult()
        self.done = Event()

    def bring(self, connection: WebSocket) -> None:
        """Hand over the node's end; returns when it is no longer needed."""
        if not self.arrived.ready():
            self.arrived.set(connection)
            self.done.wait()


class Meeting:
    """The tunnels that this process waits for."""

    def __init__(self) -> None:
        """Begin with none."""
        self._awaited: dict[str, Awaited] = {}

    @contextlib.contextmanager
    def waiting(self, tunnel: str, node_id: int) -> Iterator[Awaited]:
        """Wait for a tunnel within the block."""
        awaited = self._awaited[tunnel] = Awaited(node_id)
        try:
            yield awaited
        finally:
            del self._awaited[tunnel]
            awaited.done.set()

    def of(self, tunnel: str) -> Awaited | None:
        """Return the tunnel if this process waits for it."""
        return self._awaited.get(tunnel)
