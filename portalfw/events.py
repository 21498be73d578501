"""One reader of MongoDB's change stream a process; it wakes long polls, waiting greenlets and open pages."""

from __future__ import annotations

import logging
import secrets
from collections import defaultdict, deque
from collections.abc import Collection
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self

import gevent
from gevent.event import Event
from gevent.queue import Empty, Full, Queue
from pymongo.database import Database
from pymongo.errors import PyMongoError

log = logging.getLogger(__name__)

Operation = Literal["insert", "update", "replace", "delete"]
# Nobody waits for these; they are many or large.
QUIET = ["audit", "counter", "lease", "git_object", "page_draft", "statistics_node", "fan_out_plan"]
HEARTBEAT = {  # that a node is still there is no news, and comes all the time
    "ns.coll": "node",
    "updateDescription.updatedFields.last_seen": {"$exists": True},
    "$expr": {"$eq": [{"$size": {"$objectToArray": {"$ifNull": ["$updateDescription.updatedFields", {}]}}}, 1]},
}
BY_FIELD = {"job": "script"}  # changes of these are also told by what a field holds: job:node/processes
EVERYTHING = "*"  # the topic of all changes
BACKLOG = 10_000  # changes that a subscriber may be behind before it is told to look for itself
RETRY = 0.5  # seconds
REMEMBERED = 4096  # changes that one who comes late can still be told


@dataclass(frozen=True)
class Change:
    """One document changed; ``row`` is the whole document as it is now, None when deleted."""

    collection: str
    id: Any
    operation: Operation
    row: dict[str, Any] | None

    @property
    def topic(self) -> str:
        """The topic of just this document, for instance ``machine:3``."""
        return f"{self.collection}:{self.id}"

    @property
    def names(self) -> tuple[str, ...]:
        """All topics that it may be called by."""
        field = BY_FIELD.get(self.collection)
        if field is None or self.row is None or not self.row.get(field):
            return (self.collection, self.topic)
        return (self.collection, self.topic, f"{self.collection}:{self.row[field]}")


class Subscription:
    """A queue of the changes of some topics. Use it as a context manager, so that it ends."""

    def __init__(self, bus: EventBus, topics: tuple[str, ...]) -> None:
        """Listen to ``topics``: ``machine`` is every machine, ``machine:3`` just that one."""
        self._bus = bus
        self.topics = topics
        self._queue: Queue[Change] = Queue(BACKLOG)
        self.overrun = False  # changes were dropped: the subscriber should read the database

    def get(self, timeout: float | None = None) -> Change | None:
        """Return the next change, waiting up to ``timeout`` seconds; None if none came."""
        try:
            return self._queue.get(timeout=timeout)
        except Empty:
            return None

    def peek(self) -> None:
        """Wait until there is a change."""
        self._queue.peek()

    def take(self) -> list[Change]:
        """Return all changes that have come, without waiting."""
        return [self._queue.get_nowait() for _ in range(self._queue.qsize())]

    def put(self, change: Change) -> None:
        """Deliver a change; called by the bus."""
        try:
            self._queue.put_nowait(change)
        except Full:
            self.overrun = True

    def close(self) -> None:
        """Stop listening."""
        self._bus.remove(self)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening."""
        self.close()


class EventBus:
    """Fans the database's changes out to the subscriptions of this process."""

    def __init__(self, database: Database[dict[str, Any]]) -> None:
        """Prepare to read the changes of ``database``."""
        self._database = database
        self._subscriptions: dict[str, set[Subscription]] = defaultdict(set)
        self._open = Event()
        self._life = secrets.token_hex(4)
        self._count = 0
        self._recent: deque[tuple[int, tuple[str, ...]]] = deque(maxlen=REMEMBERED)
        self._reader: gevent.Greenlet[[], None] | None = None

    def start(self) -> None:
        """Begin reading; returns when the stream is open, so that no later change is missed."""
        self._reader = gevent.spawn(self._read)
        self._open.wait()

    def stop(self) -> None:
        """End reading."""
        if self._reader is not None:
            self._reader.kill()

    def subscribe(self, *topics: str) -> Subscription:
        """Return a subscription to ``topics``; it hears what changes from now on."""
        subscription = Subscription(self, topics)
        for topic in topics:
            self._subscriptions[topic].add(subscription)
        return subscription

    @property
    def position(self) -> str:
        """Where the stream is now: what is read after this is not older than it."""
        return f"{self._life}-{self._count}"

    def missed(self, position: str, topics: Collection[str]) -> set[str]:
        """Return which of ``topics`` have changed since ``position``; all of them where that cannot be told."""
        life, _, count = position.partition("-")
        first = self._recent[0][0] if self._recent else self._count + 1
        if life != self._life or not count.isdecimal() or int(count) + 1 < first:
            return set(topics)
        since = int(count)
        return {topic for number, names in self._recent if number > since for topic in names if topic in topics}

    def remove(self, subscription: Subscription) -> None:
        """Forget a subscription."""
        for topic in subscription.topics:
            listeners = self._subscriptions.get(topic, set())
            listeners.discard(subscription)
            if not listeners:
                self._subscriptions.pop(topic, None)

    def publish(self, change: Change) -> None:
        """Deliver a change to those who listen to its collection or to itself."""
        self._count += 1
        self._recent.append((self._count, change.names))
        names = (EVERYTHING, *change.names)
        for listener in set[Subscription]().union(*(self._subscriptions.get(name, ()) for name in names)):
            listener.put(change)

    def _read(self) -> None:
        token: Any = None
        pipeline = [{"$match": {"ns.coll": {"$nin": QUIET}, "$nor": [HEARTBEAT]}}]
        while True:
            try:
                with self._database.watch(pipeline, full_document="updateLookup", resume_after=token) as stream:
                    self._open.set()
                    for event in stream:
                        token = stream.resume_token
                        self._deliver(event)
            except PyMongoError as error:
                log.warning("The change stream broke and is opened again: %s", error)
                gevent.sleep(RETRY)

    def _deliver(self, event: dict[str, Any]) -> None:
        if event["operationType"] in {"insert", "update", "replace", "delete"}:
            key = event["documentKey"]["_id"]
            self.publish(Change(event["ns"]["coll"], key, event["operationType"], event.get("fullDocument")))
