"""Measure packets of each guest: over 8,000 a second WARNING, over 10,000 ERROR."""

from __future__ import annotations

from typing import Any

descr = "Measure packets of each guest: over 8,000 a second WARNING, over 10,000 ERROR."
organization = "portalfw"
author = "portalfw"
name = "guest_packets"
category = "monitor.healthcheck"
roles = ("cpunode",)
queue = "hypervisor"
period = 180
order = 0
timeout = 60
enable = True
startatboot = False
log = False
idempotent = True


def action() -> list[dict[str, Any]]:
    """Return a finding for each guest that runs."""
    from agent.jumpscript import context
    from sal.errors import HypervisorError
    from sal.findings import told
    from sal.findings.guests import judge_packet_rates, packet_rates, unreachable
    from sal.hypervisor import Hypervisor

    try:
        return told(judge_packet_rates(packet_rates(Hypervisor(context.hypervisor), f"{context.site}-m")))
    except HypervisorError as error:
        return told(unreachable(error))
