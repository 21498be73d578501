"""VXLAN: a network of machines that spans nodes, carried in UDP between them (RFC 7348).

Each node has one end of it, plugged into the bridge of its machines, and knows the other nodes' addresses, to which it
sends what goes to everybody. Where a machine is, the ends learn by themselves, also when it has moved.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass as checked_dataclass

from sal.command import Command, apply, run
from sal.names import link
from sal.network.links import Link, command, link_commands, parse_links

#: The port that IANA gave to VXLAN; the kernel's own default is another, older one.
PORT: Final = 4789
#: What VXLAN adds to each packet over IPv4, in bytes: Ethernet, IP, UDP, VXLAN.
OVERHEAD: Final = 50
_EVERYBODY: Final = "00:00:00:00:00:00"


@checked_dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class VxlanSpec:
    """A node's end of network ``vni``.

    ``local`` is this node's address towards the others, ``peers`` theirs. ``mtu`` in bytes: the link between the nodes
    must carry `OVERHEAD` more.
    """

    name: str
    vni: Annotated[int, Field(ge=1, lt=1 << 24)]
    local: IPv4Address
    peers: list[IPv4Address] = field(default_factory=list)
    bridge: str | None = None
    port: Annotated[int, Field(ge=1, le=65535)] = PORT
    mtu: Annotated[int, Field(ge=576, le=65485)] = 1500

    def __post_init__(self) -> None:
        """Refuse names that the kernel would not take."""
        link(self.name)


@dataclass(frozen=True)
class Vxlan:
    """A node's end of a VXLAN as it is; ``peers`` are the addresses that get what goes to everybody."""

    link: Link
    vni: int
    local: str
    port: int
    peers: list[str]


def read_vxlans(namespace: str | None = None) -> dict[str, Vxlan]:
    """Return the ends of VXLANs on the node or in a namespace, by name."""
    links = run([*_tool("ip", namespace), "-details", "address", "show", "type", "vxlan"])
    return parse_vxlans(links, run([*_tool("bridge", namespace), "fdb", "show"])) if "vxlan" in links else {}


def parse_vxlans(links: str, entries: str) -> dict[str, Vxlan]:
    """Read what ``ip -json -details address show type vxlan`` and ``bridge -json fdb show`` print."""
    details: dict[str, dict[str, Any]] = {
        entry["ifname"]: entry["linkinfo"]["info_data"] for entry in json.loads(links) if entry.get("linkinfo")
    }
    peers: dict[str, list[str]] = {name: [] for name in details}
    for entry in json.loads(entries or "[]"):
        if entry["mac"] == _EVERYBODY and "dst" in entry and entry["ifname"] in peers:
            peers[entry["ifname"]].append(entry["dst"])
    return {
        name: Vxlan(one, details[name]["id"], details[name].get("local", ""), details[name]["port"], peers[name])
        for name, one in parse_links(links).items()
        if name in details
    }


def vxlan_commands(spec: VxlanSpec, found: Vxlan | None, namespace: str | None = None) -> list[Command]:
    """Return what is missing of a node's end.

    One with another number, address or port is made anew: the kernel does not change these.
    """
    plan, wanted = [], (spec.vni, str(spec.local), spec.port)
    if found is not None and (found.vni, found.local, found.port) != wanted:
        plan.append(command("link", "del", "dev", spec.name, namespace=namespace))
        found = None
    if found is None:
        kind = ("type", "vxlan", "id", str(spec.vni), "local", str(spec.local), "dstport", str(spec.port))
        plan.append(command("link", "add", "name", spec.name, "mtu", str(spec.mtu), *kind, namespace=namespace))
        plan.append(command("link", "set", "dev", spec.name, "addrgenmode", "none", namespace=namespace))
    there = found.link if found else Link(spec.name, up=False, mtu=spec.mtu)
    present = set(found.peers if found else ())
    peers = {str(one) for one in spec.peers}
    plan += [_peer(namespace, "append", spec.name, one) for one in sorted(peers - present)]
    plan += [_peer(namespace, "del", spec.name, one) for one in sorted(present - peers)]
    return plan + link_commands(there, namespace, mtu=spec.mtu, master=spec.bridge)


def ensure_vxlan(spec: VxlanSpec, namespace: str | None = None) -> list[str]:
    """Make a node's end of a VXLAN as asked; return what was changed. Its bridge must be there."""
    return apply(vxlan_commands(spec, read_vxlans(namespace).get(spec.name), namespace))


def remove_vxlan(name: str, namespace: str | None = None) -> list[str]:
    """Remove a node's end of a VXLAN; return what was changed."""
    there = name in read_vxlans(namespace)
    return apply([command("link", "del", "dev", name, namespace=namespace)] if there else [])


def _peer(namespace: str | None, verb: str, name: str, address: str) -> Command:
    place = ("-netns", namespace) if namespace else ()
    return Command(("bridge", *place, "fdb", verb, _EVERYBODY, "dev", name, "dst", address))


def _tool(name: str, namespace: str | None) -> list[str]:
    return [name, *(["-netns", namespace] if namespace else []), "-json"]
