"""Operations: how an object is taken through a transitional state, so that it always comes out of it."""

from __future__ import annotations

import logging
import time
import uuid
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from pymongo import WriteConcern

from actors.cloud.models import LifeCycleDocument, RunningOperation
from actors.cloud.nodes import Nodes
from actors.cloud.states import PREVIOUS, Transition, transition
from portalfw.errors import ConflictError, PortalError
from portalfw.progress import report

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

log = logging.getLogger(__name__)

NEWS = WriteConcern(w=1)  # how far something is may be lost in a crash, so nobody waits for the journal

D = TypeVar("D", bound=LifeCycleDocument)


class Operation(Generic[D]):
    """One operation on one object. As a context manager it ends the operation, well or badly.

    Within it, :meth:`step` tells people how far it is, :meth:`run` does something on a node, and :meth:`end` chooses
    another end than the one in the table.
    """

    def __init__(self, document: D, row: Transition, nodes: Nodes) -> None:
        """Hold the object that is already in its transitional state."""
        self.document = document
        self.row = row
        self.key: str = document.operation.key
        self.previous: str = document.operation.previous
        self._nodes = nodes
        self._status = row.to
        self._reason = ""
        self._values: dict[str, Any] = {}

    def step(self, text: str, progress: int = 0) -> None:
        """Say what is being done now, and how far the whole is in percent."""
        report(text, progress or None, 100)
        self._set({"operation.step": text, "operation.progress": progress}, NEWS)

    def keep(self, **values: Any) -> None:
        """Change fields of the object now, while it is still in its transitional state.

        :raises ConflictError: if the operation has been taken over.
        """
        self._set(values)
        for name, value in values.items():
            setattr(self.document, name, value)

    def run(self, node_id: int, script: str, *, timeout: float, **arguments: Any) -> Any:
        """Run a JumpScript on a node and return its result; its job is noted on the object.

        :raises UnavailableError: if the node is away.
        :raises JobFailedError: if the script fails.
        """
        return self._nodes.run(node_id, script, timeout=timeout, note=self._note_job, **arguments)

    def end(self, status: str, reason: str = "", **values: Any) -> None:
        """Choose the state in which the object ends, why, and other fields that change with it."""
        self._status, self._reason = status, reason
        self._values |= values

    def __enter__(self) -> Self:
        """Begin; the object is in its transitional state already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End in the chosen state; after an error in the state that the table names, with the error as reason."""
        if error is None:
            self._finish(self._status, self._reason, self._values)
        elif isinstance(error, Exception):
            self._fail(error)
        # Anything else ends this process or greenlet: the reconciler of a living one brings the object out.

    def _fail(self, error: Exception) -> None:
        status = self.previous if self.row.failed == PREVIOUS else self.row.failed
        reason = error.message if isinstance(error, PortalError) else f"Unexpected {type(error).__name__}: {error}"
        kind = self.document.kind()
        log.warning("%s %s: %s failed: %s", kind, self.document.id, self.document.operation.name, reason)
        if isinstance(error, PortalError):
            known = error.detail if isinstance(error.detail, dict) else {}
            error.detail = {**known, f"{kind}Id": self.document.id, "status": status}
        self._finish(status, reason, self._values)

    def _finish(self, status: str, reason: str, values: dict[str, Any]) -> None:
        changes = {"status": status, "status_reason": reason, "operation": None, "update_time": time.time(), **values}
        self._set(changes)
        self.document.status = status

    def _set(self, values: dict[str, Any], concern: WriteConcern | None = None) -> None:
        mine = {"_id": self.document.id, "status": self.row.via, "operation.key": self.key}
        collection = self.document.collection().with_options(write_concern=concern)
        if collection.update_one(mine, {"$set": values}).matched_count == 0:
            raise ConflictError(
                f"{self.document.kind().capitalize()} {self.document.id}: it took too long, another ended it.",
                detail={"status": self.document.get(self.document.id).status},
            )

    def _note_job(self, job_id: int) -> None:
        self._set({"operation.job_id": job_id}, NEWS)


class Operations:
    """Begins operations, and takes over those whose process is gone."""

    def __init__(self, runtime: Runtime) -> None:
        """Bind to the process that will own the operations."""
        self._owner = runtime.process_id
        self._nodes = runtime.service(Nodes)

    def create(self, kind: type[D], name: str, /, **values: Any) -> Operation[D]:
        """Insert a new object that is in operation ``name`` from its first moment.

        :raises mongoengine.NotUniqueError: if its name is taken.
        """
        row = transition(kind.collection_name(), name)
        now = time.time()
        running = RunningOperation(**self._running(name, row, "VIRTUAL"))
        document = kind.create(status=row.via, operation=running, creation_time=now, update_time=now, **values)
        return Operation(document, row, self._nodes)

    def begin(self, kind: type[D], identity: int, name: str) -> Operation[D]:
        """Take an object into operation ``name``.

        :raises NotFoundError: if it does not exist.
        :raises ConflictError: if it is in another state than the operation needs; the message names it.
        """
        row = transition(kind.collection_name(), name)
        before = kind.get(identity)
        expected = row.from_ & {before.status} or row.from_
        running = self._running(name, row, before.status)
        document = kind.transition(identity, from_=expected, to=row.via, operation=running, status_reason="")
        return Operation(document, row, self._nodes)

    def adopt(self, document: D) -> Operation[D] | None:
        """Take over the operation of an object from its dead owner; None if another process was faster."""
        old = document.operation
        row = transition(document.collection_name(), old.name)
        running = self._running(old.name, row, old.previous)
        taken = document.collection().update_one(
            {"_id": document.id, "operation.key": old.key}, {"$set": {"operation": running}}
        )
        if taken.modified_count == 0:
            return None
        document.operation = RunningOperation(**running)
        return Operation(document, row, self._nodes)

    def _running(self, name: str, row: Transition, previous: str) -> dict[str, Any]:
        now = time.time()
        return {
            "key": uuid.uuid4().hex,
            "name": name,
            "owner": self._owner,
            "previous": previous,
            "started": now,
            "expires": now + row.limit,
            "step": "",
            "progress": 0,
        }
