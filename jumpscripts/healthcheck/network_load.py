"""Measure each network card's load: over 80 % of its speed WARNING, over 90 % ERROR."""

from __future__ import annotations

from typing import Any

descr = "Measure each network card's load: over 80 % of its speed WARNING, over 90 % ERROR."
organization = "portalfw"
author = "portalfw"
name = "network_load"
category = "monitor.healthcheck"
roles = ()
queue = "process"
period = 180
order = 0
timeout = 60
enable = True
startatboot = False
log = False
idempotent = True


def action() -> list[dict[str, Any]]:
    """Return a finding for each card."""
    from sal.findings import told
    from sal.findings.links import judge_link_loads, link_loads

    return told(judge_link_loads(link_loads()))
