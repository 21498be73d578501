"""Make a machine with its disks and seed, and start it."""

from __future__ import annotations

from typing import Any

descr = "Make a machine with its disks and seed, and start it."
organization = "portalfw"
author = "portalfw"
name = "createmachine"
category = "libvirt"
roles = ()
queue = "hypervisor"
order = 0
timeout = 120
enable = True
startatboot = False
log = True
idempotent = True
secrets = ("machine.seed.userdata",)


def action(machine: dict[str, Any]) -> dict[str, Any]:
    """Return the machine's state. What exists already stays; when something fails, what this call made is removed.

    Params: ``machine`` is the whole description (`sal.hypervisor.MachineSpec`). Raises `sal.errors.SalError`.
    """
    from dataclasses import asdict

    from agent.jumpscript import context, log
    from sal.exclusive import exclusive
    from sal.hypervisor import MachineSpec, Site
    from sal.network import bridges

    spec = MachineSpec.from_json(machine)
    site = Site(context.hypervisor, context.site, context.work)
    shared = bridges(() if site.simulated else (nic.bridge for nic in spec.nics))
    with exclusive(context.run / "node.lock"), shared:
        state = site.machines.create(spec)
    log.info(f"machine {spec.name} is {state.state} ({state.reason})")
    return asdict(state)
