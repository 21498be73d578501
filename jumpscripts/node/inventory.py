"""Tell what the node is made of: board, processor, memory, disks, cards, system and packages."""

from __future__ import annotations

from typing import Any

descr = "Tell what the node is made of: board, processor, memory, disks, cards, system and packages."
organization = "portalfw"
author = "portalfw"
name = "inventory"
category = "node"
roles = ()
queue = "default"
period = "0 17 3 * * *"
order = 0
timeout = 60
enable = True
startatboot = False
log = True
idempotent = True


def action() -> dict[str, Any]:
    """Return what `sal.system.inventory` reads."""
    from sal.system.inventory import inventory

    return inventory()
