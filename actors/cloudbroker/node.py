"""Physical nodes, for operators."""

from __future__ import annotations

from typing import Annotated, Any

from actors.cloudbroker import physical
from actors.cloudbroker.arguments import OPERATORS
from portalfw.rest import Actor, Arg, method


class Node(Actor, app="cloudbroker"):
    """The machines under the cloud."""

    @method(right=OPERATORS, readonly=True, http=("GET", "POST"), live=("node", "stack", "machine"))
    def list_(self) -> list[dict[str, Any]]:
        """List all nodes."""
        return physical.nodes({})

    @method(right=OPERATORS, readonly=True, http=("GET", "POST"), live=("node:{nid}", "stack", "machine"))
    def get(self, nid: Annotated[int, Arg("Node", choices="cloudbroker/node/list")]) -> dict[str, Any]:
        """Show one node."""
        return physical.node(nid)
