"""Look for machines, disks, gateways and bridges of this site on the node that nobody knows: each is a WARNING."""

from __future__ import annotations

from typing import Any

descr = "Look for machines, disks, gateways and bridges of this site on the node that nobody knows: each is a WARNING."
organization = "portalfw"
author = "portalfw"
name = "orphans"
category = "monitor.healthcheck"
roles = ("cpunode",)
queue = "hypervisor"
period = 3600
order = 0
timeout = 60
enable = True
startatboot = False
log = False
idempotent = True


def action() -> list[dict[str, Any]]:
    """Return what is here, by name; the platform judges it, since only it knows what ought to be."""
    from agent.jumpscript import context
    from sal.errors import HypervisorError
    from sal.findings import told
    from sal.findings.belongings import belongings, tell_belongings
    from sal.findings.guests import unreachable
    from sal.hypervisor import Site

    try:
        return tell_belongings(belongings(Site(context.hypervisor, context.site, context.work), context.run))
    except HypervisorError as error:
        return told(unreachable(error))
