"""Network links as ``ip`` tells of them, and the commands that change them.

``ip`` is run as a command, with argument lists: it needs no thread or process of ours to enter a namespace.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from ipaddress import IPv4Interface
from typing import Any

from sal import names
from sal.command import Command, apply, run
from sal.errors import LinkMissingError, SpecError


@dataclass(frozen=True)
class Link:
    """A network link: the bridge that it is plugged into, and its IPv4 addresses with prefix.

    ``kind`` is the driver's (``veth``, ``bridge``, ``vxlan``, ``tun``), empty for a card; ``mtu`` in bytes.
    """

    name: str
    up: bool
    master: str | None = None
    addresses: list[str] = field(default_factory=list)
    kind: str = ""
    mac: str = ""
    mtu: int = 0


def read_links(namespace: str | None = None) -> dict[str, Link]:
    """Return the links of the node or of a namespace, by name."""
    return parse_links(run([*ip(namespace), "-json", "-details", "address", "show"]))


def parse_links(text: str) -> dict[str, Link]:
    """Read what ``ip -json -details address show`` prints."""
    found: list[dict[str, Any]] = json.loads(text or "[]")
    return {entry["ifname"]: _link(entry) for entry in found if "ifname" in entry}


def link_commands(
    found: Link,
    namespace: str | None = None,
    *,
    up: bool = True,
    mtu: int | None = None,
    master: str | None = None,
    addresses: list[str] | None = None,
) -> list[Command]:
    """Return what a link lacks of what is asked; what is None stays as it is."""
    plan = []
    if mtu not in {None, found.mtu}:
        plan.append(command("link", "set", "dev", found.name, "mtu", str(mtu), namespace=namespace))
    if master not in {None, found.master}:
        plan.append(command("link", "set", "dev", found.name, "master", str(master), namespace=namespace))
    if found.up != up:
        plan.append(command("link", "set", "dev", found.name, "up" if up else "down", namespace=namespace))
    return plan if addresses is None else plan + address_commands(found.name, addresses, found, namespace)


def cable_commands(name: str, peer: str, namespace: str | None, found: Link | None) -> list[Command]:
    """Return what is missing of a pair of links (veth), one end of it, ``peer``, in a namespace or on the node."""
    if found is not None:
        return []
    place = ("netns", namespace) if namespace else ()
    return [command("link", "add", "name", name, "type", "veth", "peer", "name", peer, *place)]


def ensure_cable(name: str, peer: str, namespace: str | None = None) -> list[str]:
    """Lay a cable between the node and a namespace, unless its end ``name`` is there; return what was changed."""
    return apply(cable_commands(names.link(name), names.link(peer), namespace, read_links().get(name)))


def ensure_link(
    name: str,
    namespace: str | None = None,
    *,
    up: bool = True,
    mtu: int | None = None,
    master: str | None = None,
    addresses: list[str] | None = None,
) -> list[str]:
    """Set up a link that is there; return what was changed. What is None stays as it is.

    Params: ``mtu`` in bytes; ``master`` the bridge to plug it into; ``addresses`` exactly those IPv4 addresses
    (``10.1.2.3/24``) that it shall have. Raises `sal.errors.LinkMissingError`, and `sal.errors.SpecError` for an
    address that is none.
    """
    try:
        exact = None if addresses is None else [str(IPv4Interface(one)) for one in addresses]
    except ValueError as error:
        raise SpecError(f"link {name}: {error}") from error
    found = read_links(namespace)
    if name not in found:
        raise LinkMissingError(f"link {name}: not {f'in namespace {namespace}' if namespace else 'on this node'}")
    return apply(link_commands(found[name], namespace, up=up, mtu=mtu, master=master, addresses=exact))


def remove_link(name: str, namespace: str | None = None) -> list[str]:
    """Remove a link, of a cable both ends; return what was changed."""
    if name not in read_links(namespace):
        return []
    return apply([command("link", "del", "dev", name, namespace=namespace)])


def ip(namespace: str | None = None) -> list[str]:
    """Return the start of an ``ip`` command in a namespace."""
    return ["ip", "-netns", namespace] if namespace else ["ip"]


def command(*args: str, namespace: str | None = None) -> Command:
    """Return an ``ip`` command."""
    return Command((*ip(namespace), *args))


def inside(namespace: str | None, *args: str, text: str | None = None) -> Command:
    """Return any command, to be run in a namespace; None is the node itself."""
    return Command((*(("ip", "netns", "exec", namespace) if namespace else ()), *args), text)


def mac(name: str) -> str:
    """Return a hardware address that belongs to a name, so that neighbours still know a link that is made anew."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return ":".join(["02", *(digest[place : place + 2] for place in range(0, 10, 2))])


def address_commands(link: str, wanted: list[str], found: Link | None, namespace: str | None = None) -> list[Command]:
    """Return what makes a link have exactly the wanted IPv4 addresses."""
    present = found.addresses if found else []
    plan = [command("address", "del", one, "dev", link, namespace=namespace) for one in present if one not in wanted]
    plan += [command("address", "add", one, "dev", link, namespace=namespace) for one in wanted if one not in present]
    return plan


def _link(entry: dict[str, Any]) -> Link:
    return Link(
        name=entry["ifname"],
        up="UP" in entry["flags"],
        master=entry.get("master"),
        addresses=[
            f"{one['local']}/{one['prefixlen']}" for one in entry.get("addr_info", []) if one.get("family") == "inet"
        ],
        kind=entry.get("linkinfo", {}).get("info_kind", ""),
        mac=entry.get("address", ""),
        mtu=entry.get("mtu", 0),
    )
