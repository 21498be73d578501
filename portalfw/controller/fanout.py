"""One script on many nodes: one parent job, a child for each node, and a summary that is counted, never guessed.

Nothing of a fan-out lives in a process. The children are documents, unique by parent and node, so that whoever begins
them, and however often, each is begun once; the summary is counted from them; how far the plan has been begun is a
number in the parent. Any process may therefore go on where another one was killed (:meth:`FanOut.sweep`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import gevent
from pymongo import WriteConcern
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError

from agent.protocol import ENDED, HELD, JobState
from portalfw.controller import transitions
from portalfw.controller.documents import FanOutPlan, Job
from portalfw.controller.handing import Handing, Hands
from portalfw.controller.submission import Terms, draft, insert, waiting
from portalfw.controller.targets import Target
from portalfw.controller.wake import Wake
from portalfw.errors import ConflictError, InvalidError, NotFoundError

log = logging.getLogger(__name__)

FAILED: Final = sorted(ENDED - {JobState.OK})
FIRST_ERRORS: Final = 10
CHUNK: Final = 500
"""Children that are stored at once: about what the hub can spare."""

SETTLE: Final = 0.1
"""Seconds from the end of a child to the count that takes it in, with all that ended meanwhile."""

SETTLE_EACH: Final = 5e-5
"""Seconds more for each node: counting ten thousand children takes 10 ms."""

STORING: Final = 5.0
"""Seconds without a further chunk after which another one may go on with storing children."""

DUPLICATE: Final = 11000

KEPT: Final = (
    *("script", "sha256", "args", "queue", "timeout", "limits", "idempotent", "log", "priority"),
    *("submitted_by", "routine"),
)
"""What a child has of its parent."""

Row = dict[str, Any]


class FanOut:
    """Begins, follows, stops and ends the fan-outs of the installation."""

    def __init__(self, wake: Wake, lease: float) -> None:
        """Wake who waits for jobs; what is handed over is leased for so many seconds."""
        self.hands: Hands | None = None  # the agents' questions that wait in this process
        self._wake = wake
        self._lease = lease
        self._touched: set[int] = set()
        self._sizes: dict[int, int] = {}  # of the fan-outs that were counted here and go on

    def submit(
        self,
        script: Row,
        args: Mapping[str, Any],
        nodes: Sequence[int],
        target: Target,
        terms: Terms,
        *,
        batch: int = 0,
        stop_on_failure: bool = False,
    ) -> int:
        """Run a script on nodes and return the id of the parent job; its first children are queued by then.

        Args:
            script: the row of the script.
            args: arguments of its ``action``.
            nodes: the nodes in the order of their turns.
            target: how these were asked for.
            terms: limits, order, on whose behalf; each child waits ``terms.expires`` for its own node.
            batch: children that are open at a time; 0 is all.
            stop_on_failure: begin no more children, and withdraw the waiting ones, once one has not ended as OK.

        Raises:
            InvalidError: the arguments are others, or cannot be stored.
            DuplicateKeyError: it is for an occurrence of a schedule that has its job already.

        """
        row = draft(script, args, terms)
        now = row["created"]
        plan = {"total": len(nodes), "next": 0, "batch": batch, "stop_on_failure": stop_on_failure, "stopped": ""}
        row |= {
            "node_id": None,
            "status": JobState.RUNNING.value,
            "started": now,
            "target": target.to_row(),
            "fan": {**plan, "counts": {}, "errors": [], "storing": now},
            "progress": _progress(0, len(nodes)),
        }
        row["history"] = [{"at": now, "status": JobState.RUNNING.value, "reason": f"on {len(nodes)} nodes"}]
        row["_id"] = parent = Job.next_id()
        FanOutPlan.collection().insert_one({"_id": parent, "nodes": list(nodes)})  # first: who sees the job may go on
        try:
            insert(row)
        except (InvalidError, DuplicateKeyError):
            FanOutPlan.collection().delete_one({"_id": parent})
            raise
        self._begin(row | {"id": parent}, batch or len(nodes))
        self.advance(parent)
        return parent

    def touch(self, parent: int) -> None:
        """Count a fan-out soon: one of its children has ended."""
        if parent not in self._touched:
            self._touched.add(parent)
            gevent.spawn_later(SETTLE + SETTLE_EACH * self._sizes.get(parent, 0), self._settle, parent)

    def advance(self, parent: int) -> None:
        """Bring a fan-out as far as it can go now: count, stop, begin children, end."""
        row = _row(parent)
        if row is None or row["status"] != JobState.RUNNING:
            self._sizes.pop(parent, None)
            return
        self._sizes[parent] = row["fan"]["total"]
        counts = _counts(parent)
        fan = row["fan"]
        if fan["stop_on_failure"] and not fan["stopped"] and any(counts.get(state) for state in FAILED):
            _set(parent, {"fan.stopped": "stopped after the first failure"})
            row = _row(parent) or row
            fan = row["fan"]
        if fan["stopped"]:
            self._withdraw(row)
            counts = _counts(parent)
        elif fan["next"] < fan["total"] and fan.get("storing", 0.0) < time.time() - STORING:
            waiting = sum(counts.get(state, 0) for state in transitions.OPEN)
            self._begin(row, fan["batch"] - waiting if fan["batch"] else fan["total"])
            counts = _counts(parent)
        self._tell(_row(parent) or row, counts)

    def cancel(self, row: Row, reason: str) -> JobState:
        """Cancel a fan-out: what waits is ended now, what runs is ended by its nodes; raises ConflictError if ended."""
        asked = {"cancel": reason, "fan.stopped": f"cancelled: {reason}"}
        if Job.take({"_id": row["id"], "status": JobState.RUNNING}, {"$set": asked}) is None:
            raise ConflictError(f"Job {row['id']} has ended already.")
        self.advance(row["id"])
        return JobState((_row(row["id"]) or row)["status"])

    def sweep(self) -> None:
        """Go on with every fan-out that is not at its end; to be called every second or so by one process."""
        for row in Job.rows({"node_id": None, "status": JobState.RUNNING}, fields=["_id"]):
            self.advance(row["id"])

    def _settle(self, parent: int) -> None:
        self._touched.discard(parent)
        try:
            self.advance(parent)
        except PyMongoError as error:  # nothing is lost: the sweep goes on with it
            log.warning("Fan-out %d could not be counted now: %s", parent, error)

    def _begin(self, row: Row, room: int) -> None:
        """Store up to ``room`` further children, unless the fan-out is stopped meanwhile."""
        parent, begun, total = row["id"], row["fan"]["next"], row["fan"]["total"]
        end = min(total, begun + max(0, room))
        while begun < end:
            nodes = _planned(parent, begun, min(CHUNK, end - begun))
            handing = Handing(self._wake, self._lease)
            try:
                handing.reserve(self.hands, row, nodes)
                _store_children(row, nodes, handing)
                for node in nodes:
                    if node not in handing:
                        self._wake.node(node, urgent=False)
                query = {"_id": parent, "fan.next": begun}
                begun += len(nodes)
                # Who is at it says so, since several would store the same children: that is safe, and for nothing.
                storing = time.time() if begun < end else 0.0
                Job.collection().update_one(query, {"$set": {"fan.next": begun, "fan.storing": storing}})
                # Who stops it notes that first and then withdraws; we store first and then look. So one of us sees it.
                now = _row(parent)
                if now is not None and not now["fan"]["stopped"]:
                    handing.hand_over()
            finally:
                handing.give_up("the agent was not given the job")
            if now is None or now["fan"]["stopped"]:
                self._withdraw(now or row)
                return
            gevent.sleep(0)

    def _withdraw(self, row: Row) -> None:
        """End the children that nobody has begun; with a cancellation, have nodes end the others."""
        parent, reason = row["id"], row.get("cancel") or row["fan"]["stopped"]
        now = time.time()
        entry = {"at": now, "status": JobState.CANCELLED.value, "reason": reason}
        ended = {"status": JobState.CANCELLED.value, "reason": reason, "ended": now, "leased_until": None}
        Job.collection().update_many(
            {"parent": parent, "status": JobState.QUEUED}, {"$set": ended, "$push": {"history": entry}}
        )
        if row.get("cancel"):
            held = {"parent": parent, "status": {"$in": sorted(HELD)}, "cancel": None}
            nodes = [child["node_id"] for child in Job.rows(held, fields=["node_id"])]
            Job.collection().update_many(held, {"$set": {"cancel": reason}})
            for node in nodes:
                self._wake.node(node)

    def _tell(self, row: Row, counts: Mapping[str, int]) -> None:
        """Write the summary; end the parent when nothing is left to do."""
        fan, parent = row["fan"], row["id"]
        done = sum(count for state, count in counts.items() if JobState(state).ended)
        begun = sum(counts.values())  # less than what the parent says if it was counted before the last ones came
        over = done == begun >= fan["next"] and (fan["next"] == fan["total"] or bool(fan["stopped"]))
        if counts == fan["counts"] and not over:
            return
        failed = sum(counts.get(state, 0) for state in FAILED)
        errors = fan["errors"]
        if failed != sum(fan["counts"].get(state, 0) for state in FAILED) and (over or len(errors) < FIRST_ERRORS):
            errors = _first_errors(parent)
        told = {"fan.counts": counts, "fan.errors": errors, "progress": _progress(done, fan["total"])}
        if not over:
            _set(parent, told)
            return
        state, reason = _end_of(row, counts)
        summary = {"total": fan["total"], "begun": begun, "counts": counts, "first_errors": errors}
        seconds = time.time() - row["started"]
        query = {"_id": parent, "status": JobState.RUNNING, "fan.next": fan["next"]}
        if transitions.end(query, state, reason, result=summary, seconds=seconds, **told) is not None:
            self._sizes.pop(parent, None)
            self._wake.job(parent)


def retry_nodes(parent: int) -> list[int]:
    """Return the nodes of a fan-out on which it has not ended as OK, in the order of their turns."""
    plan = FanOutPlan.rows({"_id": parent}, limit=1)
    well = {row["node_id"] for row in Job.rows({"parent": parent, "status": JobState.OK}, fields=["node_id"])}
    if not plan:
        raise NotFoundError(f"The plan of fan-out {parent} does not exist any more.")
    return [node for node in plan[0]["nodes"] if node not in well]


def _row(parent: int) -> Row | None:
    return next(iter(Job.rows({"_id": parent}, limit=1)), None)


def _set(parent: int, values: Row) -> None:
    Job.collection().update_one({"_id": parent, "status": JobState.RUNNING}, {"$set": values})


def _counts(parent: int) -> dict[str, int]:
    groups: list[Row] = [{"$match": {"parent": parent}}, {"$group": {"_id": "$status", "jobs": {"$sum": 1}}}]
    return {row["_id"]: row["jobs"] for row in Job.collection().aggregate(groups)}


def _first_errors(parent: int) -> list[Row]:
    rows = Job.rows(
        {"parent": parent, "status": {"$in": FAILED}},
        fields=["node_id", "status", "reason"],
        sort="ended",
        limit=FIRST_ERRORS,
    )
    return [
        {"job": row["id"], "node_id": row["node_id"], "state": row["status"], "reason": row["reason"]} for row in rows
    ]


def _planned(parent: int, begin: int, count: int) -> list[int]:
    found = FanOutPlan.collection().find_one({"_id": parent}, {"nodes": {"$slice": [begin, count]}})
    if not found:
        raise NotFoundError(f"The plan of fan-out {parent} does not exist.")
    return list(found["nodes"])


def _store_children(row: Row, nodes: Sequence[int], handing: Handing) -> None:
    """Store the children on nodes, some as begun; those that are stored already stay as they are."""
    common = {name: row[name] for name in KEPT} | {"parent": row["id"]} | waiting(row["expire_after"])
    ids = Job.next_ids(len(nodes))
    children = ({"_id": identity, "node_id": node, **common} for identity, node in zip(ids, nodes, strict=True))
    rows = [handing.begun(child) for child in children]
    # The journal is waited for once, when the parent says that they are begun.
    jobs = Job.collection().with_options(write_concern=WriteConcern(w=1))
    try:
        jobs.insert_many(rows, ordered=False)
    except BulkWriteError as error:
        if any(one["code"] != DUPLICATE for one in error.details["writeErrors"]):
            raise
        for one in error.details["writeErrors"]:
            handing.forget(nodes[one["index"]])


def _progress(done: int, total: int) -> Row:
    return {"percent": 100.0 * done / total if total else 100.0, "text": f"{done} of {total} nodes"}


def _end_of(row: Row, counts: Mapping[str, int]) -> tuple[JobState, str]:
    fan = row["fan"]
    if row.get("cancel"):
        return JobState.CANCELLED, row["cancel"]
    failed = {state: counts[state] for state in FAILED if counts.get(state)}
    if not failed and not fan["stopped"]:
        return JobState.OK, ""
    parts = ", ".join(f"{count} {state}" for state, count in failed.items())
    reason = f"{sum(failed.values())} of {fan['total']} did not end as OK: {parts}" if parts else ""
    left = fan["total"] - sum(counts.values())
    more = [reason, fan["stopped"], f"{left} not begun" if left else ""]
    return JobState.ERROR, "; ".join(part for part in more if part)


def check_batch(batch: int) -> None:
    """Refuse a size of batches that makes no sense; raises InvalidError."""
    if batch < 0:
        raise InvalidError("batch: how many nodes at a time; 0 is all at once.", detail={"argument": "batch"})
