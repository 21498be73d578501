"""Make a cloudspace's gateway as the given description says."""

from __future__ import annotations

from typing import Any

descr = "Make a cloudspace's gateway as the given description says."
organization = "portalfw"
author = "portalfw"
name = "deploygateway"
category = "network"
roles = ()
queue = "hypervisor"
order = 0
timeout = 120
enable = True
startatboot = False
log = True
idempotent = True
daemons = True  # dnsmasq


def action(gateway: dict[str, Any]) -> dict[str, Any]:
    """Return ``{"name", "changed", "simulated"}``.

    Params: ``gateway`` is the whole description (`sal.network.GatewaySpec`). Raises `sal.errors.SalError`.
    """
    from dataclasses import asdict

    from agent.jumpscript import context, log
    from sal.exclusive import exclusive
    from sal.network import GatewaySpec, open_gateway

    with exclusive(context.run / "node.lock"):
        result = open_gateway(GatewaySpec.from_json(gateway), context.hypervisor, context.run).apply()
    log.info(
        f"gateway {result.name} is as described now"
        if result.changed
        else f"gateway {result.name} was as described already"
    )
    return asdict(result)
