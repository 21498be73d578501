"""Wakes parked questions of agents and waiting callers when a job changes, whichever process changed it."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import gevent
from gevent.event import Event

from agent.protocol import JobState
from portalfw.controller.given import Given
from portalfw.events import Change, EventBus
from portalfw.later import Ready

W = TypeVar("W")
Waiters = dict[int, set[Callable[[], None]]]


class Wake:
    """One listener to the event bus a process, however many wait. Changes of this process are also told directly."""

    def __init__(self, bus: EventBus) -> None:
        """Prepare; :meth:`start` begins to listen."""
        self.given = Given()
        self._bus = bus
        self._nodes: dict[int, set[Ready]] = defaultdict(set)
        self._jobs: Waiters = defaultdict(set)
        self._news: Waiters = defaultdict(set)
        self._reader: gevent.Greenlet[Any, Any] | None = None

    def start(self) -> None:
        """Begin to listen; does nothing the second time."""
        if self._reader is None:
            subscription = self._bus.subscribe("job", "node")
            self._reader = gevent.spawn(self._read, subscription)

    def stop(self) -> None:
        """Stop listening."""
        if self._reader is not None:
            self._reader.kill()
            self._reader = None

    def node(self, node_id: int, *, urgent: bool = True) -> None:
        """Wake what waits for work for a node; many at once are not ``urgent``: single ones go before them."""
        self.given.changed(node_id)
        for notice in list(self._nodes.get(node_id, ())):
            notice(urgent=urgent)

    def job(self, job_id: int) -> None:
        """Wake who waits for the end of a job."""
        _tell(self._jobs, job_id)
        _tell(self._news, job_id)

    def watch_node(self, node_id: int, notice: Ready) -> None:
        """Call ``notice`` whenever there may be work for a node, or it was revoked, until :meth:`unwatch_node`."""
        self._nodes[node_id].add(notice)

    def unwatch_node(self, node_id: int, notice: Ready) -> None:
        """Call ``notice`` no more; does nothing the second time."""
        _remove(self._nodes, node_id, notice)

    def on_job(self, job_id: int) -> contextlib.AbstractContextManager[Event]:
        """Give an event that is set when a job has ended."""
        return _waiting(self._jobs, job_id)

    def on_news(self, job_id: int) -> contextlib.AbstractContextManager[Event]:
        """Give an event that is set whenever anything of a job has changed, its output too."""
        return _waiting(self._news, job_id)

    def _read(self, subscription: Any) -> None:
        with subscription:
            while True:
                change = subscription.get()
                if subscription.overrun:
                    subscription.overrun = False
                    self._wake_all()
                if change is not None and change.row is not None:
                    self._hear(change)

    def _hear(self, change: Change) -> None:
        row = change.row or {}
        if change.collection == "job":
            _tell(self._news, change.id)
        if change.collection == "node":
            self.node(change.id)  # it may be revoked, or may work now; that it is still there is not told
        elif JobState(row["status"]).ended:
            self.job(change.id)
        elif row["status"] == JobState.QUEUED and self.given.is_old(change.id, row["attempt"]):
            pass  # it was given out here since
        elif row["status"] == JobState.QUEUED or row.get("cancel"):
            self.node(row["node_id"], urgent="parent" not in row)

    def _wake_all(self) -> None:
        self.given.all_changed()
        for node_id in list(self._nodes):
            self.node(node_id, urgent=False)
        for waiters in (self._jobs, self._news):
            for identity in list(waiters):
                _tell(waiters, identity)


def _tell(waiters: Waiters, identity: int) -> None:
    for notice in list(waiters.get(identity, ())):
        notice()


def _remove(waiters: dict[int, set[W]], identity: int, notice: W) -> None:
    there: set[W] = waiters.get(identity, set())
    there.discard(notice)
    if not there:
        waiters.pop(identity, None)


@contextlib.contextmanager
def _waiting(waiters: Waiters, identity: int) -> Iterator[Event]:
    event = Event()
    waiters[identity].add(event.set)
    try:
        yield event
    finally:
        _remove(waiters, identity, event.set)
