"""One reader of MongoDB's change stream a process; it wakes long polls, waiting greenlets and open pages."""

from __future__ import annotations

import logging
import secrets
from collections import defaultdict, deque
from collections.abc import Collection, Sequence
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
Row = dict[str, Any]
# Nobody waits for these; they are many or large.
QUIET = ["audit", "counter", "lease", "git_object", "page_draft", "statistics_node", "fan_out_plan"]
HEARTBEAT = {  # that a node is still there is no news, and comes all the time
    "ns.coll": "node",
    "updateDescription.updatedFields.last_seen": {"$exists": True},
    "$expr": {"$eq": [{"$size": {"$objectToArray": {"$ifNull": ["$updateDescription.updatedFields", {}]}}}, 1]},
}
TOLD = {"insert", "update", "replace", "delete"}
LEFT_OUT = {"job": ["args", "history"]}  # fields that no listener wants, of what has many changes
BY_FIELD = {"job": "script"}  # changes of these are also told by what a field holds: job:node/processes
EVERYTHING = "*"  # the topic of all changes
BACKLOG = 10_000  # changes that a subscriber may be behind before it is told to look for itself
RETRY = 0.5  # seconds
REMEMBERED = 4096  # changes that one who comes late can still be told


@dataclass(frozen=True)
class Change:
    """One document changed; ``row`` is the document as it is now, None when deleted.

    An updated one lacks the fields in ``LEFT_OUT``.
    """

    collection: str
    id: Any
    operation: Operation
    row: Row | None

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
        self._arrived: list[Row] = []
        self._has_arrived = Event()
        self._greenlets: list[gevent.Greenlet[[], None]] = []

    def start(self) -> None:
        """Begin reading; returns when the stream is open, so that no later change is missed."""
        self._greenlets = [gevent.spawn(self._read), gevent.spawn(self._deliver)]
        self._open.wait()

    def stop(self) -> None:
        """End reading."""
        gevent.killall(self._greenlets)

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
        told: Row = {"ns.coll": {"$nin": QUIET}, "$nor": [HEARTBEAT]}
        pipeline: list[Row] = [{"$match": told}, {"$project": {"updateDescription": 0}}]  # a result would come twice
        while True:
            try:
                with self._database.watch(pipeline, resume_after=token) as stream:
                    self._open.set()
                    for event in stream:
                        token = stream.resume_token
                        if event["operationType"] in TOLD:
                            self._arrived.append(event)
                            self._has_arrived.set()
            except PyMongoError as error:
                log.warning("The change stream broke and is opened again: %s", error)
                gevent.sleep(RETRY)

    def _deliver(self) -> None:
        """Publish what has come, in its order; the documents of all that came together are read together."""
        while True:
            self._has_arrived.wait()
            self._has_arrived.clear()
            events, self._arrived = self._arrived, []
            rows = self._rows(events)
            for event in events:
                name, key = event["ns"]["coll"], event["documentKey"]["_id"]
                row = event["fullDocument"] if "fullDocument" in event else rows.get((name, key))
                self.publish(Change(name, key, event["operationType"], row))

    def _rows(self, events: Sequence[Row]) -> dict[tuple[str, Any], Row]:
        """Return the documents that were updated, as they are now; the stream would look up each one by itself."""
        wanted: dict[str, set[Any]] = defaultdict(set)
        for event in events:
            if event["operationType"] == "update":
                wanted[event["ns"]["coll"]].add(event["documentKey"]["_id"])
        return {(name, row["_id"]): row for name, keys in wanted.items() for row in self._look_up(name, list(keys))}

    def _look_up(self, collection: str, keys: Sequence[Any]) -> list[Row]:
        left_out = dict.fromkeys(LEFT_OUT.get(collection, ()), 0)
        while True:
            try:
                return list(self._database[collection].find({"_id": {"$in": keys}}, left_out or None))
            except PyMongoError as error:
                log.warning(
                    "Documents of %s that have changed cannot be read now, it is tried again: %s", collection, error
                )
                gevent.sleep(RETRY)
