"""Who did what: one record for each call."""

from __future__ import annotations

import datetime as dt
import logging
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import bson
import gevent
import mongoengine
import orjson
from bson.errors import BSONError
from pymongo import WriteConcern
from pymongo.errors import PyMongoError

from portalfw.masking import MASK
from portalfw.masking import masked as without_secrets
from portalfw.rest.declaration import Method
from portalfw.store import Document

log = logging.getLogger(__name__)

FLUSH_INTERVAL = 0.25  # seconds that the record of a reading call may lie in memory
BATCH = 1000
LONGEST = 2000  # characters of one argument that are kept
DEEPEST = 50  # lists and objects within an argument that are kept as such
LONGEST_TAG = 100  # characters
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

    def note(
        self,
        call: str,
        record_id: str,
        *,
        user: str,
        address: str,
        via: str,
        arguments: Mapping[str, Any] | None = None,
        status: int = 200,
        error: str | None = None,
        duration: float = 0.0,
        tags: Iterable[str] = (),
    ) -> None:
        """Write a record of something that changed and was no call of a method, such as a sign-in, to disk.

        :param record_id: unique, such as the request's.
        :param status: the HTTP status as which it ended.
        :param duration: in seconds.
        """
        record = {
            "_id": record_id,
            "user": user,
            "address": address,
            "via": via,
            "call": call,
            "arguments": dict(arguments or {}),
            "changes": True,
            "status": status,
            "error": error,
            "duration": duration,
            "date": dt.datetime.now(dt.UTC),
            "tags": list(tags),
        }
        self.add(record, now=True)

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


def masked(
    method: Method, given: Mapping[str, Any], parts: Mapping[str, Collection[str]] = MappingProxyType({})
) -> dict[str, Any]:
    """Return the declared arguments that were given, by wire name, with secrets masked and long texts cut.

    Within objects and lists, what is called a password, secret, token, credential or key is masked too, and the
    ``parts`` of an argument that the method named.
    """
    kept = {}
    for argument in method.arguments:
        if argument.wire in given:
            value = given[argument.wire]
            kept[argument.wire] = (
                MASK if argument.secret else _storable(without_secrets(value, parts.get(argument.wire, ())))
            )
    return kept


def tags_of(method: Method, given: Mapping[str, Any], answer: Any) -> list[str]:
    """Return the objects that a call concerns: those its arguments name by ``_id``, and the one that it created."""
    names = [argument for argument in method.arguments if argument.name == "id" or argument.name.endswith("_id")]
    given_names = [argument.wire for argument in names if isinstance(given.get(argument.wire), (int, str))]
    tags = [f"{name}:{given[name]}"[:LONGEST_TAG] for name in given_names]
    if method.declaration.creates and answer is not None:
        tags.append(f"{method.declaration.creates}:{answer}")
    return tags


def _storable(value: Any) -> Any:
    """Return a value as MongoDB takes it: callers choose it, and no choice may cost the record or the call.

    What is long, deep, or no BSON (a number beyond 64 bits, a NUL in a name) is kept as text, cut.
    """
    if isinstance(value, str):
        return value[:LONGEST]
    try:
        text = orjson.dumps(value)
        bson.encode({"value": value})
    except (orjson.JSONEncodeError, BSONError, OverflowError, RecursionError):
        return _text(value)
    plain = len(text) <= LONGEST and text.count(b"[") + text.count(b"{") <= DEEPEST
    return value if plain else text.decode()[:LONGEST]


def _text(value: Any) -> str:
    try:
        return repr(value)[:LONGEST]
    except RecursionError:
        return "(nested too deeply)"
