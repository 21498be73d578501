"""Look at software RAID: a member that is missing is an ERROR, rebuilding a WARNING."""

from __future__ import annotations

from typing import Any

descr = "Look at software RAID: a member that is missing is an ERROR, rebuilding a WARNING."
organization = "portalfw"
author = "portalfw"
name = "raid"
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
    """Return a finding for each array."""
    from pathlib import Path

    from sal.findings import told
    from sal.findings.hardware import arrays, judge_arrays

    file = Path("/proc/mdstat")
    return told(judge_arrays(arrays(file.read_text() if file.exists() else "")))
