"""Stacks: what the physical nodes offer to machines, kept in step with the nodes themselves."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import mongoengine

from actors.cloud.models import Location, Stack
from portalfw.controller.documents import ACCEPTED, DISABLED, ENABLED, MAINTENANCE, Node

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

ROLE = "cpunode"
#: MiB that a node keeps for itself, by its size: (hosts up to this many MiB, kept); cloud.md, section 6.1.
RESERVED = ((64 * 1024, 1024), (196 * 1024, 2048), (float("inf"), 4096))
SMALL = 4  # a small host keeps no more than this part of its memory
NODE_FIELDS = ["name", "gid", "roles", "status", "connected", "facts.memory_mib", "boot_id", "session"]
STATES = {ENABLED: "ENABLED", MAINTENANCE: "MAINTENANCE", DISABLED: "DISABLED", ACCEPTED: "DISABLED"}


class Stacks:
    """Makes a stack for each node that may carry machines, and follows the node's state and memory."""

    def __init__(self, runtime: Runtime) -> None:
        """Need nothing but the database."""

    def keep(self) -> None:
        """Bring the stacks to what the nodes are now; with nothing to change it only reads."""
        known = {row["reference_id"]: row for row in Stack.rows()}
        for node in Node.rows({"roles": ROLE}, fields=NODE_FIELDS):
            stack = known.get(node["id"])
            if stack is None and node["status"] == ENABLED:
                self._make(node)
            elif stack is not None:
                self._follow(stack, node)

    def _make(self, node: dict[str, Any]) -> None:
        now = time.time()
        try:
            Stack.create(
                name=node["name"],
                reference_id=node["id"],
                gid=node.get("gid") or _first_gid(),
                memory=memory_for_machines(node),
                status="ENABLED",
                creation_time=now,
                update_time=now,
            )
        except mongoengine.NotUniqueError:
            return  # another process made it in this moment

    def _follow(self, stack: dict[str, Any], node: dict[str, Any]) -> None:
        now_so = {
            "name": node["name"],
            "memory": memory_for_machines(node) or stack["memory"],
            "status": STATES.get(node["status"], "DECOMMISSIONED"),
        }
        if any(stack[name] != value for name, value in now_so.items()):
            Stack.collection().update_one({"_id": stack["id"]}, {"$set": {**now_so, "update_time": time.time()}})


def memory_for_machines(node: dict[str, Any]) -> int:
    """Return the MiB of a node that machines may use; 0 while its facts are unknown."""
    total = int((node.get("facts") or {}).get("memory_mib") or 0)
    kept = next(kept for bound, kept in RESERVED if total <= bound)
    return total - min(kept, total // SMALL)


def _first_gid() -> int:
    rows = Location.rows(fields=["gid"], sort="gid", limit=1)
    return int(rows[0]["gid"]) if rows else 1
