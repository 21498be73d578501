"""Network links as ``ip`` tells of them, and the commands that change them.

``ip`` is run as a command, with argument lists: it needs no thread or process of ours to enter a namespace.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from sal.command import Command, run


@dataclass(frozen=True)
class Link:
    """A network link: the bridge that it is plugged into, and its IPv4 addresses with prefix."""

    name: str
    up: bool
    master: str | None = None
    addresses: list[str] = field(default_factory=list)


def read_links(namespace: str | None = None) -> dict[str, Link]:
    """Return the links of the node or of a namespace, by name."""
    found: list[dict[str, Any]] = json.loads(run([*ip(namespace), "-json", "address", "show"]) or "[]")
    return {entry["ifname"]: _link(entry) for entry in found if "ifname" in entry}


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


def bridge_commands(name: str, found: Link | None) -> list[Command]:
    """Return what is missing for a bridge without delay and without an address of the node in the machines' network."""
    plan = []
    if found is None:
        plan.append(command("link", "add", "name", name, "address", mac(name), "type", "bridge", "forward_delay", "0"))
        plan.append(command("link", "set", "dev", name, "addrgenmode", "none"))
    if found is None or not found.up:
        plan.append(command("link", "set", "dev", name, "up"))
    return plan


def address_commands(link: str, wanted: list[str], found: Link | None, namespace: str | None = None) -> list[Command]:
    """Return what makes a link have exactly the wanted IPv4 addresses."""
    present = found.addresses if found else []
    plan = [command("address", "del", one, "dev", link, namespace=namespace) for one in present if one not in wanted]
    plan += [command("address", "add", one, "dev", link, namespace=namespace) for one in wanted if one not in present]
    return plan


def _link(entry: dict[str, Any]) -> Link:
    addresses = [
        f"{one['local']}/{one['prefixlen']}" for one in entry.get("addr_info", []) if one.get("family") == "inet"
    ]
    return Link(entry["ifname"], "UP" in entry["flags"], entry.get("master"), addresses)
