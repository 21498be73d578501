"""Read what the logs of guests have said since the last look: a line that tells of an error is a WARNING."""

from __future__ import annotations

from typing import Any

descr = "Read what the logs of guests have said since the last look: a line that tells of an error is a WARNING."
organization = "portalfw"
author = "portalfw"
name = "guest_logs"
category = "monitor.healthcheck"
roles = ("cpunode",)
queue = "process"
period = 300
order = 0
timeout = 60
enable = True
startatboot = False
log = False
idempotent = True


def action() -> list[dict[str, Any]]:
    """Return a finding for each guest that has a log."""
    from agent.jumpscript import context
    from sal.findings import told
    from sal.findings.guests import judge_lines, new_lines

    return told(judge_lines(new_lines(f"{context.site}-m", context.work / "guest-logs.json")))
