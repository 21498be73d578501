"""What the shipped agents' figures are called, for people, and how their values are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Figure:
    """One figure: its label, its unit (``%``, ``B``, ``B/s``, ``/s``, ``°C`` or nothing), and a sentence on it."""

    label: str
    unit: str
    descr: str


_TRAFFIC: Final = {
    "rx_bytes": Figure("Received", "B/s", "Bytes received"),
    "tx_bytes": Figure("Sent", "B/s", "Bytes sent"),
    "rx_packets": Figure("Packets received", "/s", "Packets received"),
    "tx_packets": Figure("Packets sent", "/s", "Packets sent"),
}
_TROUBLE: Final = {
    "rx_errors": Figure("Errors received", "/s", "Packets that came damaged"),
    "tx_errors": Figure("Errors sent", "/s", "Packets that could not be sent"),
    "rx_drops": Figure("Dropped coming in", "/s", "Packets received and thrown away"),
    "tx_drops": Figure("Dropped going out", "/s", "Packets thrown away before they were sent"),
}
_STORAGE: Final = {
    "read_bytes": Figure("Read", "B/s", "Bytes read"),
    "write_bytes": Figure("Written", "B/s", "Bytes written"),
    "reads": Figure("Reads", "/s", "Operations that read"),
    "writes": Figure("Writes", "/s", "Operations that write"),
}

CATALOGUE: Final[dict[str, dict[str, Figure]]] = {
    "node": {
        "cpu": Figure("CPU", "%", "Share of all processors' time that was used"),
        "cpu_user": Figure("User", "%", "Share of it spent in programs, guests too"),
        "cpu_system": Figure("System", "%", "Share of it spent in the kernel"),
        "cpu_iowait": Figure("Waiting for disks", "%", "Share of it idle while a disk was waited for"),
        "cpu_irq": Figure("Interrupts", "%", "Share of it spent on interrupts"),
        "cpu_steal": Figure("Stolen", "%", "Share of it that a hypervisor below gave to others"),
        "context_switches": Figure("Context switches", "/s", "Context switches"),
        "interrupts": Figure("Interrupts", "/s", "Interrupts"),
        "load1": Figure("Load, 1 min", "", "Processes that run or want to, over a minute"),
        "load5": Figure("Load, 5 min", "", "Processes that run or want to, over five minutes"),
        "load15": Figure("Load, 15 min", "", "Processes that run or want to, over fifteen minutes"),
        "threads": Figure("Threads", "", "Threads of all processes"),
        "memory": Figure("Memory", "%", "Share of the memory that is not available"),
        "memory_used": Figure("Used", "B", "Memory that is not available to programs"),
        "memory_available": Figure("Available", "B", "Memory that programs could still get"),
        "memory_cached": Figure("Cache", "B", "Memory that caches files, and would be given up"),
        "swap_used": Figure("Swap", "B", "Swap space in use"),
        **_STORAGE,
        **_TRAFFIC,
    },
    "disk": {
        **_STORAGE,
        "busy": Figure("Busy", "%", "Share of the time in which the disk had something to do"),
        "waited": Figure("Waiting", "", "Operations under way at a time, waiting ones too"),
    },
    "filesystem": {
        "used": Figure("Used", "%", "Share of the space that is used"),
        "used_bytes": Figure("Used", "B", "Space that is used"),
        "free_bytes": Figure("Free", "B", "Space that programs can still use"),
        "inodes": Figure("Inodes", "%", "Share of the inodes that is used"),
    },
    "nic": {**_TRAFFIC, **_TROUBLE},
    "sensor": {"celsius": Figure("Temperature", "°C", "Temperature")},
    "guest": {
        "cpu": Figure("CPU", "%", "Share of its virtual processors' time that was used"),
        "steal": Figure("Stolen", "%", "Share of that time in which they waited for a processor of the node"),
        "memory": Figure("On the node", "B", "Memory that the node spends on the guest"),
        "memory_given": Figure("Given", "B", "Memory that the guest has"),
        "memory_used": Figure("Used inside", "B", "Memory that the guest says it uses"),
        **_STORAGE,
        **_TRAFFIC,
    },
    "guest_disk": _STORAGE,
    "guest_nic": {**_TRAFFIC, **_TROUBLE},
}


def figure(kind: str, name: str) -> Figure:
    """Return what is known of a figure; of one that somebody else's agent measures, its name in words."""
    words = name.replace("_", " ").capitalize()
    return CATALOGUE.get(kind, {}).get(name) or Figure(words, "", words)
