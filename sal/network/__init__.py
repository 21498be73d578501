"""A node's networks: bridges that machines are plugged into, and gateways that join them to the world.

A `Gateway` is a network namespace between the bridge of a cloudspace and the bridge of an external network; it
translates addresses (nftables), and answers DHCP and DNS (dnsmasq).
"""

from sal.network.bridges import bridges, ensure_bridge, remove_bridge_if_unused
from sal.network.gateway import Gateway
from sal.network.opening import open_gateway, real_network_possible
from sal.network.simulated import SimulatedGateway
from sal.network.spec import ExternalSpec, ForwardSpec, GatewaySpec, LeaseSpec

__all__ = [
    "ExternalSpec",
    "ForwardSpec",
    "Gateway",
    "GatewaySpec",
    "LeaseSpec",
    "SimulatedGateway",
    "bridges",
    "ensure_bridge",
    "open_gateway",
    "real_network_possible",
    "remove_bridge_if_unused",
]
