"""Look whether each gateway has its namespace and dnsmasq (else ERROR) and its way out (else WARNING)."""

from __future__ import annotations

from typing import Any

descr = "Look whether each gateway has its namespace and dnsmasq (else ERROR) and its way out (else WARNING)."
organization = "portalfw"
author = "portalfw"
name = "gateways"
category = "monitor.healthcheck"
roles = ("cpunode",)
queue = "process"
period = 900
order = 0
timeout = 60
enable = True
startatboot = False
log = False
idempotent = True


def action() -> list[dict[str, Any]]:
    """Return a finding for each gateway that was made here."""
    from agent.jumpscript import context
    from sal.findings import told
    from sal.findings.gateways import gateways, judge_gateways

    return told(judge_gateways(gateways(context.site, context.run)))
