"""Read temperatures: of processors and boards against their sensors' limits, of disks 60 °C WARNING and 70 °C ERROR."""

from __future__ import annotations

from typing import Any

descr = (
    "Read temperatures: of processors and boards against their sensors' limits, of disks 60 °C WARNING and 70 °C ERROR."
)
organization = "portalfw"
author = "portalfw"
name = "temperature"
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
    """Return a finding for each sensor."""
    from sal.findings import told
    from sal.findings.hardware import judge_temperatures, temperatures

    return told(judge_temperatures(temperatures()))
