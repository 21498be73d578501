"""Tell the processes of the node, those with most memory first."""

from __future__ import annotations

from typing import Any

descr = "Tell the processes of the node, those with most memory first."
organization = "portalfw"
author = "portalfw"
name = "processes"
category = "node"
roles = ()
queue = "default"
order = 0
timeout = 30
enable = True
startatboot = False
log = False
idempotent = True


def action(most: int = 500) -> list[dict[str, Any]]:
    """Return what `sal.system.processes.Process` says of each, with the command as one text; ``most`` of them."""
    from dataclasses import asdict

    from sal.system.processes import read_processes

    found = sorted(read_processes(), key=lambda one: (-one.memory, one.pid))
    return [asdict(one) | {"command": " ".join(one.command)[:500]} for one in found[:most]]
