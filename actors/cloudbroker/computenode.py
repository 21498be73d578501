"""Compute nodes, for operators: the nodes that carry machines, by their stacks."""

from __future__ import annotations

from typing import Any

from actors.cloudbroker import physical
from actors.cloudbroker.arguments import OPERATORS
from portalfw.rest import Actor, method


class ComputeNode(Actor, app="cloudbroker"):
    """What carries machines."""

    @method(right=OPERATORS, readonly=True, http=("GET", "POST"), live=("node", "stack", "machine"))
    def list_(self, gid: int | None = None) -> list[dict[str, Any]]:
        """List the compute nodes, of one location if asked; ``id`` is the stack's."""
        return [row for row in physical.compute_nodes() if gid in {None, row["gid"]}]
