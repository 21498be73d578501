"""Remove a cloudspace's gateway with all that belongs to it."""

from __future__ import annotations

from typing import Any

descr = "Remove a cloudspace's gateway with all that belongs to it."
organization = "portalfw"
author = "portalfw"
name = "removegateway"
category = "network"
roles = ()
queue = "hypervisor"
order = 0
timeout = 120
enable = True
startatboot = False
log = True
idempotent = True


def action(gateway: dict[str, Any]) -> dict[str, Any]:
    """Return ``{"name", "changed", "simulated"}``.

    Params: ``gateway`` is the whole description (`sal.network.GatewaySpec`). Raises `sal.errors.SalError`.
    """
    from dataclasses import asdict

    from agent.jumpscript import context, log
    from sal.exclusive import exclusive
    from sal.network import GatewaySpec, open_gateway

    with exclusive(context.run / "node.lock"):
        result = open_gateway(GatewaySpec.from_json(gateway), context.hypervisor, context.run).remove()
    log.info(f"gateway {result.name} is removed" if result.changed else f"gateway {result.name} was not here")
    return asdict(result)
