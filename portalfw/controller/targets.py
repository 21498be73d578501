"""Which nodes are meant by roles and grids."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from portalfw.controller import transitions
from portalfw.controller.documents import ENABLED, WORKING, Job, Node
from portalfw.errors import InvalidError, UnavailableError

SAMPLE: Final = 50
"""Nodes that are compared by how many jobs they have; among many, the least busy of some is good enough."""


@dataclass(frozen=True)
class Target:
    """Nodes that have all of ``roles``, of one grid if given; or just the ``nodes`` that are named."""

    roles: tuple[str, ...] = ()
    gid: int | None = None
    nodes: tuple[int, ...] = ()

    def __str__(self) -> str:
        """Say which nodes these are, as a part of a sentence."""
        if self.nodes:
            return f"the {len(self.nodes)} nodes that were named"
        roles = " and ".join(self.roles)
        parts = [f"the role{'s' if len(self.roles) > 1 else ''} {roles}"] if roles else []
        parts += [f"grid {self.gid}"] if self.gid is not None else []
        return " in ".join(parts) or "all nodes"

    def query(self) -> dict[str, Any]:
        """Return the MongoDB condition on these nodes."""
        found: dict[str, Any] = {}
        if self.nodes:
            found["_id"] = {"$in": list(self.nodes)}
        if self.roles:
            found["roles"] = {"$all": list(self.roles)}
        if self.gid is not None:
            found["gid"] = self.gid
        return found

    def to_row(self) -> dict[str, Any]:
        """Return what jobs and schedules keep; named nodes are kept elsewhere, since there may be thousands."""
        return {"roles": list(self.roles), "gid": self.gid}

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Target:
        """Read what :meth:`to_row` wrote."""
        return cls(tuple(row.get("roles") or ()), row.get("gid"))


def members(target: Target, *, connected: bool = False) -> list[int]:
    """Return the nodes of a target that may be given jobs, in maintenance too.

    Args:
        target: which nodes.
        connected: only those that are there now and ENABLED.

    Raises:
        UnavailableError: there is none.
        InvalidError: a node was named that may not be given jobs.

    """
    here = {"connected": True, "status": ENABLED} if connected else {"status": {"$in": sorted(WORKING)}}
    found = [row["id"] for row in Node.rows({**target.query(), **here}, fields=["_id"])]
    if target.nodes and not connected and (missing := sorted(set(target.nodes) - set(found))):
        raise InvalidError(
            f"Node {missing[0]} does not exist, or it may not be given jobs.", detail={"argument": "nodes"}
        )
    if not found:
        state = "connected and enabled" if connected else "at work"
        raise UnavailableError(f"No node of {target} is {state}.")
    return found


def least_busy(target: Target) -> int | None:
    """Return a node of the target that is there and has the fewest open jobs, among some; None if none is there."""
    rows = Node.rows({**target.query(), "connected": True, "status": ENABLED}, fields=["_id"])
    if not rows:
        return None
    some = _sample([row["id"] for row in rows], SAMPLE)
    counted = Job.collection().aggregate(
        [
            {"$match": {"node_id": {"$in": some}, "status": {"$in": transitions.OPEN}}},
            {"$group": {"_id": "$node_id", "jobs": {"$sum": 1}}},
        ]
    )
    jobs = {row["_id"]: row["jobs"] for row in counted}
    return min(some, key=lambda node: jobs.get(node, 0))


def _sample(nodes: Sequence[int], most: int) -> list[int]:
    return secrets.SystemRandom().sample(nodes, min(most, len(nodes)))
