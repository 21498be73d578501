"""From what a gateway should be and what is there, to the commands that are missing. Nothing here touches the node."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Interface

from sal.command import Command
from sal.errors import NetworkError
from sal.network import firewall, rules
from sal.network.bridges import bridge_commands
from sal.network.links import Link, address_commands, command, inside, mac
from sal.network.namespaces import namespace_commands
from sal.network.spec import INSIDE, OUTSIDE, ExternalSpec, GatewaySpec


@dataclass(frozen=True)
class GatewayFacts:
    """What is there of a gateway: the node's links and rules, and the namespace's own.

    ``stale`` is a namespace whose file is there but which is none any more.
    """

    links: dict[str, Link] = field(default_factory=dict)
    host_forwarding: bool = False
    host_revision: str | None = None
    namespace: bool = False
    stale: bool = False
    own_links: dict[str, Link] = field(default_factory=dict)
    router: str | None = None
    forwarding: bool = False
    revision: str | None = None


def missing(spec: GatewaySpec, facts: GatewayFacts) -> list[Command]:
    """Return the commands that make the gateway as asked; none if it is.

    Raises `NetworkError` if the external network is on the node already under another name.
    """
    outside = _cable(spec, facts, OUTSIDE, spec.outside_link, spec.external.bridge, spec.outside_addresses)
    return [
        *bridge_commands(spec.bridge, facts.links.get(spec.bridge)),
        *bridge_commands(spec.external.bridge, facts.links.get(spec.external.bridge)),
        *(_host_router(spec.external, facts) if spec.external.host_gateway else []),
        *_namespace(spec, facts),
        *_rules(spec, facts),  # before the cables, so that nothing ever passes without them
        *_cable(spec, facts, INSIDE, spec.inside_link, spec.bridge, [spec.inside_address]),
        *outside,
        *_routing(spec, facts, lost=bool(outside)),
    ]


def _host_router(external: ExternalSpec, facts: GatewayFacts) -> list[Command]:
    _refuse_overlap(external, facts)
    plan = address_commands(external.bridge, [str(external.router)], facts.links.get(external.bridge))
    if not facts.host_forwarding:
        plan.append(inside(None, "sysctl", "-qw", "net.ipv4.ip_forward=1"))
    chains = rules.host_rules(external)
    if facts.host_revision != firewall.revision(chains):
        plan.append(firewall.load(external.bridge, chains))
    return plan


def _refuse_overlap(external: ExternalSpec, facts: GatewayFacts) -> None:
    wanted = external.address.network
    for link in facts.links.values():
        for address in link.addresses:
            if link.name != external.bridge and IPv4Interface(address).network.overlaps(wanted):
                raise NetworkError(
                    f"external network {wanted}: this node has {address} on {link.name} already; "
                    "remove that or choose another network"
                )


def _namespace(spec: GatewaySpec, facts: GatewayFacts) -> list[Command]:
    return [] if facts.namespace else namespace_commands(spec.name, None, stale=facts.stale)


def _cable(
    spec: GatewaySpec, facts: GatewayFacts, own: str, host: str, bridge: str, addresses: list[IPv4Interface]
) -> list[Command]:
    """Return what is missing of a pair of links between the namespace and a bridge."""
    plan: list[Command] = []
    host_end, own_end = facts.links.get(host), facts.own_links.get(own)
    if host_end is None or own_end is None:
        if host_end is not None:  # its other end is not where it should be
            plan.append(command("link", "del", "dev", host))
        peer = ("peer", "name", own, "address", mac(f"{spec.name} {own}"), "netns", spec.name)
        plan.append(command("link", "add", "name", host, "type", "veth", *peer))
        plan.append(command("link", "set", "dev", host, "addrgenmode", "none"))
        host_end = own_end = None
    if host_end is None or host_end.master != bridge or not host_end.up:
        plan.append(command("link", "set", "dev", host, "master", bridge, "up"))
    if own_end is None or not own_end.up:
        plan.append(command("link", "set", "dev", own, "up", namespace=spec.name))
    return plan + address_commands(own, [str(address) for address in addresses], own_end, spec.name)


def _rules(spec: GatewaySpec, facts: GatewayFacts) -> list[Command]:
    chains = rules.gateway_rules(spec)
    return [] if facts.revision == firewall.revision(chains) else [firewall.load(rules.TABLE, chains, spec.name)]


def _routing(spec: GatewaySpec, facts: GatewayFacts, *, lost: bool) -> list[Command]:
    """Return what is missing of the way out; it is ``lost`` with a change of the link or address that it leads over."""
    plan: list[Command] = []
    router = str(spec.external.gateway)
    if lost or facts.router != router:
        plan.append(command("route", "replace", "default", "via", router, "dev", OUTSIDE, namespace=spec.name))
    if not facts.forwarding:
        plan.append(inside(spec.name, "sysctl", "-qw", "net.ipv4.ip_forward=1"))
    return plan
