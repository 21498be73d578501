"""What MongoDB keeps of an asynchronous call, who may see it, and how it is told."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, TypedDict

import gevent
import mongoengine
import orjson
from pymongo import WriteConcern
from pymongo.errors import PyMongoError

from portalfw import progress
from portalfw.auth.principal import Principal
from portalfw.errors import ForbiddenError, PortalError
from portalfw.rest.answers import encoded
from portalfw.rest.errors import ErrorBody, error_body
from portalfw.store import Document

log = logging.getLogger(__name__)

KEEP: Final = 600  # seconds that an outcome is kept at least (clients.md: the clients ask again for some minutes)
EVERY: Final = 0.25  # seconds between two writes of a call's steps
PAUSE: Final = 1.0  # seconds after a write that failed
NEWS: Final = WriteConcern(w=1)  # how far a call is may be lost in a crash


class Task(Document):
    """One asynchronous call, and its outcome once it has ended."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "task",
        "indexes": [("user", "-started"), "-started", {"fields": ["expires"], "expireAfterSeconds": 0}],
    }

    id = mongoengine.StringField(primary_key=True)
    user = mongoengine.StringField()
    scope = mongoengine.StringField()  # what the credential that started it was limited to
    call = mongoengine.StringField()
    owner = mongoengine.StringField()  # the process that runs it
    started = mongoengine.FloatField()
    finished = mongoengine.FloatField()
    ok = mongoengine.BooleanField()
    result = mongoengine.StringField()  # JSON of the answer, or of the error's message
    failure = mongoengine.StringField()  # JSON of the error in the one shape
    killed_by = mongoengine.StringField()
    steps = mongoengine.ListField(mongoengine.DictField())
    revision = mongoengine.IntField()  # of the newest step
    expires = mongoengine.DateTimeField()


class TaskStatus(TypedDict):
    """An asynchronous call; times in epoch seconds.

    ``outcome`` is running, ok, failed or killed; then there is an ``answer``, or an ``error`` as the call itself would
    have told it. ``percent`` is null where the call does not say. ``steps`` are those whose ``revision`` is above the
    one that was asked with, the newest hundred at most; what jobs say beneath them is told to operators only.
    """

    guid: str
    user: str
    call: str
    started: float
    finished: float | None
    outcome: Literal["running", "ok", "failed", "killed"]
    percent: float | None
    revision: int
    steps: list[progress.Step]
    answer: Any
    error: ErrorBody | None
    killed_by: str | None


@dataclass(frozen=True)
class Outcome:
    """How a call ended: the JSON of its answer, or why it has none."""

    answer: bytes = b"null"
    error: PortalError | None = None
    request_id: str = ""

    def fields(self) -> dict[str, Any]:
        """Return what the task's document says of it."""
        now = time.time()
        found = {"finished": now, "ok": self.error is None, "expires": expiry(now + KEEP)}
        if self.error is None:
            return found | {"result": self.answer.decode()}
        return found | {
            "result": encoded(self.error.message).decode(),
            "failure": _failure(self.error, self.request_id),
        }


class StepWriter:
    """Writes down the steps of a call while it runs: the first at once, then a few times a second at most.

    The newest are written again with the outcome, so what comes last is never lost.
    """

    def __init__(self, identity: str, steps: progress.Steps) -> None:
        """Write the steps of the task ``identity`` from now on, whenever they change."""
        self._identity = identity
        self._steps = steps
        self._written = 0
        self._busy = False
        steps.changed = self.wanted

    def wanted(self) -> None:
        """See to it that what has changed is written."""
        if not self._busy:
            self._busy = True
            gevent.spawn(self._write)

    def _write(self) -> None:
        unfinished = {"_id": self._identity, "finished": None}
        while self._written < self._steps.revision:
            fields = steps_of(self._steps)
            try:
                Task.collection().with_options(write_concern=NEWS).update_one(unfinished, {"$set": fields})
                self._written = fields["revision"]
                gevent.sleep(EVERY)
            except PyMongoError as error:
                log.warning("The steps of task %s could not be written: %s", self._identity, error)
                gevent.sleep(PAUSE)
        self._busy = False


def steps_of(steps: progress.Steps) -> dict[str, Any]:
    """Return what a task's document says of its steps."""
    return {"steps": steps.rows(), "revision": steps.revision}


def status_of(row: Mapping[str, Any], asker: Principal, since: int = 0) -> TaskStatus:
    """Return what is told of a task's document to ``asker``, who may see it."""
    steps: list[progress.Step] = row.get("steps") or []
    ended = row["finished"] is not None
    bad = "killed" if row.get("killed_by") else "failed"
    return {
        "guid": row["_id"],
        "user": row["user"],
        "call": row["call"],
        "started": row["started"],
        "finished": row["finished"],
        "outcome": ("ok" if row["ok"] else bad) if ended else "running",  # type: ignore[typeddict-item]
        "percent": 100.0 if ended and row["ok"] else progress.percent(steps),
        "revision": row.get("revision") or 0,
        "steps": [step for step in _readable(steps, asker) if step["revision"] > since],
        "answer": orjson.loads(row["result"]) if ended and row["ok"] else None,
        "error": orjson.loads(row["failure"]) if ended and row.get("failure") else None,
        "killed_by": row.get("killed_by"),
    }


def _readable(steps: list[progress.Step], asker: Principal) -> list[progress.Step]:
    """Return the steps as ``asker`` may read them: lines of jobs name what lies beneath the cloud."""
    if asker.is_operator:
        return steps
    found = (step if step["level"] == progress.STEP else {**step, "text": ""} for step in steps)
    return [step for step in found if step["level"] in {progress.STEP, progress.PERCENT}]  # type: ignore[misc]


def check_visible(row: Mapping[str, Any], asker: Principal) -> None:
    """Refuse who may not see a task.

    :raises ForbiddenError: if ``asker`` neither started it nor is an administrator, or has a narrower credential.
    """
    if row["user"] != asker.name and not asker.is_admin:
        raise ForbiddenError(f"Task {row['_id']} was started by somebody else.")
    if asker.limited and row["scope"] != scope_of(asker):
        raise ForbiddenError(f"Task {row['_id']} was started with a credential of another scope.")


def scope_of(principal: Principal) -> str:
    """Return what a principal's credential is limited to, as tasks keep it."""
    apps = "any app" if principal.apps is None else f"apps {','.join(sorted(principal.apps))}"
    return f"{apps}, read-only" if principal.readonly else apps


def expiry(epoch: float) -> dt.datetime:
    """Return a time as MongoDB's expiring index reads it."""
    return dt.datetime.fromtimestamp(epoch, dt.UTC)


def _failure(error: PortalError, request_id: str) -> str:
    body = error_body(error, request_id)
    try:
        return encoded(body).decode()
    except TypeError:  # a detail that is no JSON; the message tells the same
        return encoded({**body, "detail": None}).decode()
