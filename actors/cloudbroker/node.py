"""Physical nodes, for operators."""

from __future__ import annotations

from typing import Annotated

from actors.cloudbroker import physical
from actors.cloudbroker.arguments import OPERATORS
from actors.cloudbroker.physical import NODES, PhysicalNode
from portalfw.rest import Actor, Arg, Listing, method


class Node(Actor, app="cloudbroker"):
    """The machines under the cloud."""

    @method(right=OPERATORS, readonly=True, http=("GET", "POST"), live=("node", "stack", "machine"))
    def list_(self, listing: Annotated[Listing, NODES]) -> list[PhysicalNode]:
        """List all nodes."""
        return listing.of_rows(physical.nodes({}))

    @method(right=OPERATORS, readonly=True, http=("GET", "POST"), live=("node:{nid}", "stack", "machine"))
    def get(self, nid: Annotated[int, Arg("Node", choices="cloudbroker/node/list")]) -> PhysicalNode:
        """Show one node."""
        return physical.node(nid)
