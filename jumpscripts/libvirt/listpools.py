"""Tell the storage pools of the node, how full they are and what lies in them."""

from __future__ import annotations

from typing import Any

descr = "Tell the storage pools of the node, how full they are and what lies in them."
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
    """Return what `sal.hypervisor.storage.Pool` says of each, by name, and as ``contents`` its volumes."""
    from dataclasses import asdict

    from agent.jumpscript import context
    from sal.hypervisor import Hypervisor, list_pools, list_volumes

    hypervisor = Hypervisor(context.hypervisor)
    return [
        {**asdict(pool), "contents": [asdict(one) for one in list_volumes(hypervisor, pool.name)]}
        for pool in list_pools(hypervisor)
    ]
