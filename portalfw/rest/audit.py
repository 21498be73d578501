"""Who did what: one record for each call."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping
from typing import Any, ClassVar

import gevent
import mongoengine
from pymongo import WriteConcern
from pymongo.errors import PyMongoError

from portalfw.rest.declaration import Method
from portalfw.store import Document

log = logging.getLogger(__name__)

FLUSH_INTERVAL = 0.25  # seconds that the record of a reading call may lie in memory
BATCH = 1000
MASK = "***"
LONGEST = 2000  # characters of one argument that are kept
KEEP = 90 * 86400  # seconds until MongoDB drops a record


class Audit(Document):
    """One call: who, from where, what with which arguments, how it ended, how long it took."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "audit",
        "indexes": [
            ("changes", "-date"),
            ("tags", "-date"),
            ("user", "-date"),
            {"fields": ["date"], "expireAfterSeconds": KEEP},
        ],
    }

    id = mongoengine.StringField(primary_key=True)  # the request id
    user = mongoengine.StringField()
    address = mongoengine.StringField()
    via = mongoengine.StringField()
    call = mongoengine.StringField()
    arguments = mongoengine.DictField()
    changes = mongoengine.BooleanField()  # whether the method is one that changes something
    status = mongoengine.IntField()
    error = mongoengine.StringField()
    duration = mongoengine.FloatField()  # seconds
    date = mongoengine.DateTimeField()
    tags = mongoengine.ListField(mongoengine.StringField())  # the objects concerned, as machineId:3


class AuditLog:
    """Writes audit records: at once for calls that change something, in batches for those that only read."""

    def __init__(self) -> None:
        """Begin with an empty batch."""
        self._waiting: deque[dict[str, Any]] = deque()
        self._flusher: gevent.Greenlet[[], None] | None = None

    def add(self, record: dict[str, Any], *, now: bool) -> None:
        """Keep a record; with ``now`` it is on disk when this returns."""
        if now:
            Audit.collection().insert_one(record)
            return
        self._waiting.append(record)
        if self._flusher is None:
            self._flusher = gevent.spawn_later(FLUSH_INTERVAL, self.flush)

    def flush(self) -> None:
        """Write what waits."""
        self._flusher = None
        # Losing the last moments of reading calls in a crash is accepted, so no journal wait here.
        collection = Audit.collection().with_options(write_concern=WriteConcern(w=1))
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            try:
                collection.insert_many(batch, ordered=False)
            except PyMongoError:
                log.exception("%d audit records could not be written", len(batch))


def masked(method: Method, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the declared arguments that were given, by wire name, with secrets masked and long texts cut."""
    kept = {}
    for argument in method.arguments:
        if argument.wire in given:
            value = given[argument.wire]
            kept[argument.wire] = MASK if argument.secret else value[:LONGEST] if isinstance(value, str) else value
    return kept


def tags_of(method: Method, given: Mapping[str, Any], answer: Any) -> list[str]:
    """Return the objects that a call concerns: those its arguments name by ``_id``, and the one that it created."""
    names = [argument for argument in method.arguments if argument.name == "id" or argument.name.endswith("_id")]
    tags = [f"{argument.wire}:{given[argument.wire]}" for argument in names if given.get(argument.wire) is not None]
    if method.declaration.creates and answer is not None:
        tags.append(f"{method.declaration.creates}:{answer}")
    return tags
