"""Facts about the node itself."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil

#: The commands whose presence decides what a node can do.
TOOLS: Final = ("dnsmasq", "ip", "libvirtd", "nft", "qemu-img", "qemu-system-x86_64", "sysctl", "virtlogd")
_MIB: Final = 1 << 20


@dataclass(frozen=True)
class Interface:
    """A network link of the node with its addresses (``address/prefix`` for IPv4 and IPv6)."""

    name: str
    mac: str
    up: bool
    mtu: int
    addresses: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Disk:
    """A mounted file system; sizes in MiB."""

    mount: str
    size_mib: int
    free_mib: int


@dataclass(frozen=True)
class HostFacts:
    """What a node is and has. Memory and disk in MiB, uptime in seconds."""

    hostname: str
    boot_id: str
    machine_id: str
    architecture: str
    kernel: str
    os: str
    cpus: int
    cpu_model: str
    memory_mib: int
    memory_free_mib: int
    uptime: float
    root: bool
    tools: dict[str, str]
    interfaces: list[Interface]
    disks: list[Disk]


def facts() -> HostFacts:
    """Read the node's facts."""
    memory = psutil.virtual_memory()
    return HostFacts(
        hostname=socket.gethostname(),
        boot_id=boot_id(),
        machine_id=_first_line("/etc/machine-id", "/var/lib/dbus/machine-id"),
        architecture=platform.machine(),
        kernel=platform.release(),
        os=_os_name(),
        cpus=os.cpu_count() or 1,
        cpu_model=_cpu_model(),
        memory_mib=memory.total // _MIB,
        memory_free_mib=memory.available // _MIB,
        uptime=round(time.time() - psutil.boot_time(), 1),
        root=os.geteuid() == 0,
        tools=tools(),
        interfaces=interfaces(),
        disks=disks(),
    )


def boot_id() -> str:
    """Return the kernel's random id of this boot; it changes with every restart of the node."""
    return _first_line("/proc/sys/kernel/random/boot_id")


def tools() -> dict[str, str]:
    """Return where the commands that matter are; what is not installed is left out."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
    return {name: found for name in TOOLS if (found := shutil.which(name, path=path))}


def interfaces() -> list[Interface]:
    """Return the node's network links with their addresses, by name."""
    states = psutil.net_if_stats()
    return [_interface(name, entries, states.get(name)) for name, entries in sorted(psutil.net_if_addrs().items())]


def disks() -> list[Disk]:
    """Return the file systems on real devices, each device once."""
    mounts = {part.device: part.mountpoint for part in reversed(psutil.disk_partitions())}
    mounts.setdefault("/", "/")
    found = []
    for mount in sorted(set(mounts.values())):
        usage = shutil.disk_usage(mount)
        found.append(Disk(mount, usage.total // _MIB, usage.free // _MIB))
    return found


def _interface(name: str, entries: list[Any], state: Any) -> Interface:
    addresses = [_with_prefix(entry) for entry in entries if entry.family in {socket.AF_INET, socket.AF_INET6}]
    mac = next((entry.address for entry in entries if entry.family == psutil.AF_LINK), "")
    return Interface(name, mac, bool(state and state.isup), state.mtu if state else 0, addresses)


def _with_prefix(entry: Any) -> str:
    address, mask = entry.address.partition("%")[0], entry.netmask or ""
    packed = socket.inet_pton(entry.family, mask) if mask else b""
    return f"{address}/{sum(byte.bit_count() for byte in packed)}" if packed else address


def _first_line(*paths: str) -> str:
    for path in paths:
        if Path(path).exists():
            return Path(path).read_text(encoding="utf-8").strip()
    return ""


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()
