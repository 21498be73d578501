"""Tell the states of all machines of this site on the node."""

from __future__ import annotations

from typing import Any

descr = "Tell the states of all machines of this site on the node."
organization = "portalfw"
author = "portalfw"
name = "listmachines"
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
    """Return ``{"name", "state", "reason"}`` of each, by name."""
    from dataclasses import asdict

    from agent.jumpscript import context
    from sal.hypervisor import Site

    site = Site(context.hypervisor, context.site, context.work)
    return [asdict(state) for state in site.machines.states()]
