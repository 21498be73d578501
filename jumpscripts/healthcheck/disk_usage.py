"""Look how much room is left: below 20 % free it is a WARNING, below 10 % an ERROR; inodes too."""

from __future__ import annotations

from typing import Any

descr = "Look how much room is left: below 20 % free it is a WARNING, below 10 % an ERROR; inodes too."
organization = "portalfw"
author = "portalfw"
name = "disk_usage"
category = "monitor.healthcheck"
roles = ()
queue = "process"
period = 60
order = 0
timeout = 20
enable = True
startatboot = False
log = False
idempotent = True


def action() -> list[dict[str, Any]]:
    """Return a finding for each file system, and for its inodes."""
    from sal.findings import told
    from sal.findings.space import file_systems, judge_space

    return told(judge_space(file_systems()))
