"""Figures of the node, read from ``/proc`` and ``/sys``: processors, memory, load, disks, file systems, links, sensors.

Each function takes the folder that stands for ``/``, and leaves out what this machine does not have.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sal.measured import Measured
from sal.system.sensors import read_sensors

HERTZ: Final = os.sysconf("SC_CLK_TCK")
SECTOR: Final = 512
"""Bytes of a sector in ``/proc/diskstats``, whatever the disk's own are."""

CPU: Final = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
"""Columns of ``/proc/stat``, as proc(5) names them; the time of guests is within that of user and nice."""

LINK: Final = {0: "rx_bytes", 1: "rx_packets", 2: "rx_errors", 3: "rx_drops"} | {
    8: "tx_bytes", 9: "tx_packets", 10: "tx_errors", 11: "tx_drops"
}  # fmt: skip
"""Columns of ``/proc/net/dev``."""


@dataclass(frozen=True)
class Space:
    """Bytes of a file system and shares of its inodes."""

    total: int
    free: int
    available: int
    inodes: int
    inodes_free: int


def space(path: Path) -> Space:
    """Ask a file system how full it is."""
    found = os.statvfs(path)
    size = found.f_frsize
    return Space(
        found.f_blocks * size, found.f_bfree * size, found.f_bavail * size, found.f_files, found.f_ffree
    )  # fmt: skip


def measure(root: Path = Path("/"), usage: Callable[[Path], Space] = space) -> list[Measured]:
    """Return the figures of everything that this machine has; a part that cannot be read is left out."""
    found: list[Measured] = []
    parts: tuple[Callable[[], Iterator[Measured]], ...] = (
        lambda: host(root),
        lambda: disks(root),
        lambda: filesystems(root, usage),
        lambda: links(root),
        lambda: sensors(root),
    )
    for part in parts:
        with contextlib.suppress(OSError):
            found += part()
    return found


def host(root: Path) -> Iterator[Measured]:
    """Measure processors, memory and load: percent of all processors, bytes, processes that want to run."""
    gauges, counters = memory(root), processors(root)
    words = _read(root / "proc/loadavg").split()
    gauges |= {"load1": float(words[0]), "load5": float(words[1]), "load15": float(words[2])}
    gauges["threads"] = float(words[3].partition("/")[2])
    yield Measured("node", gauges=gauges, counters=counters)


def processors(root: Path) -> dict[str, float]:
    """Count the time of all processors by what they did, and context switches and interrupts."""
    lines = [line.split() for line in _read(root / "proc/stat").splitlines()]
    count = sum(words[0].startswith("cpu") and words[0] != "cpu" for words in lines) or 1
    total = next(words for words in lines if words[0] == "cpu")
    ticks = dict(zip(CPU, map(float, total[1:]), strict=False))
    share = {name: 100 * value / HERTZ / count for name, value in ticks.items()}
    found = {
        "cpu_user": share["user"] + share["nice"],
        "cpu_system": share["system"],
        "cpu_iowait": share.get("iowait", 0.0),
        "cpu_irq": share.get("irq", 0.0) + share.get("softirq", 0.0),
        "cpu_steal": share.get("steal", 0.0),
    }
    found["cpu"] = sum(found.values()) - found["cpu_iowait"]
    for words in lines:
        if words[0] in {"ctxt", "intr"}:
            found["context_switches" if words[0] == "ctxt" else "interrupts"] = float(words[1])
    return found


def memory(root: Path) -> dict[str, float]:
    """Measure memory and swap in bytes, and memory in percent."""
    pairs = (line.split(":") for line in _read(root / "proc/meminfo").splitlines())
    kib = {name: float(value.split()[0]) * 1024 for name, value in pairs}
    total = kib["MemTotal"]
    available = kib.get("MemAvailable", kib["MemFree"])
    return {
        "memory": 100 * (total - available) / total,
        "memory_used": total - available,
        "memory_available": available,
        "memory_cached": kib.get("Cached", 0.0) + kib.get("Buffers", 0.0) + kib.get("SReclaimable", 0.0),
        "swap_used": kib.get("SwapTotal", 0.0) - kib.get("SwapFree", 0.0),
    }


def disks(root: Path) -> Iterator[Measured]:
    """Count bytes, operations and busy time of each disk that is a device of its own, no part and no layer of one."""
    for line in _read(root / "proc/diskstats").splitlines():
        name, *words = line.split()[2:]
        if (root / "sys/block" / name.replace("/", "!") / "device").exists():
            reads, _, read_sectors, read_ms, writes, _, written_sectors, write_ms, _, busy_ms = map(float, words[:10])
            counters = {
                "reads": reads,
                "writes": writes,
                "read_bytes": read_sectors * SECTOR,
                "write_bytes": written_sectors * SECTOR,
                "waited": (read_ms + write_ms) / 1000,
                "busy": busy_ms / 10,
            }
            yield Measured("disk", name, counters=counters)


def filesystems(root: Path, usage: Callable[[Path], Space] = space) -> Iterator[Measured]:
    """Measure how full each file system on a local block device is, each device once at its first mount."""
    seen: set[str] = set()
    for line in _read(root / "proc/self/mounts").splitlines():
        device, mount = line.split()[:2]
        if not device.startswith("/dev/") or device in seen or device.startswith("/dev/loop"):
            continue
        seen.add(device)
        path = mount.encode().decode("unicode_escape")  # blanks are written as \040
        with contextlib.suppress(OSError):
            found = usage(root / path.lstrip("/"))
            if found.total:
                yield Measured("filesystem", path, gauges=_fullness(found))


def _fullness(found: Space) -> dict[str, float]:
    used = found.total - found.free
    gauges = {"used_bytes": float(used), "free_bytes": float(found.available)}
    gauges["used"] = 100 * used / ((used + found.available) or 1)
    if found.inodes:
        gauges["inodes"] = 100 * (found.inodes - found.inodes_free) / found.inodes
    return gauges


def links(root: Path) -> Iterator[Measured]:
    """Count bytes, packets, errors and drops of the node's own links: cards and bonds.

    Where there is none, as in a container, of every link but the loopback, bridges and what is plugged into them.
    """
    found = []
    for line in _read(root / "proc/net/dev").splitlines()[2:]:
        name, _, rest = line.strip().partition(":")
        words = rest.split()
        folder = root / "sys/class/net" / name
        counters = {metric: float(words[column]) for column, metric in LINK.items()}
        life = _read(folder / "ifindex").strip() if (folder / "ifindex").exists() else ""
        found.append((folder, Measured("nic", name, counters=counters, life=life)))
    own = [one for folder, one in found if (folder / "device").exists() or (folder / "bonding").exists()]
    yield from own or (one for folder, one in found if one.key != "lo" and not _plugged(folder))


def _plugged(folder: Path) -> bool:
    return any((folder / mark).exists() for mark in ("bridge", "brport", "tun_flags"))


def sensors(root: Path) -> Iterator[Measured]:
    """Measure temperatures: of hardware monitors, else of thermal zones. Key: chip and label."""
    for one in read_sensors(root):
        if one.kind == "temp":
            yield Measured("sensor", f"{one.chip} {one.label}", gauges={"celsius": one.value})


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
