"""What people, actors and schedules ask for: a script on a node, on any of some nodes, on all of them, or once more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from agent.protocol import JobState
from portalfw.controller.documents import ENABLED, Job, Node, Script
from portalfw.controller.fanout import check_batch, retry_nodes
from portalfw.controller.queue import JobQueue
from portalfw.controller.submission import Terms, draft, insert
from portalfw.controller.targets import Target, least_busy, members
from portalfw.errors import ConflictError, InvalidError, NotFoundError

PLACED: Final = 1000
"""Jobs for any node that are placed anew in one turn."""

Row = dict[str, Any]


class Orders:
    """Makes jobs of orders; how these go on is the queue's."""

    def __init__(self, queue: JobQueue) -> None:
        """Use a queue and its scripts."""
        self._scripts = queue.scripts
        self._queue = queue

    def on_node(self, script: Row | str, node_id: int, args: Mapping[str, Any], terms: Terms) -> int:
        """Run a script on one node; return the job's id. Arguments and errors are those of :meth:`JobQueue.submit`."""
        return self._queue.submit_script(self._script(script), node_id, args, terms)

    def on_any(self, script: Row | str, target: Target, args: Mapping[str, Any], terms: Terms) -> int:
        """Run a script on one node of a target, the least busy one that is there; return the job's id.

        With none there the job waits for one. Until a node begins it, it goes to another one if its own goes away.

        Raises:
            UnavailableError: no node, there or away, is in the target.
            NotFoundError: no such script.
            InvalidError: the script is broken, or its arguments are others.

        """
        row = draft(self._script(script), args, terms)
        members(target)
        node = least_busy(target)
        job_id = insert({**row, "node_id": node, "target": {**target.to_row(), "any": True}})
        if node is not None:
            self._queue.wake.node(node)
        return job_id

    def on_all(
        self,
        script: Row | str,
        target: Target,
        args: Mapping[str, Any],
        terms: Terms,
        *,
        batch: int = 0,
        stop_on_failure: bool = False,
        connected: bool = False,
    ) -> int:
        """Run a script on all nodes of a target, or those that are ``connected``; return the id of the parent job.

        :meth:`FanOut.submit` says what the other arguments mean. Raises as :meth:`on_any` does.
        """
        check_batch(batch)
        found = self._script(script)
        there = members(target, connected=connected and not target.nodes)
        nodes = list(target.nodes) or there
        return self._queue.fanout.submit(
            found, args, nodes, target, terms, batch=batch, stop_on_failure=stop_on_failure
        )

    def retry(self, job_id: int, *, confirmed: bool, submitted_by: str) -> int:
        """Run an ended job once more, as a new job with the same arguments; return its id.

        What the script says now is run. Of a fan-out, only the nodes on which it did not end as OK have their turn.

        Args:
            job_id: the job.
            confirmed: run it also if it may have done half its work and the script does not call itself idempotent.
            submitted_by: name of who asks.

        Raises:
            NotFoundError: no such job, or its script is gone.
            ConflictError: it has not ended, it ended as OK, or ``confirmed`` is needed.

        """
        row = self._queue.row(job_id)
        state = JobState(row["status"])
        if not state.ended or state == JobState.OK:
            raise ConflictError(f"Job {job_id} is {state.value}; only one that failed can be run again.")
        script = self._again(row)
        if not confirmed and _wants_confirmation(row, script):
            raise ConflictError(
                f"Job {job_id} may have done half its work, and {row['script']} is not idempotent; confirm to run it "
                "again.",
                detail={"argument": "confirmed"},
            )
        marks = (("retry_of", job_id),)
        terms = Terms(row["timeout"], row["expire_after"], row.get("priority") or 0, submitted_by, marks)
        if "fan" in row:
            fan, nodes = row["fan"], retry_nodes(job_id)
            target = replace(Target.from_row(row["target"]), nodes=tuple(nodes))
            return self._queue.fanout.submit(
                script, row["args"], nodes, target, terms, batch=fan["batch"], stop_on_failure=fan["stop_on_failure"]
            )
        if (row.get("target") or {}).get("any"):
            return self.on_any(script, Target.from_row(row["target"]), row["args"], terms)
        return self.on_node(script, row["node_id"], row["args"], terms)

    def wants_confirmation(self, row: Row) -> bool:
        """Tell whether to run a job that did not end well once more has to be confirmed: half of it may be done."""
        try:
            return _wants_confirmation(row, self._again(row))
        except (NotFoundError, InvalidError):
            return False  # it cannot be run again at all

    def place(self) -> None:
        """Give the jobs that any node may do to one that is there; to be called every second or so by one process."""
        rows = Job.rows({"status": JobState.QUEUED, "target.any": True}, fields=["node_id", "target"], limit=PLACED)
        if not rows:
            return
        there = {"_id": {"$in": [row["node_id"] for row in rows]}, "connected": True, "status": ENABLED}
        well = {row["id"] for row in Node.rows(there, fields=["_id"])}
        for row in rows:
            node = None if row["node_id"] in well else least_busy(Target.from_row(row["target"]))
            if node is not None:
                same = {"_id": row["id"], "status": JobState.QUEUED, "node_id": row["node_id"]}
                Job.collection().update_one(same, {"$set": {"node_id": node}})
                self._queue.wake.node(node)

    def _script(self, script: Row | str) -> Row:
        return self._scripts.current(script) if isinstance(script, str) else script

    def _again(self, row: Row) -> Row:
        """Return what a job's script says now; of one that was given for this job alone, what it said then."""
        try:
            return self._scripts.current(row["script"])
        except NotFoundError:
            rows = Script.rows({"sha256": row["sha256"]}, limit=1)
            if not rows or rows[0].get("broken"):
                raise
            return rows[0]


def _wants_confirmation(row: Row, script: Row) -> bool:
    return not script["header"].get("idempotent") and _has_begun(row)


def _has_begun(row: Row) -> bool:
    """Tell whether anything of a job that did not end well may have been done."""
    if "fan" not in row:
        return bool(row.get("started"))
    failed = {"parent": row["id"], "status": {"$ne": JobState.OK.value}, "started": {"$ne": None}}
    return Job.collection().count_documents(failed, limit=1) > 0
