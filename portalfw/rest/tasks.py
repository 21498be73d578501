"""Calls that answer with a task id at once, and whose outcome is asked for later: ``_async`` on any method.

The outcome lies in MongoDB, so that any process can tell it. A call that ends within :data:`QUICK` is finished before
its id is given out: the clients ask at once, and then again only every 2 s.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

import gevent
import mongoengine
import orjson
from gevent.event import Event
from pymongo import WriteConcern
from pymongo.errors import PyMongoError

from portalfw.auth.principal import Principal
from portalfw.duties import process_lease
from portalfw.errors import ConflictError, ForbiddenError, NotFoundError, PortalError, UnavailableError
from portalfw.rest.answers import encoded
from portalfw.rest.declaration import Method
from portalfw.rest.dispatch import Call, InternalError
from portalfw.store import Document, Lease

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

log = logging.getLogger(__name__)

QUICK: Final = 0.05  # seconds that a caller waits for its task id
PARK: Final = 0.5  # seconds that a question for an unfinished task waits, since the clients' next comes 2 s later
KEEP: Final = 600  # seconds that an outcome is kept at least (clients.md: the clients ask again for some minutes)
LONGEST: Final = 48 * 3600  # seconds; the longest call that clients wait for takes 24 h
LARGEST: Final = 15 * 2**20  # bytes of JSON; a document of MongoDB holds 16 MiB
KILL_LIMIT: Final = 5.0  # seconds that a kill waits until the call has let go
AGAIN: Final = 1.0  # seconds between tries to write down an outcome


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
    killed_by = mongoengine.StringField()
    expires = mongoengine.DateTimeField()


class KilledError(ConflictError):
    """Somebody has ended the call. It reaches the method as any failure does, so that objects come out of it."""


@dataclass(frozen=True)
class Outcome:
    """How a call ended: the JSON of its answer, or why it has none."""

    answer: bytes = b"null"
    error: PortalError | None = None

    def fields(self) -> dict[str, Any]:
        """Return what the task's document says of it."""
        now = time.time()
        result = encoded(self.error.message) if self.error else self.answer
        return {"finished": now, "ok": self.error is None, "result": result.decode(), "expires": _date(now + KEEP)}


class _Running:
    """A call under way: whether it was taken or refused, and when its outcome has been written down."""

    def __init__(self, method: Method, call: Call) -> None:
        self.method = method
        self.call = call
        self.greenlet: gevent.Greenlet[..., Outcome]
        self.accepted = False
        self.decided = Event()
        self.recorded = Event()

    def accept(self) -> None:
        self.accepted = True
        self.decided.set()


class Tasks:
    """The asynchronous calls of this process, and the outcomes of everybody's."""

    def __init__(self, runtime: Runtime) -> None:
        """Begin without tasks, and listen for those that are to be killed."""
        self._runtime = runtime
        self._running: dict[str, _Running] = {}
        runtime.spawn(self._kill_what_is_asked)

    def start(self, method: Method, given: Mapping[str, Any], call: Call) -> str:
        """Begin a call and return the id of its task, a moment later when it may be finished by then.

        :raises PortalError: at once, if the arguments are wrong or the caller may not.
        """
        running = _Running(method, call)
        running.greenlet = gevent.spawn(self._run, running, given)
        running.decided.wait()
        if not running.accepted:
            refusal = running.greenlet.get().error
            raise refusal or InternalError(f"{method.address} was not begun.")
        identity = str(uuid.uuid4())
        self._running[identity] = running
        running.greenlet.join(QUICK)
        self._record_start(identity, running)
        return identity

    def outcome(self, identity: str, asker: Principal) -> list[Any]:
        """Return ``[True, answer]``, ``[False, message]``, or ``[]`` while the call is under way.

        :raises NotFoundError: if there is no such task, or it ended more than ten minutes ago.
        :raises ForbiddenError: if ``asker`` neither started it nor is an administrator, or has a narrower credential.
        """
        row = self._row(identity, asker)
        running = self._running.get(identity)
        if row["finished"] is None and running is not None:
            running.recorded.wait(PARK)
            row = self._row(identity, asker)
        return [] if row["finished"] is None else [row["ok"], orjson.loads(row["result"])]

    def kill(self, identity: str, asker: Principal) -> bool:
        """End a call, in whichever process it runs, and tell whether it has let go.

        :raises NotFoundError: if there is no such task.
        :raises ForbiddenError: if ``asker`` neither started it nor is an administrator, or has a narrower credential.
        :raises ConflictError: if it has ended already.
        """
        with self._runtime.bus.subscribe(f"task:{identity}") as changes:
            if self._row(identity, asker)["finished"] is not None:
                raise ConflictError(f"Task {identity} has ended already.", detail={"status": "ENDED"})
            Task.collection().update_one({"_id": identity, "finished": None}, {"$set": {"killed_by": asker.name}})
            limit = time.monotonic() + KILL_LIMIT
            while self._row(identity, asker)["finished"] is None and time.monotonic() < limit:
                changes.get(limit - time.monotonic())
        return self._row(identity, asker)["finished"] is not None

    def _run(self, running: _Running, given: Mapping[str, Any]) -> Outcome:
        method, call = running.method, running.call
        try:
            answer = encoded(self._runtime.dispatcher.run(method, given, call, running.accept))
        except PortalError as error:
            return Outcome(error=error)
        except TypeError as error:
            log.exception("%s: the answer of %s is not JSON", call.request_id, method.address)
            return Outcome(error=InternalError(f"{method.address}: {error}; the log has it under {call.request_id}."))
        finally:
            running.decided.set()
        if len(answer) > LARGEST:
            return Outcome(error=UnavailableError(f"{method.address} has run, but its answer is too large for a task."))
        return Outcome(answer)

    def _record_start(self, identity: str, running: _Running) -> None:
        now = time.time()
        method = running.method
        row = {
            "_id": identity,
            "user": running.call.principal.name,
            "scope": _scope(running.call.principal),
            "call": method.address,
            "owner": self._runtime.process_id,
            "started": now,
            "finished": None,
            "expires": _date(now + LONGEST),
        }
        finished = running.greenlet.ready()
        # What only reads may be asked again after a crash of the database, so it waits for no journal.
        concern = WriteConcern(w=1) if method.declaration.readonly else None
        try:
            outcome = running.greenlet.get().fields() if finished else {}
            Task.collection().with_options(write_concern=concern).insert_one(row | outcome)
        except PyMongoError as error:
            self._running.pop(identity, None)
            raise UnavailableError(
                f"{method.address} was begun, but its task could not be recorded ({type(error).__name__})."
            ) from error
        if finished:
            self._running.pop(identity, None)
        else:
            gevent.spawn(self._record_end, identity, running)

    def _record_end(self, identity: str, running: _Running) -> None:
        outcome = running.greenlet.get().fields()
        while True:
            try:
                Task.collection().update_one({"_id": identity}, {"$set": outcome})
                break
            except PyMongoError:
                log.exception("The outcome of task %s could not be written; it is tried again", identity)
                gevent.sleep(AGAIN)
        del self._running[identity]
        running.recorded.set()

    def _row(self, identity: str, asker: Principal) -> dict[str, Any]:
        row = Task.collection().find_one({"_id": identity})
        if row is None:
            raise NotFoundError(f"There is no task {identity}; outcomes are kept for {KEEP // 60} minutes.")
        if row["user"] != asker.name and not asker.is_admin:
            raise ForbiddenError(f"Task {identity} was started by somebody else.")
        if asker.limited and row["scope"] != _scope(asker):
            raise ForbiddenError(f"Task {identity} was started with a credential of another scope.")
        if row["finished"] is None and not self._alive(row):
            # It may have ended since it was read: only what still has no outcome gets this one.
            unfinished = {"_id": identity, "finished": None}
            Task.collection().update_one(unfinished, {"$set": _ABANDONED.fields()})
            row = Task.collection().find_one({"_id": identity}) or row
        return row

    def _alive(self, row: Mapping[str, Any]) -> bool:
        if row["owner"] == self._runtime.process_id:
            return row["_id"] in self._running
        return Lease.held_by_anyone(process_lease(row["owner"]))

    def _kill_what_is_asked(self) -> None:
        with self._runtime.bus.subscribe("task") as changes:
            while True:
                change = changes.get()
                row = change.row if change is not None else None
                running = self._running.get(row["_id"]) if row and row.get("killed_by") else None
                if row and running:
                    running.greenlet.kill(KilledError(f"Killed by {row['killed_by']}."), block=False)


def _scope(principal: Principal) -> str:
    apps = "any app" if principal.apps is None else f"apps {','.join(sorted(principal.apps))}"
    return f"{apps}, read-only" if principal.readonly else apps


def _date(epoch: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(epoch, dt.UTC)


_ABANDONED = Outcome(error=UnavailableError("The process that ran this call has ended; look at what it was to change."))
