"""Removes from this machine what an installation on qemu:///system has left behind, when a test failed half way."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

VIRSH = ("virsh", "-q", "-c", "qemu:///system")


def lines(*command: str) -> list[str]:
    """Return what a command prints, nothing if it fails."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()


def sweep(site: str) -> None:
    """Remove every domain, pool, process, namespace, link and table whose name begins with ``site``."""
    _hypervisor(site)
    _network(site)


def _hypervisor(site: str) -> None:
    for name in lines(*VIRSH, "list", "--all", "--name"):
        if name.startswith(f"{site}-"):
            lines(*VIRSH, "destroy", name)
            lines(*VIRSH, "undefine", name)
    if site in (name.strip() for name in lines(*VIRSH, "pool-list", "--all", "--name")):
        lines(*VIRSH, "pool-destroy", site)
        lines(*VIRSH, "pool-undefine", site)
    shutil.rmtree(Path("/var/lib/libvirt/images") / site, ignore_errors=True)


def _network(site: str) -> None:
    for name in _ours(site, (line.split()[0] for line in lines("ip", "netns", "list"))):
        for pid in lines("ip", "netns", "pids", name):
            lines("kill", pid)
        lines("ip", "netns", "delete", name)
    for name in _ours(site, (line.split()[1].rstrip(":").partition("@")[0] for line in lines("ip", "-o", "link"))):
        lines("ip", "link", "delete", name)
    for line in lines("nft", "list", "tables"):
        _, family, name = line.split()
        if name.startswith(site):
            lines("nft", "delete", "table", family, name)


def _ours(site: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(f"{site}-")]


if __name__ == "__main__":
    for given in sys.argv[1:]:
        sweep(given)
