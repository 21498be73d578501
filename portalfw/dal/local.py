"""An installation from within one of its own processes: jobs come from the queue itself, their results unmasked.

::

    runtime.dal.node(3).run("libvirt/startmachine", machine={...})
    job = runtime.dal.role("cpunode").submit("node/hostfacts", expires=10)
    print(job.result(timeout=30))

Waiting blocks the calling greenlet only. What the job says while a call with a task waits becomes a part of that call's
progress.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from agent.protocol import ENDED, JobState
from portalfw import progress
from portalfw.controller import output
from portalfw.controller.documents import Job, Node
from portalfw.controller.orders import Orders
from portalfw.controller.queue import JobQueue
from portalfw.controller.retold import Retold
from portalfw.controller.submission import EXPIRES, Terms
from portalfw.controller.targets import Target
from portalfw.dal.datacenter import Installation
from portalfw.dal.job import JobHandle
from portalfw.dal.link import Link, Order
from portalfw.dal.results import JobResult, Summary, job_result
from portalfw.errors import UnavailableError

REREAD: Final = 3.0
"""Seconds after which a waiter looks for itself, should a wake-up have been missed."""

Call = Callable[[str, Mapping[str, Any]], Any]


class LocalLink(Link):
    """Goes to the queue for jobs, and calls methods in this process for the rest."""

    def __init__(self, queue: JobQueue, call: Call | None = None) -> None:
        """Use the controller's queue, and a function that calls methods; without one there are jobs only."""
        self.queue = queue
        self._call = call

    def call(self, address: str, **arguments: Any) -> Any:
        """Call a method as the platform itself."""
        if self._call is None:
            raise UnavailableError(f"{address} cannot be called: this process has no methods.")
        return self._call(address, {name: value for name, value in arguments.items() if value is not None})

    def submit(self, order: Order) -> int:
        """Queue a job."""
        expires = EXPIRES if order.expires is None else order.expires
        terms = Terms(order.timeout, expires, order.priority, order.submitted_by)
        orders, target = Orders(self.queue), Target(order.roles, order.gid)
        if order.node is not None:
            return orders.on_node(order.script, order.node, order.args, terms)
        if order.all:
            stop = order.stop_on_failure
            return orders.on_all(order.script, target, order.args, terms, batch=order.batch, stop_on_failure=stop)
        return orders.on_any(order.script, target, order.args, terms)

    def job(self, job_id: int) -> JobResult:
        """Return how a job stands."""
        return _named([self.queue.row(job_id)])[0]

    def summary(self, job_id: int) -> Summary | None:
        """Return how a fan-out stands."""
        fan = self.queue.row(job_id).get("fan")
        return fan and Summary(fan["total"], {JobState(state): count for state, count in fan["counts"].items()})

    def states(self, job_ids: Collection[int]) -> dict[int, JobState]:
        """Return the states of some jobs."""
        rows = Job.rows({"_id": {"$in": list(job_ids)}}, fields=["status"])
        return {row["id"]: JobState(row["status"]) for row in rows}

    def ended_children(self, job_id: int) -> Iterator[JobResult]:
        """Return what the children of a fan-out that have ended came to."""
        ended = {"parent": job_id, "status": {"$in": sorted(ENDED)}}
        return iter(_named(Job.rows(ended, sort="_id")))

    def wait(self, job_id: int, timeout: float | None) -> JobResult:
        """Wait for the end; within a call with a task, what the job says is told on."""
        limit = None if timeout is None else time.monotonic() + timeout
        steps = progress.current()
        retold = None if steps is None else Retold(job_id, steps)
        with (self.queue.wake.on_news if retold else self.queue.wake.on_job)(job_id) as event:
            while True:
                event.clear()
                row = self.queue.row(job_id)
                if retold is not None:
                    retold.tell(row)
                left = REREAD if limit is None else min(REREAD, limit - time.monotonic())
                if JobState(row["status"]).ended or left <= 0:
                    return job_result(row)
                event.wait(left)

    def cancel(self, job_id: int, reason: str) -> JobState:
        """End a job early."""
        return self.queue.cancel(job_id, reason)

    def retry(self, job_id: int, *, confirmed: bool) -> int:
        """Run an ended job again."""
        return Orders(self.queue).retry(job_id, confirmed=confirmed, submitted_by="")


class LocalJobHandle(JobHandle):
    """One job, with its document."""

    _link: LocalLink

    def row(self) -> dict[str, Any]:
        """Return everything that is known of the job; raises NotFoundError."""
        return self._link.queue.row(self.id)

    def output(self, skip: int = 0) -> list[dict[str, Any]]:
        """Return the lines so far, after the first ``skip``: ``{attempt, at, level, text}``."""
        return output.read(self.id, skip)

    def children(self) -> list[dict[str, Any]]:
        """Return the children of a fan-out, as :meth:`row` would each, in the order of their nodes."""
        return Job.rows({"parent": self.id}, sort="node_id")


class LocalDatacenter(Installation[LocalJobHandle]):
    """All nodes of this process's installation."""

    def __init__(self, queue: JobQueue, call: Call | None = None) -> None:
        """Use the controller's queue, and a function that calls methods."""
        super().__init__(LocalLink(queue, call), LocalJobHandle)


def _named(rows: Sequence[Mapping[str, Any]]) -> list[JobResult]:
    """Return jobs with the names of their nodes, which are looked up at once."""
    wanted = {"_id": {"$in": [row["node_id"] for row in rows]}}
    names = {node["id"]: node["name"] for node in Node.rows(wanted, fields=["name"])}
    return [job_result({**row, "node": names.get(row["node_id"], "")}) for row in rows]
