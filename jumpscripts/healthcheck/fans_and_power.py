"""Look at fans and power supplies, by hardware monitors and IPMI: one that does not work is a WARNING."""

from __future__ import annotations

from typing import Any

descr = "Look at fans and power supplies, by hardware monitors and IPMI: one that does not work is a WARNING."
organization = "portalfw"
author = "portalfw"
name = "fans_and_power"
category = "monitor.healthcheck"
roles = ()
queue = "process"
period = 300
order = 0
timeout = 60
enable = True
startatboot = False
log = False
idempotent = True


def action() -> list[dict[str, Any]]:
    """Return a finding for each fan and power supply."""
    from sal.findings import told
    from sal.findings.hardware import fans, judge_parts, managed_parts

    return told(judge_parts([*fans(), *managed_parts()]))
