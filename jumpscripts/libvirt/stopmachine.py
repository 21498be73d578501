"""Stop a machine: by its power button, then by its power."""

from __future__ import annotations

from typing import Any

descr = "Stop a machine: by its power button, then by its power."
organization = "portalfw"
author = "portalfw"
name = "stopmachine"
category = "libvirt"
roles = ()
queue = "hypervisor"
order = 0
timeout = 300
enable = True
startatboot = False
log = True
idempotent = True


def action(name: str, force: bool = False, grace: float = 60.0) -> dict[str, Any]:
    """Return the machine's state; ``missing`` if the node has none of that name.

    Params: ``grace`` is how many seconds the guest gets to shut down; ``force`` cuts its power at once.
    """
    from dataclasses import asdict

    from agent.jumpscript import context, log
    from sal.hypervisor import Site

    site = Site(context.hypervisor, context.site, context.work)
    state = site.machines.stop(name, force=force, timeout=grace)
    log.info(f"machine {name} is {state.state} ({state.reason})")
    return asdict(state)
