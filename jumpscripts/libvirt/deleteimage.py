"""Delete an image from the node."""

from __future__ import annotations

from typing import Any

descr = "Delete an image from the node."
organization = "portalfw"
author = "portalfw"
name = "deleteimage"
category = "libvirt"
roles = ()
queue = "hypervisor"
order = 0
timeout = 120
enable = True
startatboot = False
log = True
idempotent = True


def action(volume: str) -> dict[str, Any]:
    """Return whether there was one (``deleted``). Machines that lean on it must be gone."""
    from agent.jumpscript import context
    from sal.exclusive import exclusive
    from sal.hypervisor import Site

    storage = Site(context.hypervisor, context.site, context.work).storage
    with exclusive(context.run / "node.lock"):
        deleted = storage.delete(volume)
        storage.remove_if_empty()
    return {"volume": volume, "deleted": deleted}
