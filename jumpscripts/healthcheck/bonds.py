"""Look at the slaves of bonds: one down is a WARNING, all down an ERROR."""

from __future__ import annotations

from typing import Any

descr = "Look at the slaves of bonds: one down is a WARNING, all down an ERROR."
organization = "portalfw"
author = "portalfw"
name = "bonds"
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
    """Return a finding for each bond."""
    from sal.findings import told
    from sal.findings.links import bonds, judge_bonds

    return told(judge_bonds(bonds()))
