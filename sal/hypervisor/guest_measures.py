"""Figures of the guests that run: processor, memory, disks and links, as libvirt counts them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sal.hypervisor.calls import named
from sal.hypervisor.connection import Hypervisor, binding
from sal.measured import Measured

DELAY: Final = re.compile(r"vcpu\.[0-9]+\.delay")
SUMMED: Final = ("read_bytes", "write_bytes", "reads", "writes", "rx_bytes", "tx_bytes", "rx_packets", "tx_packets")
DISK: Final = {"rd.bytes": "read_bytes", "wr.bytes": "write_bytes", "rd.reqs": "reads", "wr.reqs": "writes"}
LINK: Final = {
    f"{way}.{theirs}": f"{way}_{ours}"
    for way in ("rx", "tx")
    for theirs, ours in (("bytes", "bytes"), ("pkts", "packets"), ("errs", "errors"), ("drop", "drops"))
}


def guests(hypervisor: Hypervisor, prefix: str) -> list[Measured]:
    """Return the figures of the running guests whose names begin with ``prefix``, their disks and their links.

    A guest that is busy with something else is left out, so that none holds up the others. Raises `HypervisorError`.
    """
    libvirt = binding()
    wanted = (
        libvirt.VIR_DOMAIN_STATS_CPU_TOTAL
        | libvirt.VIR_DOMAIN_STATS_BALLOON
        | libvirt.VIR_DOMAIN_STATS_VCPU
        | libvirt.VIR_DOMAIN_STATS_INTERFACE
        | libvirt.VIR_DOMAIN_STATS_BLOCK
    )
    flags = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
    found: list[Measured] = []
    with named("measuring machines"):
        for domain, stats in hypervisor.connection.getAllDomainStats(wanted, flags):
            if domain.name().startswith(prefix):
                found += guest(domain.name(), str(domain.ID()), stats)
    return found


def guest(name: str, life: str, stats: Mapping[str, Any]) -> Iterator[Measured]:
    """Read what libvirt tells of one guest (libvirt's virConnectGetAllDomainStats); ``life`` is its domain's id.

    The processor counts in hundredths of all that its virtual ones could do, and so does for how long they waited for
    one of the node's (``steal``, where libvirt and the kernel tell it); disks are named as in the guest, links by their
    place among its links.
    """
    disks = [*_parts(name, life, stats, "block", DISK, "guest_disk")]
    links = [*_parts(name, life, stats, "net", LINK, "guest_nic")]
    counters = {
        metric: sum(part.counters.get(metric, 0.0) for part in (*disks, *links))
        for metric in SUMMED
        if any(metric in part.counters for part in (*disks, *links))
    }
    if "cpu.time" in stats:
        counters["cpu"] = stats["cpu.time"] / 1e7 / (stats.get("vcpu.current") or 1)
    delays = [value for name, value in stats.items() if DELAY.fullmatch(name)]
    if delays:
        counters["steal"] = sum(delays) / 1e7 / len(delays)
    yield Measured("guest", name, _memory(stats), counters, life)
    yield from disks
    yield from links


def _memory(stats: Mapping[str, Any]) -> dict[str, float]:
    """Return the guest's memory in bytes: what it has, what the node spends on it, what it says that it uses."""
    gauges = {}
    if "balloon.current" in stats:
        gauges["memory_given"] = stats["balloon.current"] * 1024.0
    if "balloon.rss" in stats:
        gauges["memory"] = stats["balloon.rss"] * 1024.0
    if "balloon.available" in stats and "balloon.usable" in stats:
        gauges["memory_used"] = (stats["balloon.available"] - stats["balloon.usable"]) * 1024.0
    return gauges


def _parts(
    name: str, life: str, stats: Mapping[str, Any], group: str, names: Mapping[str, str], kind: str
) -> Iterator[Measured]:
    for index in range(stats.get(f"{group}.count", 0)):
        given = {ours: stats.get(f"{group}.{index}.{theirs}") for theirs, ours in names.items()}
        counters = {metric: float(value) for metric, value in given.items() if value is not None}
        if counters:
            key = stats.get(f"block.{index}.name", index) if group == "block" else index
            yield Measured(kind, f"{name}/{key}", counters=counters, life=life)
