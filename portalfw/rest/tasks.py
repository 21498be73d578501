"""Calls that answer with a task id at once, and whose outcome is asked for later: ``_async`` on any method.

The outcome lies in MongoDB, so that any process can tell it. A call that ends within :data:`QUICK` is finished before
its id is given out: the clients ask at once, and then again only every 2 s. What a call tells of its progress
(:mod:`portalfw.progress`) is written down while it runs, so that any process can show it.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import gevent
import orjson
from gevent.event import Event
from pymongo import WriteConcern
from pymongo.errors import PyMongoError

from portalfw import progress
from portalfw.auth.principal import Principal
from portalfw.duties import process_lease
from portalfw.errors import ConflictError, KilledError, NotFoundError, PortalError, UnavailableError
from portalfw.rest.answers import encoded
from portalfw.rest.declaration import Method
from portalfw.rest.dispatch import Call, InternalError
from portalfw.rest.task_record import (
    KEEP,
    Outcome,
    StepWriter,
    Task,
    TaskStatus,
    check_visible,
    expiry,
    scope_of,
    status_of,
    steps_of,
)
from portalfw.store import Lease

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

log = logging.getLogger(__name__)

QUICK: Final = 0.05  # seconds that a caller waits for its task id
PARK: Final = 0.5  # seconds that a question for an unfinished task waits, since the clients' next comes 2 s later
LONGEST: Final = 48 * 3600  # seconds; the longest call that clients wait for takes 24 h
LARGEST: Final = 15 * 2**20  # bytes of JSON; a document of MongoDB holds 16 MiB
KILL_LIMIT: Final = 5.0  # seconds that a kill waits until the call has let go
AGAIN: Final = 1.0  # seconds between tries to write down an outcome
LONGEST_WAIT: Final = 30.0  # seconds that a question for news may wait


class _Running:
    """A call under way: whether it was taken or refused, and when its outcome has been written down."""

    def __init__(self, method: Method, call: Call) -> None:
        self.method = method
        self.call = call
        self.greenlet: gevent.Greenlet[..., Outcome]
        self.steps = progress.Steps()
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
        running = self._begin(method, given, call)
        running.greenlet.join(QUICK)
        return self._record_start(running)

    def soon(self, method: Method, given: Mapping[str, Any], call: Call) -> bytes | str:
        """Begin a call and return its answer as JSON if it ends at once, and else the id of its task.

        :raises PortalError: what the method raised at once.
        """
        running = self._begin(method, given, call)
        running.greenlet.join(QUICK)
        if not running.greenlet.ready():
            return self._record_start(running)
        outcome = running.greenlet.get()
        if outcome.error is not None:
            raise outcome.error
        return outcome.answer

    def outcome(self, identity: str, asker: Principal) -> list[Any]:
        """Return ``[True, answer]``, ``[False, message]``, or ``[]`` while the call is under way.

        :raises NotFoundError: if there is no such task, or it ended more than ten minutes ago.
        :raises ForbiddenError: if ``asker`` neither started it nor is an administrator, or has a narrower credential.
        """
        row = self.row(identity, asker)
        running = self._running.get(identity)
        if row["finished"] is None and running is not None:
            running.recorded.wait(PARK)
            row = self.row(identity, asker)
        return [] if row["finished"] is None else [row["ok"], orjson.loads(row["result"])]

    def status(self, identity: str, asker: Principal, since: int = 0, wait: float = 0.0) -> TaskStatus:
        """Return how far a call is, with the steps after revision ``since``; errors as :meth:`outcome`.

        :param wait: seconds to wait for the end or a later revision, :data:`LONGEST_WAIT` at most.
        """
        limit = time.monotonic() + min(wait, LONGEST_WAIT)
        with self._runtime.bus.subscribe(f"task:{identity}") as changes:
            row = self.row(identity, asker)
            while row["finished"] is None and (row.get("revision") or 0) <= since and time.monotonic() < limit:
                changes.get(limit - time.monotonic())
                row = self.row(identity, asker)
        return status_of(row, asker, since)

    def kill(self, identity: str, asker: Principal) -> bool:
        """End a call, in whichever process it runs, and tell whether it has let go.

        :raises NotFoundError: if there is no such task.
        :raises ForbiddenError: if ``asker`` neither started it nor is an administrator, or has a narrower credential.
        :raises ConflictError: if it has ended already.
        """
        with self._runtime.bus.subscribe(f"task:{identity}") as changes:
            if self.row(identity, asker)["finished"] is not None:
                raise ConflictError(f"Task {identity} has ended already.", detail={"status": "ENDED"})
            Task.collection().update_one({"_id": identity, "finished": None}, {"$set": {"killed_by": asker.name}})
            limit = time.monotonic() + KILL_LIMIT
            while self.row(identity, asker)["finished"] is None and time.monotonic() < limit:
                changes.get(limit - time.monotonic())
        return self.row(identity, asker)["finished"] is not None

    def _begin(self, method: Method, given: Mapping[str, Any], call: Call) -> _Running:
        running = _Running(method, call)
        running.greenlet = gevent.spawn(self._run, running, given)
        running.decided.wait()
        if not running.accepted:
            refusal = running.greenlet.get().error
            raise refusal or InternalError(f"{method.address} was not begun.")
        return running

    def _run(self, running: _Running, given: Mapping[str, Any]) -> Outcome:
        method, call = running.method, running.call
        try:
            run = partial(self._runtime.dispatcher.run, method, given, call, running.accept)
            answer = encoded(progress.within(running.steps, run))
        except PortalError as error:
            return Outcome(error=error, request_id=call.request_id)
        except TypeError as error:
            log.exception("%s: the answer of %s is not JSON", call.request_id, method.address)
            failure = InternalError(f"{method.address}: {error}; the log has it under {call.request_id}.")
            return Outcome(error=failure, request_id=call.request_id)
        finally:
            running.decided.set()
        if len(answer) > LARGEST:
            large = UnavailableError(f"{method.address} has run, but its answer is too large for a task.")
            return Outcome(error=large, request_id=call.request_id)
        return Outcome(answer)

    def _record_start(self, running: _Running) -> str:
        identity = str(uuid.uuid4())
        now = time.time()
        method = running.method
        row = {
            "_id": identity,
            "user": running.call.principal.name,
            "scope": scope_of(running.call.principal),
            "call": method.address,
            "owner": self._runtime.process_id,
            "started": now,
            "finished": None,
            "expires": expiry(now + LONGEST),
            **steps_of(running.steps),
        }
        finished = running.greenlet.ready()
        # What only reads may be asked again after a crash of the database, so it waits for no journal.
        concern = WriteConcern(w=1) if method.declaration.readonly else None
        if not finished:
            self._running[identity] = running
        try:
            outcome = running.greenlet.get().fields() if finished else {}
            Task.collection().with_options(write_concern=concern).insert_one(row | outcome)
        except PyMongoError as error:
            self._running.pop(identity, None)
            raise UnavailableError(
                f"{method.address} was begun, but its task could not be recorded ({type(error).__name__})."
            ) from error
        if not finished:
            gevent.spawn(self._record_end, identity, running)
            writer = StepWriter(identity, running.steps)
            if running.steps.revision > row["revision"]:
                writer.wanted()
        return identity

    def _record_end(self, identity: str, running: _Running) -> None:
        outcome = running.greenlet.get().fields() | steps_of(running.steps)
        while True:
            try:
                Task.collection().update_one({"_id": identity}, {"$set": outcome})
                break
            except PyMongoError:
                log.exception("The outcome of task %s could not be written; it is tried again", identity)
                gevent.sleep(AGAIN)
        del self._running[identity]
        running.recorded.set()

    def row(self, identity: str, asker: Principal) -> dict[str, Any]:
        """Return a task's document, finished if the process that ran it is gone; errors as :meth:`outcome`."""
        row = Task.collection().find_one({"_id": identity})
        if row is None:
            raise NotFoundError(f"There is no task {identity}; outcomes are kept for {KEEP // 60} minutes.")
        check_visible(row, asker)
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


_ABANDONED = Outcome(error=UnavailableError("The process that ran this call has ended; look at what it was to change."))
