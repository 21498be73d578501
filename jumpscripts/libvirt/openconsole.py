"""Carry a machine's screen to whoever looks at it in the portal."""

from __future__ import annotations

from typing import Any

descr = "Carry a machine's screen to whoever looks at it in the portal."
organization = "portalfw"
author = "portalfw"
name = "openconsole"
category = "libvirt"
roles = ()
queue = "console"
order = 0
timeout = 44000
enable = True
startatboot = False
log = True
idempotent = False


def action(name: str, tunnel: str) -> dict[str, Any]:
    """Return ``{"problem": why it could not be shown}``, or what was carried and the machine's state afterwards.

    Params: ``tunnel`` is the id under which the portal waits. A machine that is off, or has no screen, is no failure.
    """
    from dataclasses import asdict

    from agent.jumpscript import context, log
    from sal.errors import SalError
    from sal.hypervisor import Site

    machines = Site(context.hypervisor, context.site, context.work).machines
    try:
        screen = machines.screen(name)
    except SalError as error:
        return {"problem": str(error)}
    log.info(f"the screen of machine {name} is shown")
    carried = context.carry(tunnel, screen)
    state = machines.state(name)
    log.info(f"after {carried.seconds:.0f} s and {carried.sent} bytes machine {name} is {state.state}")
    return {**asdict(carried), "state": state.state, "reason": state.reason}
