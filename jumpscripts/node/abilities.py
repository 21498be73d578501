"""Tell which machines and networks the node can really run."""

from __future__ import annotations

from typing import Any

descr = "Tell which machines and networks the node can really run."
organization = "portalfw"
author = "portalfw"
name = "abilities"
category = "node"
roles = ()
queue = "default"
order = 0
timeout = 60
enable = True
startatboot = False
log = True
idempotent = True


def action() -> dict[str, Any]:
    """Return ``hypervisor`` (uri, kind, accelerator proof) and ``network``, which is real or simulated."""
    from dataclasses import asdict

    from agent.jumpscript import context
    from sal.hypervisor import Hypervisor, remembered_proof
    from sal.hypervisor.site import PROOF
    from sal.network import real_network_possible

    hypervisor = Hypervisor(context.hypervisor)
    proof = None if hypervisor.simulated else asdict(remembered_proof(context.work / PROOF))
    real = not hypervisor.simulated and real_network_possible()
    return {
        "hypervisor": {"uri": hypervisor.uri, "kind": hypervisor.kind, "accelerator": proof},
        "network": "real" if real else "simulated",
    }
