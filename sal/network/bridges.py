"""Bridges that machines are plugged into."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sal.command import Command, run
from sal.names import link
from sal.network.links import Link, command, mac, read_links


@dataclass(frozen=True)
class Bridge:
    """A bridge, whether it is up, and the links that are plugged into it, by name."""

    name: str
    up: bool
    ports: list[str]


def read_bridges(namespace: str | None = None) -> dict[str, Bridge]:
    """Return the bridges of the node or of a namespace, by name."""
    return bridges_among(read_links(namespace))


def bridges_among(links: dict[str, Link]) -> dict[str, Bridge]:
    """Return the bridges among links, by name."""
    return {
        one.name: Bridge(one.name, one.up, sorted(other.name for other in links.values() if other.master == one.name))
        for one in links.values()
        if one.kind == "bridge"
    }


def bridge_commands(name: str, found: Link | None) -> list[Command]:
    """Return what is missing for a bridge without delay and without an address of the node in the machines' network."""
    plan = []
    if found is None:
        plan.append(command("link", "add", "name", name, "address", mac(name), "type", "bridge", "forward_delay", "0"))
        plan.append(command("link", "set", "dev", name, "addrgenmode", "none"))
    if found is None or not found.up:
        plan.append(command("link", "set", "dev", name, "up"))
    return plan


def ensure_bridge(name: str) -> bool:
    """Make a bridge and bring it up; return whether anything had to change."""
    plan = bridge_commands(link(name), read_links().get(name))
    for one in plan:
        one.run()
    return bool(plan)


def remove_bridge_if_unused(name: str) -> bool:
    """Remove a bridge that nothing is plugged into; return whether it was removed."""
    links = read_links()
    if name not in links or any(one.master == name for one in links.values()):
        return False
    run(["ip", "link", "del", "dev", name])
    return True


@contextmanager
def bridges(names: Iterable[str]) -> Iterator[None]:
    """Have these bridges within the block and after it; if it fails, those that nothing uses are removed."""
    wanted = sorted(set(names))
    try:
        for name in wanted:
            ensure_bridge(name)
        yield
    except BaseException:
        for name in wanted:
            remove_bridge_if_unused(name)
        raise
