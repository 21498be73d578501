"""Compare the node's clock with the controller's: over 1 s apart WARNING, over 10 s ERROR."""

from __future__ import annotations

from typing import Any

descr = "Compare the node's clock with the controller's: over 1 s apart WARNING, over 10 s ERROR."
organization = "portalfw"
author = "portalfw"
name = "clock"
category = "monitor.healthcheck"
roles = ()
queue = "process"
period = 300
order = 0
timeout = 30
enable = True
startatboot = False
log = False
idempotent = True


def action() -> list[dict[str, Any]]:
    """Return what the clock says, which the controller compares with its own."""
    from sal.findings.clock import say_clock
    from sal.system.clock import read_clock

    return say_clock(read_clock())
