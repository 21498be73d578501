"""How long answers between nodes take: each pings all others at once, when somebody asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from agent.protocol import JobState
from portalfw.controller.documents import WORKING, Job, Node
from portalfw.controller.submission import Terms
from portalfw.errors import ConflictError, InvalidError
from portalfw.paths.addresses import FIELDS, between
from portalfw.paths.documents import jobs_of, remember

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

SCRIPT: Final = "network/measurelatency"
MOST: Final = 100
"""Nodes that are measured together: each pair is pinged, so the work grows with the square."""

EXPIRES: Final = 30.0
Row = dict[str, Any]


def measure(runtime: Runtime, gid: int | None, user: str) -> int:
    """Have each node of a grid, or of all, ping the others; return how many nodes were asked.

    :raises ConflictError: if no two nodes are there that know each other's addresses.
    :raises InvalidError: if there are too many.
    """
    there = {"connected": True, "status": {"$in": sorted(WORKING)}}
    nodes = Node.rows({**there, **({} if gid is None else {"gid": gid})}, fields=FIELDS, sort="name")
    if len(nodes) > MOST:
        raise InvalidError(f"There are {len(nodes)} nodes; {MOST} at most are measured together: choose a grid.")
    asked = [(node["id"], peers) for node in nodes if (peers := _peers(node, nodes))]
    if not asked:
        raise ConflictError("This needs two nodes that are connected and have addresses that others know.")
    terms = Terms(expires=EXPIRES, submitted_by=user)
    orders = runtime.controller.orders
    remember(_name(gid), [orders.on_node(SCRIPT, node, {"peers": peers}, terms) for node, peers in asked])
    return len(asked)


def last(gid: int | None) -> Iterator[Row]:
    """Yield a row for each pair that was measured last: ``job``, ``peer`` (as it was told) and what was ``found``.

    ``found`` is None while the job goes on; a job that failed found nothing for all of its peers: an ERROR.
    """
    fields = ["node_id", "args", "result", "status", "reason", "ended", "created"]
    for job in Job.rows({"_id": {"$in": jobs_of(_name(gid))}}, fields=fields):
        told = {one["node"]: one for one in job["result"]} if job["status"] == JobState.OK else {}
        over = JobState(job["status"]).ended
        for peer in job["args"]["peers"]:
            found = told.get(peer["node"])
            if found is None and over:
                found = {"delay": None, "state": "ERROR", "message": job.get("reason") or job["status"]}
            yield {"job": job, "peer": peer, "found": found}


def _peers(node: Row, nodes: list[Row]) -> list[Row]:
    others = [(one, between(node, one)) for one in nodes if one["id"] != node["id"]]
    return [{"node": one["id"], "name": one["name"], "address": address} for one, address in others if address]


def _name(gid: int | None) -> str:
    return f"latency:{'all' if gid is None else gid}"
