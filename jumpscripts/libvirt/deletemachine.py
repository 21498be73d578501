"""Delete a machine with its disks."""

from __future__ import annotations

from typing import Any

descr = "Delete a machine with its disks."
organization = "portalfw"
author = "portalfw"
name = "deletemachine"
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
    """Return whether there was a machine (``deleted``) and which volumes went; bridges that nothing uses go too.

    Params: ``machine`` is the whole description (`sal.hypervisor.MachineSpec`).
    """
    from agent.jumpscript import context, log
    from sal.exclusive import exclusive
    from sal.hypervisor import MachineSpec, Site
    from sal.network import remove_bridge_if_unused

    spec = MachineSpec.from_json(machine)
    site = Site(context.hypervisor, context.site, context.work)
    with exclusive(context.run / "node.lock"):
        plugged = site.machines.bridges(spec.name) | {nic.bridge for nic in spec.nics}
        deleted = site.machines.delete(spec.name)
        volumes = [disk.volume for disk in spec.disks if site.storage.delete(disk.volume)]
        site.storage.remove_if_empty()
        for bridge in sorted(plugged) if not site.simulated else ():
            remove_bridge_if_unused(bridge)
    log.info(
        f"machine {spec.name}: {'deleted' if deleted else 'was not here'}, volumes: {', '.join(volumes) or 'none'}"
    )
    return {"name": spec.name, "deleted": deleted, "volumes": volumes}
