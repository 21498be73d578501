"""A machine's state and why it is in it, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: virDomainState of libvirt-domain.h.
STATES: Final = {
    0: "nostate",
    1: "running",
    2: "blocked",
    3: "paused",
    4: "shutdown",
    5: "shutoff",
    6: "crashed",
    7: "suspended",
}
#: virDomainRunningReason, virDomainPausedReason, virDomainShutoffReason of libvirt-domain.h, by state.
REASONS: Final = {
    "running": ("unknown", "booted", "migrated", "restored", "from snapshot", "unpaused", "migration canceled",
                "save canceled", "wakeup", "crashed", "postcopy", "postcopy failed"),
    "paused": ("unknown", "user", "migration", "save", "dump", "io error", "watchdog", "from snapshot", "shutting down",
               "snapshot", "crashed", "starting up", "postcopy", "postcopy failed"),
    "shutoff": ("unknown", "shutdown", "destroyed", "crashed", "migrated", "saved", "failed", "from snapshot",
                "daemon"),
}  # fmt: skip


@dataclass(frozen=True)
class MachineState:
    """``state`` is running, paused, shutoff, shutdown, crashed, suspended, or missing if there is no such machine."""

    name: str
    state: str
    reason: str

    @property
    def running(self) -> bool:
        """Whether the machine has a process on the node."""
        return self.state not in {"shutoff", "crashed", "missing"}


def state_of(name: str, code: int, reason: int) -> MachineState:
    """Return libvirt's two numbers in words; numbers of a later libvirt are shown as they are."""
    state = STATES.get(code, str(code))
    words = REASONS.get(state, ())
    return MachineState(name, state, words[reason] if reason < len(words) else "unknown")


def missing(name: str) -> MachineState:
    """Return the state of a machine that the node does not have."""
    return MachineState(name, "missing", "no such machine on this node")
