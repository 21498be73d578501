"""Tell the storage pools of the node and how full they are."""

from __future__ import annotations

from typing import Any

descr = "Tell the storage pools of the node and how full they are."
organization = "portalfw"
author = "portalfw"
name = "listpools"
category = "libvirt"
roles = ()
queue = "hypervisor"
order = 0
timeout = 30
enable = True
startatboot = False
log = False
idempotent = True


def action() -> list[dict[str, Any]]:
    """Return what `sal.hypervisor.storage.Pool` says of each, by name."""
    from dataclasses import asdict

    from agent.jumpscript import context
    from sal.hypervisor import Hypervisor, list_pools

    return [asdict(pool) for pool in list_pools(Hypervisor(context.hypervisor))]
