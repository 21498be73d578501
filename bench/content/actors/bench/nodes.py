"""An actor that makes nodes for simulated agents."""

from __future__ import annotations

import hashlib
import time

from portalfw.controller.documents import ENABLED, Node
from portalfw.rest import Actor, method


class Nodes(Actor, app="bench"):
    """Nodes that are nowhere."""

    @method(right="group:admin")
    def fill(self, count: int) -> int:
        """Make ``count`` enabled nodes with the role ``bench`` and return the first's number."""
        first = Node.next_id()
        rows = [
            {
                "_id": first + number,
                "gid": 1,
                "name": f"bench-{number}",
                "roles": ["bench"],
                "status": ENABLED,
                "created": time.time(),
                "credential_hash": hashlib.sha256(f"node_bench{number}".encode()).hexdigest(),
            }
            for number in range(count)
        ]
        Node.collection().insert_many(rows)
        return int(first)
