"""Error conditions: what failed unexpectedly, counted and kept until nobody has met it for thirty days.

The same failure in the same place is one document, however often it happens. Whoever met it was given an id (of the
request, of the macro's box, of the job); operators find the condition by it. Recording is never allowed to fail or to
hold up what it records.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import time
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

import gevent
import mongoengine
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from agent.protocol import JobState
from portalfw.store import Document

if TYPE_CHECKING:
    from portalfw.events import EventBus

log = logging.getLogger(__name__)

Kind = Literal["call", "macro", "page", "duty", "background", "job"]

KEEP: Final = 30 * 86400  # seconds after the last occurrence
OCCURRENCES: Final = 20  # of which request ids are kept
LONGEST_MESSAGE: Final = 2000  # characters
LONGEST_TRACE: Final = 20_000  # characters, the last ones
WAIT: Final = 1.0  # seconds that a caller's answer may be held up until its id can be found
FAILED_JOBS: Final = frozenset({JobState.ERROR.value, JobState.TIMEOUT.value, JobState.LOST.value})


class ErrorCondition(Document):
    """One way in which something fails."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "error_condition",
        "indexes": ["-last", "occurrences.id", {"fields": ["date"], "expireAfterSeconds": KEEP}],
    }

    id = mongoengine.StringField(primary_key=True)
    kind = mongoengine.StringField()
    place = mongoengine.StringField()  # method, macro and page, duty, function or JumpScript
    error = mongoengine.StringField()  # the exception's class, or the state of a job
    message = mongoengine.StringField()  # of the last occurrence
    trace = mongoengine.StringField()
    count = mongoengine.IntField()
    first = mongoengine.FloatField()
    last = mongoengine.FloatField()
    date = mongoengine.DateTimeField()  # the same as last, for MongoDB's expiry
    occurrences = mongoengine.ListField(mongoengine.DictField())  # id, at, user; the last few


def record(
    kind: Kind, place: str, error: BaseException, occurrence: str, user: str = "", *, wait: float = WAIT
) -> None:
    """Keep an unexpected failure; it is on disk when this returns, unless the database takes longer than ``wait``.

    :param place: what failed, for people: a method's address, a macro and its page.
    :param occurrence: the id that the person or program concerned is told.
    :param user: who met it.
    :param wait: seconds; 0 where nothing may block.
    """
    frames = traceback.extract_tb(error.__traceback__)
    trace = "".join(traceback.format_exception(error))
    name = type(error).__name__
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else place
    values = {"kind": kind, "place": place, "error": name, "message": str(error), "trace": trace}
    _in_background(values, key_of(kind, "" if kind == "page" else place, name, where), occurrence, user, wait)


def key_of(*parts: str) -> str:
    """Return the id of the condition of everything that fails alike."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def _in_background(values: Mapping[str, str], key: str, occurrence: str, user: str, wait: float) -> None:
    writing = gevent.spawn(_write_safely, values, key, occurrence, user)
    if wait:
        writing.join(wait)


def _write_safely(values: Mapping[str, str], key: str, occurrence: str, user: str) -> None:
    try:
        write(values, key, occurrence, user)
    except Exception as error:  # noqa: BLE001 - the edge: what records failures must not be one; the log has both
        log.warning("The error condition of %s could not be kept: %s", occurrence, error)


def write(values: Mapping[str, str], key: str, occurrence: str, user: str = "") -> None:
    """Count an occurrence, unless this one was counted before."""
    now = time.time()
    row = {**values, "message": values["message"][:LONGEST_MESSAGE], "trace": values["trace"][-LONGEST_TRACE:]}
    update = {
        "$set": {**row, "last": now, "date": dt.datetime.fromtimestamp(now, dt.UTC)},
        "$setOnInsert": {"first": now},
        "$inc": {"count": 1},
        "$push": {
            "occurrences": {"$each": [{"id": occurrence, "at": now, "user": user}], "$slice": -OCCURRENCES},
        },
    }
    query = {"_id": key, "occurrences.id": {"$ne": occurrence}}
    try:
        _update(query, update, upsert=True)
    except DuplicateKeyError:  # it was counted before, or another process has just made the document
        _update(query, update, upsert=False)


def _update(query: Mapping[str, Any], update: Mapping[str, Any], *, upsert: bool) -> None:
    ErrorCondition.collection().find_one_and_update(
        query, update, upsert=upsert, projection={"_id": 1}, return_document=ReturnDocument.AFTER
    )


def watch_jobs(bus: EventBus) -> None:
    """Keep every job that failed; runs for ever, in each process, and each job counts once."""
    with bus.subscribe("job") as changes:
        while True:
            change = changes.get()
            row = change.row if change is not None else None
            if row is not None and row.get("status") in FAILED_JOBS and "fan" not in row:  # its children tell why
                _job(row)


def _job(row: Mapping[str, Any]) -> None:
    script, state = row["script"], row["status"]
    values = {
        "kind": "job",
        "place": script,
        "error": state,
        "message": row.get("reason") or "",
        "trace": row.get("traceback") or "",
    }
    _write_safely(values, key_of("job", script, state), f"job-{row['_id']}", row.get("submitted_by") or "")


def failed_greenlet(name: str, error: BaseException, trace: TracebackType | None) -> None:
    """Keep what ended a background greenlet; for callbacks on the hub, where nothing may block."""
    record("background", name, error.with_traceback(trace), f"background-{time.time_ns():x}", wait=0)
