"""Queues of nodes that have work and say nothing: their workers hang, or their agent has lost them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from agent.protocol import JobState
from portalfw.controller import transitions
from portalfw.controller.documents import WORKING, Job, JobOutput, Node
from portalfw.extension import health_check
from portalfw.health.findings import Finding

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

SILENCE: Final = {"default": 120.0, "io": 7200.0, "hypervisor": 600.0, "process": 60.0}
"""Seconds for which the workers of a queue may say nothing, as in the originals; of others as of ``default``."""

CARRIED: Final = "console"
"""Queue whose jobs last as long as somebody looks at a screen, and have nothing to say."""

MOST: Final = 200
"""Silent queues that are told one by one."""

Row = dict[str, Any]


@health_check("Queues", every=60)
def silent_queues(_runtime: Runtime) -> Iterator[Finding]:
    """Whether queues with jobs are silent: for 2 min, of hypervisor 10 min, of io 2 h, of process 1 min."""
    now = time.time()
    names = {row["id"]: row["name"] for row in _nodes()}
    busy = [row for row in _busy() if row["_id"]["node_id"] in names]
    silent = [(row, quiet) for row in busy if (quiet := _quiet(row, now)) is not None]
    for row, quiet in silent[:MOST]:
        yield _finding(row, quiet, names[row["_id"]["node_id"]])
    if not silent:
        yield Finding("queues", "OK", f"No queue is silent; queues with jobs: {len(busy)}")


def _nodes() -> list[Row]:
    return Node.rows({"connected": True, "status": {"$in": sorted(WORKING)}}, fields=["name"])


def _busy() -> list[Row]:
    """Return the queues of nodes that have jobs: how many wait and run, when the oldest came and the last began."""
    match = {"status": {"$in": transitions.OPEN}, "node_id": {"$gt": 0}, "queue": {"$ne": CARRIED}}
    running = {"$eq": ["$status", JobState.RUNNING.value]}
    group = {
        "_id": {"node_id": "$node_id", "queue": "$queue"},
        "running": {"$sum": {"$cond": [running, 1, 0]}},
        "jobs": {"$sum": 1},
        "oldest": {"$min": "$created"},
        "started": {"$max": "$started"},
    }
    return list(Job.collection().aggregate([{"$match": match}, {"$group": group}]))


def _quiet(row: Row, now: float) -> float | None:
    """Return for how many seconds a queue with jobs has said nothing, None if that is not too long."""
    since = now - SILENCE.get(row["_id"]["queue"], SILENCE["default"])
    begun = max(row["oldest"], row["started"] or 0.0)
    if begun > since:
        return None
    ended = {**row["_id"], "ended": {"$gt": since}, "status": {"$in": sorted(set(JobState) - set(transitions.OPEN))}}
    if Job.collection().find_one(ended, {"_id": 1}) is not None:
        return None
    heard = max(begun, _last_line(row["_id"]))
    return None if heard > since else now - heard


def _last_line(queue: Row) -> float:
    """Return when a job that runs in a queue said something last, 0 if none has."""
    running = Job.rows({**queue, "status": JobState.RUNNING}, fields=["_id"])
    said = JobOutput.collection().aggregate(
        [
            {"$match": {"job": {"$in": [row["id"] for row in running]}}},
            {"$group": {"_id": None, "at": {"$max": {"$last": "$lines.at"}}}},
        ]
    )
    return next((float(row["at"] or 0.0) for row in said), 0.0)


def _finding(row: Row, quiet: float, node: str) -> Finding:
    """Say that a queue is silent: an ERROR if jobs wait behind it; what only runs may just take long."""
    waiting = row["jobs"] - row["running"]
    node_id, queue = row["_id"]["node_id"], row["_id"]["queue"]
    text = f"Queue {queue} of {node} says nothing for {quiet:.0f} s: {row['running']} jobs run, {waiting} wait"
    return Finding(f"{queue}-{node_id}", "ERROR" if waiting else "WARNING", text, node_id)
