"""The life of a node, from the day it enters to the day it goes.

::

    PENDING -> ACCEPTED -> ENABLED <-> MAINTENANCE
                           ENABLED <-> DISABLED
                           any of them -> DECOMMISSIONED

Only ENABLED and MAINTENANCE nodes are given jobs; orders for any node, schedules and the cloud's placement leave out
those in maintenance. Whether a node's agent is there is another matter: *away* is a node that is silent, *lost* one
that has been for ten minutes.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from agent.protocol import HELD, JobState
from portalfw.controller import transitions
from portalfw.controller.documents import (
    ACCEPTED,
    DECOMMISSIONED,
    DISABLED,
    ENABLED,
    MAINTENANCE,
    PENDING,
    Job,
    Node,
)
from portalfw.errors import ConflictError, NotFoundError

STEPS: Final[dict[str, frozenset[str]]] = {
    ACCEPTED: frozenset({PENDING}),
    ENABLED: frozenset({PENDING, ACCEPTED, DISABLED, MAINTENANCE}),
    DISABLED: frozenset({PENDING, ACCEPTED, ENABLED, MAINTENANCE}),
    MAINTENANCE: frozenset({ENABLED, DISABLED, ACCEPTED}),
    DECOMMISSIONED: frozenset({PENDING, ACCEPTED, ENABLED, DISABLED, MAINTENANCE}),
}
"""From which states each one can be reached."""

LOST_AFTER: Final = 600.0
"""Seconds of silence after which a node counts as lost."""

HISTORY: Final = -50
"""Entries of a node's history that are kept, newest ones."""


def move(node_id: int, to: str, *, reason: str = "", by: str = "") -> None:
    """Bring a node to a state.

    Raises:
        NotFoundError: no such node.
        ConflictError: it cannot go there from where it is; the message names both.

    """
    entry = {"at": time.time(), "status": to, "reason": reason, "by": by}
    update: dict[str, Any] = {
        "$set": {"status": to, "reason": reason, "update_time": entry["at"]},
        "$push": {"history": {"$each": [entry], "$slice": HISTORY}},
    }
    if to == DECOMMISSIONED:
        update["$set"]["connected"] = False
        update["$unset"] = {"credential_next": 1, "credential_old": 1}
    if Node.take({"_id": node_id, "status": {"$in": sorted(STEPS[to])}}, update) is None:
        raise _refused(node_id, to)
    if to == DECOMMISSIONED:
        _end_jobs(node_id)


def state_of(row: Mapping[str, Any]) -> str:
    """Return what people are told of a node: its status while its agent is there, else AWAY or LOST."""
    if row.get("connected") or row["status"] in {DECOMMISSIONED, PENDING}:
        return str(row["status"])
    return "LOST" if time.time() - (row.get("last_seen") or row.get("created") or 0.0) > LOST_AFTER else "AWAY"


def _refused(node_id: int, to: str) -> ConflictError | NotFoundError:
    rows = Node.rows({"_id": node_id}, fields=["status"], limit=1)
    if not rows:
        return NotFoundError(f"Node {node_id} does not exist.")
    status, needs = rows[0]["status"], sorted(STEPS[to])
    said = f"Node {node_id} is {status}; to become {to} it must be {' or '.join(needs)}."
    return ConflictError(said, detail={"status": status, "needs": needs})


def _end_jobs(node_id: int) -> None:
    """End the open jobs of a node whose agent is heard no more."""
    reason = "the node was decommissioned"
    for row in Job.rows({"node_id": node_id, "status": {"$in": transitions.OPEN}}, fields=["status"]):
        state = JobState.LOST if row["status"] in HELD else JobState.CANCELLED
        transitions.end({"_id": row["id"]}, state, reason)
