"""Compute nodes, for operators: the nodes that carry machines, by their stacks."""

from __future__ import annotations

from typing import Annotated

from actors.cloudbroker import physical
from actors.cloudbroker.arguments import OPERATORS
from actors.cloudbroker.physical import NODES, PhysicalNode
from portalfw.rest import Actor, Listing, method


class ComputeNode(Actor, app="cloudbroker"):
    """What carries machines."""

    @method(right=OPERATORS, readonly=True, http=("GET", "POST"), live=("node", "stack", "machine"))
    def list_(self, gid: int | None = None, *, listing: Annotated[Listing, NODES]) -> list[PhysicalNode]:
        """List the compute nodes, of one location if asked; ``id`` is the stack's."""
        return listing.of_rows(row for row in physical.compute_nodes() if gid in {None, row["gid"]})
