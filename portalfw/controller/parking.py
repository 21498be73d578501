"""Questions for jobs that are left unanswered until there is work."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Any, Final

import gevent
from gevent.event import Event
from gevent.pool import Group

from agent.protocol import Ask, Work
from portalfw.controller.documents import PENDING, WORKING
from portalfw.controller.nodes import Nodes
from portalfw.controller.queue import JobQueue
from portalfw.errors import ConflictError

PENDING_PARK: Final = 2.0
"""Seconds to park a node that may not work yet: it is soon told when it may."""

GRACE: Final = 1.5
"""Seconds that an agent whose connection was cut gets to come back before it counts as away."""


class Parking:
    """The questions that are parked in this process. A node's newer question ends its older one."""

    def __init__(self, queue: JobQueue, nodes: Nodes) -> None:
        """Use the queue and the nodes."""
        self._queue = queue
        self._nodes = nodes
        self._newest: dict[int, object] = {}
        self._leaving = Group()

    def ask(self, node: dict[str, Any], ask: Ask, connection: socket.socket | None) -> Work:
        """Return work for a node as soon as there is some, or none after the time to park.

        Args:
            node: the node's row.
            ask: its question.
            connection: the socket that it came by, watched while it is parked.

        Raises:
            ConflictError: the node's agent must say hello first, or another one has taken its place.
            UnauthenticatedError: the node was revoked meanwhile.

        """
        if node.get("session") != ask.session:
            raise ConflictError(f"Node {node['id']} is served by another agent process; say hello first.")
        self._nodes.seen(node)
        self._queue.recover(node["id"], ask.held, reason="the agent did not get the job", session=ask.session)
        mine = self._newest[node["id"]] = object()
        with self._queue.wake.on_node(node["id"]) as event, _cut(connection, event) as is_cut:
            work = self._wait(node, ask, event, lambda: is_cut() or self._newest.get(node["id"]) is not mine)
            if is_cut():
                self._leaving.spawn(self._leave, node["id"], ask.session, time.time())
        return work

    def greet(self, node_id: int, session: str) -> None:
        """Expect a question soon after a hello; an agent that ended in between counts as away."""
        self._leaving.spawn(self._leave, node_id, session, time.time())

    def release(self, node_id: int) -> None:
        """End a node's parked question: its agent says good-bye."""
        self._newest.pop(node_id, None)
        self._queue.wake.node(node_id)

    def stop(self) -> None:
        """Look after nobody any more."""
        self._leaving.kill()

    def _leave(self, node_id: int, session: str, since: float) -> None:
        """Count an agent as away soon, unless it is seen again."""
        gevent.sleep(GRACE)
        self._nodes.left(node_id, session, since)

    def _wait(self, node: dict[str, Any], ask: Ask, event: Event, is_over: Any) -> Work:
        works = node["status"] in WORKING
        park = ask.park if node["status"] != PENDING else min(ask.park, PENDING_PARK)
        limit = time.monotonic() + park
        while True:
            event.clear()
            if is_over():
                return Work()
            if works:
                work = self._queue.work(node["id"], ask.session, ask.skip, ask.limit)
                if work.jobs or work.cancel:
                    return work
            self._nodes.check_not_revoked(node["id"])  # since it asked, or as what woke us
            if not event.wait(max(0.0, limit - time.monotonic())):
                return Work()


@contextlib.contextmanager
def _cut(connection: socket.socket | None, event: Event) -> Iterator[Any]:
    """Set the event when the peer closes the connection; give a function that tells whether it has.

    A watcher of the event loop's own does it, so that parked questions cost no time.
    """
    if connection is None:
        yield lambda: False
        return
    cut = False

    def readable() -> None:
        nonlocal cut
        watcher.stop()
        try:
            cut = connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except OSError:
            cut = True
        if cut:
            event.set()

    watcher = gevent.get_hub().loop.io(connection.fileno(), 1)
    watcher.start(readable)
    try:
        yield lambda: cut
    finally:
        watcher.stop()
        watcher.close()
