"""Descriptions of machines and gateways for tests, as jobs carry them."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any, Final

TOOL: Final = Path(__file__).parents[2] / "tools" / "guest-image"
MAC = "52:54:00:5a:17:01"
NETWORK = "192.168.203"
EXTERNAL = "172.30.203"


def machine(prefix: str, *, image: str | None = None, nic: bool = False, **changes: Any) -> dict[str, Any]:
    """Return a small machine with one disk."""
    nics = [{"bridge": f"{prefix}-b4", "mac": MAC, "ip": f"{NETWORK}.254"}] if nic else []
    return {
        "name": f"{prefix}-m1",
        "uuid": str(uuid.uuid4()),
        "memory": 128,
        "vcpus": 1,
        "hostname": "web-1",
        "disks": [{"volume": f"{prefix}-d1", "size": 1, "image": image, "boot": True}],
        "nics": nics,
        "seed": {"hostname": "web-1", "user": "admin", "password": "not: 'simple\"", "userdata": None},
        **changes,
    }


def gateway(prefix: str, **changes: Any) -> dict[str, Any]:
    """Return a gateway that forwards one port to the machine."""
    return {
        "name": f"{prefix}-g4",
        "bridge": f"{prefix}-b4",
        "network": f"{NETWORK}.0/24",
        "address": f"{NETWORK}.1",
        "external": {
            "bridge": f"{prefix}-x1",
            "address": f"{EXTERNAL}.20/24",
            "gateway": f"{EXTERNAL}.1",
            "host_gateway": True,
        },
        "leases": [{"mac": MAC, "ip": f"{NETWORK}.254", "hostname": "web-1"}],
        "forwards": [forward(8080)],
        **changes,
    }


def forward(port: int) -> dict[str, Any]:
    """Return a forward of a public port to the machine's port 80."""
    ends = {"public_ip": f"{EXTERNAL}.20", "public_port": port, "local_ip": f"{NETWORK}.254", "local_port": 80}
    return {"protocol": "tcp", **ends}
