"""Count threads (18,000 WARNING, 20,000 ERROR) and, with under 20 % of memory left, swap in use (10 and 14 GiB)."""

from __future__ import annotations

from typing import Any

descr = "Count threads (18,000 WARNING, 20,000 ERROR) and, with under 20 % of memory left, swap in use (10 and 14 GiB)."
organization = "portalfw"
author = "portalfw"
name = "threads_and_swap"
category = "monitor.healthcheck"
roles = ()
queue = "process"
period = 900
order = 0
timeout = 60
enable = True
startatboot = False
log = False
idempotent = True


def action() -> list[dict[str, Any]]:
    """Return a finding for threads and one for swap."""
    from sal.findings import told
    from sal.findings.processes import judge_load, load

    return told(judge_load(load()))
