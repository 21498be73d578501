"""Real or simulated: which gateway a node's hypervisor calls for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from sal.host import tools
from sal.hypervisor.connection import Hypervisor
from sal.network.gateway import Gateway
from sal.network.simulated import SimulatedGateway
from sal.network.spec import GatewaySpec

_TOOLS: Final = frozenset({"dnsmasq", "ip", "nft", "sysctl"})


def open_gateway(spec: GatewaySpec, hypervisor: str, run_folder: Path) -> Gateway | SimulatedGateway:
    """Return the gateway beside the machines of ``hypervisor`` (an address): simulated machines get a simulated one."""
    connection = Hypervisor(hypervisor)
    return SimulatedGateway(spec, connection) if connection.simulated else Gateway(spec, run_folder)


def real_network_possible() -> bool:
    """Tell whether bridges, namespaces and gateways can really be made here: by root, with the tools installed."""
    return os.geteuid() == 0 and tools().keys() >= _TOOLS
