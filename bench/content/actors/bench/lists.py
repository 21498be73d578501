"""An actor that measures what a page of a long list costs the server."""

from __future__ import annotations

import time
from typing import Any

from actors.cloud.models import Machine
from portalfw.rest import Actor, method
from portalfw.rest.answers import encoded

LIST = "cloudbroker/machine/list"


class Lists(Actor, app="bench"):
    """Long lists."""

    @method(right="group:admin")
    def fill(self, count: int) -> int:
        """Make documents of ``count`` machines and of a quarter as many gone ones; nothing of them is on a node."""
        Machine.collection().insert_many(_machine(number) for number in range(count * 5 // 4))
        return count

    @method(right="group:admin")
    def times(self, wish: dict[str, Any], count: int) -> list[float]:
        """Return the milliseconds of ``count`` calls of the machines' list: from arguments to JSON, without HTTP."""
        found = []
        for _ in range(count):
            began = time.perf_counter()
            encoded(self.runtime.dispatcher.call(self.call.principal, LIST, wish))
            found.append((time.perf_counter() - began) * 1000)
        return found


def _machine(number: int) -> dict[str, Any]:
    gone = number % 5 == 4  # every fifth
    now = time.time()
    return {
        "_id": 1_000_000 + number,
        "name": f"{('web', 'db', 'cache')[number % 3]}-{number}",
        "hostname": f"host-{number}",
        "description": "",
        "account_id": 1,
        "cloudspace_id": 1 + number % 200,
        "acl": [],
        "image_id": 1,
        "size_id": 1,
        "memory": 512 * (1 + number % 8),
        "vcpus": 1 + number % 4,
        "nics": [
            {
                "type": "bridge",
                "network_id": 1,
                "device_name": f"bench{number}",
                "mac_address": "52:54:00:00:00:01",
                "ip_address": f"10.{number // 62500}.{number // 250 % 250}.{number % 250}",
            }
        ],
        "accounts": [],
        "reference_id": f"00000000-0000-4000-8000-{number:012d}",
        "status": "DESTROYED" if gone else "HALTED",
        "status_reason": "",
        "live": not gone,
        "creation_time": now - number,
        "update_time": now - number,
        "deletion_time": now if gone else 0.0,
    }
