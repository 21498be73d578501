"""The Python face of the Agent Controller: run a JumpScript on a node and get its result.

::

    runtime.dal.node(3).run("libvirt/startmachine", machine={...})
    job = runtime.dal.role("cpunode").submit("node/facts", expires=10)
    print(job.result(timeout=30))

Waiting blocks the calling greenlet only. What the job says while a call with a task waits becomes a part of that call's
progress.
"""

from __future__ import annotations

import secrets
import time
from typing import Any, ClassVar, Final

from agent.protocol import JobState
from portalfw import progress
from portalfw.controller import output
from portalfw.controller.documents import Job
from portalfw.controller.orders import Orders
from portalfw.controller.queue import JobQueue
from portalfw.controller.retold import Retold
from portalfw.controller.submission import EXPIRES, Terms
from portalfw.controller.targets import Target, members
from portalfw.errors import PortalError, UnavailableError

REREAD: Final = 3.0
"""Seconds after which a waiter looks for itself, should a wake-up have been missed."""


class JobFailedError(PortalError):
    """A job ended otherwise than OK; ``state`` and ``reason`` say how."""

    code: ClassVar[str] = "job-failed"

    def __init__(self, job_id: int, script: str, state: JobState, reason: str) -> None:
        """Describe the job's end."""
        detail = {"job": job_id, "script": script, "state": state.value, "reason": reason}
        super().__init__(f"Job {job_id} ({script}) ended as {state.value}: {reason}", detail=detail)
        self.job_id = job_id
        self.state = state
        self.reason = reason


class JobHandle:
    """One job."""

    def __init__(self, queue: JobQueue, job_id: int) -> None:
        """Point at a job by its id."""
        self._queue = queue
        self.id = job_id

    @property
    def state(self) -> JobState:
        """The state now; raises NotFoundError."""
        return JobState(self.row()["status"])

    def row(self) -> dict[str, Any]:
        """Return everything that is known of the job; raises NotFoundError."""
        return self._queue.row(self.id)

    def wait(self, timeout: float | None = None) -> JobState:
        """Wait for the end, at most ``timeout`` seconds, and return the state, which may be one before the end."""
        return JobState(self._wait(timeout)["status"])

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the end and return what ``action`` returned.

        Raises:
            JobFailedError: it ended otherwise.
            UnavailableError: it has not ended within ``timeout`` seconds; it goes on.

        """
        row = self._wait(timeout)
        state = JobState(row["status"])
        if not state.ended:
            raise UnavailableError(f"Job {self.id} ({row['script']}) is still {state.value} after {timeout:g} s.")
        if state != JobState.OK:
            raise JobFailedError(self.id, row["script"], state, row["reason"])
        return row.get("result")

    def cancel(self, reason: str) -> JobState:
        """End the job early; a running one is CANCELLED once its node has been told. Raises ConflictError if ended."""
        return self._queue.cancel(self.id, reason)

    def output(self, skip: int = 0) -> list[dict[str, Any]]:
        """Return the lines so far, after the first ``skip``: ``{attempt, at, level, text}``."""
        return output.read(self.id, skip)

    def children(self) -> list[dict[str, Any]]:
        """Return the children of a fan-out, as :meth:`row` would each, in the order of their nodes."""
        return Job.rows({"parent": self.id}, sort="node_id")

    def _wait(self, timeout: float | None) -> dict[str, Any]:
        limit = None if timeout is None else time.monotonic() + timeout
        steps = progress.current()
        retold = None if steps is None else Retold(self.id, steps)
        with (self._queue.wake.on_news if retold else self._queue.wake.on_job)(self.id) as event:
            while True:
                event.clear()
                row = self.row()
                if retold is not None:
                    retold.tell(row)
                left = REREAD if limit is None else min(REREAD, limit - time.monotonic())
                if JobState(row["status"]).ended or left <= 0:
                    return row
                event.wait(left)


class NodeHandle:
    """One node."""

    def __init__(self, queue: JobQueue, node_id: int) -> None:
        """Point at a node by its id."""
        self._queue = queue
        self.id = node_id

    def submit(
        self,
        script: str,
        *,
        timeout: float | None = None,
        expires: float = EXPIRES,
        submitted_by: str = "",
        **args: Any,
    ) -> JobHandle:
        """Queue a JumpScript for this node; see :meth:`JobQueue.submit` for arguments and errors."""
        job_id = self._queue.submit(self.id, script, args, timeout=timeout, expires=expires, submitted_by=submitted_by)
        return JobHandle(self._queue, job_id)

    def run(self, script: str, *, timeout: float | None = None, expires: float = EXPIRES, **args: Any) -> Any:
        """Run a JumpScript on this node and return its result; raises JobFailedError and what ``submit`` raises."""
        return self.submit(script, timeout=timeout, expires=expires, **args).result()


class RoleHandle:
    """The nodes that have all of some roles, of one grid if asked."""

    def __init__(self, queue: JobQueue, *roles: str, gid: int | None = None) -> None:
        """Point at roles by their names."""
        self._queue = queue
        self._target = Target(roles, gid)

    def node(self) -> NodeHandle:
        """Return one of the nodes; raises UnavailableError if none is there."""
        return NodeHandle(self._queue, secrets.choice(members(self._target, connected=True)))

    def submit(self, script: str, *, timeout: float | None = None, expires: float = EXPIRES, **args: Any) -> JobHandle:
        """Queue a JumpScript for one of the nodes."""
        return self.node().submit(script, timeout=timeout, expires=expires, **args)

    def run(self, script: str, *, timeout: float | None = None, expires: float = EXPIRES, **args: Any) -> Any:
        """Run a JumpScript on one of the nodes and return its result."""
        return self.submit(script, timeout=timeout, expires=expires, **args).result()

    def submit_all(
        self, script: str, *, terms: Terms | None = None, batch: int = 0, stop_on_failure: bool = False, **args: Any
    ) -> JobHandle:
        """Queue a JumpScript for all of the nodes, as one job with children; see :meth:`Orders.on_all`."""
        job_id = Orders(self._queue).on_all(
            script, self._target, args, terms or Terms(), batch=batch, stop_on_failure=stop_on_failure
        )
        return JobHandle(self._queue, job_id)


class Datacenter:
    """All nodes of the installation."""

    def __init__(self, queue: JobQueue) -> None:
        """Use the controller's queue."""
        self._queue = queue

    def node(self, node_id: int) -> NodeHandle:
        """Return a node by its id; whether it exists shows when it is used."""
        return NodeHandle(self._queue, node_id)

    def role(self, *names: str, gid: int | None = None) -> RoleHandle:
        """Return the nodes that have all of these roles, of one grid if asked."""
        return RoleHandle(self._queue, *names, gid=gid)

    def job(self, job_id: int) -> JobHandle:
        """Return a job by its id."""
        return JobHandle(self._queue, job_id)
