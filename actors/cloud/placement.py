"""Placement: which node a machine or a gateway goes to, and the memory that it holds there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actors.cloud.models import Stack
from actors.cloud.nodes import Nodes
from actors.cloud.stacks import Stacks
from portalfw.errors import UnavailableError

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

#: Free memory in MiB, computed by MongoDB within the same step that takes it.
FREE = {"$subtract": ["$memory", {"$sum": "$claims.memory"}]}


class Placement:
    """Chooses stacks: enabled, its agent there, enough free memory; the emptiest first."""

    def __init__(self, runtime: Runtime) -> None:
        """Bind to the process's services."""
        self._nodes = runtime.service(Nodes)
        self._stacks = runtime.service(Stacks)

    def candidates(self, gid: int) -> list[dict[str, Any]]:
        """Return the usable stacks of a location with their ``free`` MiB, the emptiest first.

        :raises UnavailableError: if there is none, saying why.
        """
        self._stacks.keep()
        enabled = Stack.rows({"gid": gid, "status": "ENABLED"})
        there = {node["id"] for node in self._nodes.rows(connected=True)}
        found = [stack for stack in enabled if stack["reference_id"] in there]
        if not found:
            away = ", ".join(stack["name"] for stack in enabled)
            raise UnavailableError(
                f"No node can be used: {away} away." if away else "No node is enabled in this location."
            )
        for stack in found:
            stack["free"] = stack["memory"] - sum(claim["memory"] for claim in stack["claims"])
        return sorted(found, key=lambda stack: -int(stack["free"]))

    def claim(self, stack_id: int, machine_id: int, memory: int) -> None:
        """Take ``memory`` MiB of a stack for a machine, in one step; taking it again changes nothing.

        :raises UnavailableError: if the node has no room, is away or not enabled.
        """
        stack = Stack.get(stack_id)
        if any(claim.machine_id == machine_id for claim in stack.claims):
            return
        room = {
            "_id": stack_id,
            "status": "ENABLED",
            "claims.machine_id": {"$ne": machine_id},
            "$expr": {"$gte": [FREE, memory]},
        }
        if Stack.take(room, {"$push": {"claims": {"machine_id": machine_id, "memory": memory}}}) is None:
            raise UnavailableError(self._refusal(stack, memory))

    def release(self, machine_id: int) -> None:
        """Give back the memory that a machine holds, if any."""
        Stack.collection().update_many(
            {"claims.machine_id": machine_id}, {"$pull": {"claims": {"machine_id": machine_id}}}
        )

    def _refusal(self, stack: Stack, memory: int) -> str:
        if stack.status != "ENABLED":
            return f"Node {stack.name} is {stack.status}; enable it or wait."
        free = stack.memory - sum(claim.memory for claim in stack.claims)
        return f"No node has room: {memory} MiB are needed, node {stack.name} has {max(free, 0)} MiB free."
