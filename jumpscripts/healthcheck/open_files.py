"""Look whether the node or a process comes close to its limit of open files: over 80 % WARNING, over 90 % ERROR."""

from __future__ import annotations

from typing import Any

descr = "Look whether the node or a process comes close to its limit of open files: over 80 % WARNING, over 90 % ERROR."
organization = "portalfw"
author = "portalfw"
name = "open_files"
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
    """Return a finding for the node, and for each process that is close."""
    from sal.findings import told
    from sal.findings.processes import judge_open_files, open_files

    return told(judge_open_files(open_files()))
