"""Tell a machine's state and why it is in it."""

from __future__ import annotations

from typing import Any

descr = "Tell a machine's state and why it is in it."
organization = "portalfw"
author = "portalfw"
name = "machinestate"
category = "libvirt"
roles = ()
queue = "hypervisor"
order = 0
timeout = 30
enable = True
startatboot = False
log = True
idempotent = True


def action(name: str) -> dict[str, Any]:
    """Return ``{"name", "state", "reason"}``; state is running, paused, shutoff, crashed, ... or missing."""
    from dataclasses import asdict

    from agent.jumpscript import context
    from sal.hypervisor import Site

    return asdict(Site(context.hypervisor, context.site, context.work).machines.state(name))
