"""Network namespaces with a name: which there are, what runs in them, making and removing them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sal.command import Command, apply, run
from sal.errors import CommandError
from sal.names import checked
from sal.network.links import Link, command, read_links
from sal.system.processes import end

#: Where iproute2 keeps a file for each name.
FOLDER: Final = Path("/run/netns")


def read_namespaces(folder: Path = FOLDER) -> list[str]:
    """Return the names of namespaces, also of those that are stale (`links_within` tells)."""
    return sorted(file.name for file in folder.iterdir()) if folder.exists() else []


def links_within(name: str) -> dict[str, Link] | None:
    """Return the links of a namespace, None if there is none behind the name, as after the mount was lost."""
    if not (FOLDER / name).exists():
        return None
    try:
        return read_links(name)
    except CommandError:
        return None


def namespace_commands(name: str, found: dict[str, Link] | None, *, stale: bool = False) -> list[Command]:
    """Return what is missing of a namespace whose loopback is up.

    Params: ``found`` its links, None if there is no such namespace; ``stale`` whether a file of it is left over.
    """
    plan = []
    if found is None:
        plan += [command("netns", "delete", name)] if stale else []
        plan.append(command("netns", "add", name))
    if found is None or not found["lo"].up:
        plan.append(command("link", "set", "dev", "lo", "up", namespace=name))
    return plan


def ensure_namespace(name: str) -> list[str]:
    """Make a namespace and bring its loopback up; return what was changed."""
    stale = (FOLDER / checked(name, "namespace")).exists()
    return apply(namespace_commands(name, links_within(name), stale=stale))


def remove_namespace(name: str) -> list[str]:
    """End what runs in a namespace and remove it; return what was changed.

    Raises `sal.errors.ProcessError` if a process in it does not end.
    """
    if name not in read_namespaces():
        return []
    if links_within(name) is not None:
        end(namespace_pids(name))
    return apply([command("netns", "delete", name)])


def namespace_pids(name: str) -> list[int]:
    """Return all processes in a namespace."""
    return [int(pid) for pid in run(["ip", "netns", "pids", name]).split()]
