"""The cloud's view of the physical nodes: who is there, and how to have something done by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from actors.cloud.models import Stack
from actors.cloud.names import Names
from portalfw.controller.documents import Node, site_prefix
from portalfw.errors import UnavailableError

if TYPE_CHECKING:
    from portalfw.runtime import Runtime

#: Seconds that a job may wait for its node. A node does one thing after the other on its hypervisor, and a guest that
#: is asked to shut down may keep the others waiting for half a minute.
EXPIRES = 90.0
#: Seconds that the answer may be late after the script's own limit.
GRACE = 10.0


class Nodes:
    """Runs JumpScripts on nodes that are there."""

    def __init__(self, runtime: Runtime) -> None:
        """Bind to the process's way to the nodes."""
        self._dal = runtime.dal
        self.names = Names(site_prefix())

    def rows(self, **query: Any) -> list[dict[str, Any]]:
        """Return the nodes, with what their agents told of them."""
        return Node.rows(query)

    def of_stack(self, stack_id: int) -> int:
        """Return the id of the node behind a stack."""
        return int(Stack.get(stack_id).reference_id)

    def connected(self, node_id: int) -> bool:
        """Tell whether the node's agent is there."""
        return bool(Node.rows({"_id": node_id, "connected": True}, fields=["_id"]))

    def run(
        self, node_id: int, script: str, *, timeout: float, note: Callable[[int], None] | None = None, **arguments: Any
    ) -> Any:
        """Run a JumpScript and return its result.

        :param timeout: seconds that the script may take.
        :param note: told the id of the job.
        :raises UnavailableError: if the node is away, without waiting.
        :raises JobFailedError: if the job did not end well; the message says why.
        """
        node = next(iter(Node.rows({"_id": node_id}, fields=["name", "connected", "status"])), None)
        if node is None or not node.get("connected"):
            name = node["name"] if node else node_id
            raise UnavailableError(
                f"Node {name} is away: its agent does not answer. Start the agent there, then try again."
            )
        job = self._dal.node(node_id).submit(script, timeout=timeout, expires=EXPIRES, **arguments)
        if note is not None:
            note(job.id)
        with job.of_this_call():
            return job.result(timeout + EXPIRES + GRACE)
