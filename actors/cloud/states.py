"""The life cycle of every kind of object, as tables; nothing changes a status but along these.

An *operation* takes an object from one of its ``from_`` states through ``via`` to ``to``. When it fails the object goes
to ``failed``, or back to where it came from where that says :data:`PREVIOUS`; the reason stands on the object. Names
are those of the originals. Disks follow the operations of the machine that holds them.
"""

from __future__ import annotations

from dataclasses import dataclass

PREVIOUS = "(previous)"
MINUTE = 60.0


@dataclass(frozen=True)
class Transition:
    """One row of a table; ``limit`` is the seconds after which nobody can still be working on it."""

    from_: frozenset[str]
    via: str
    to: str
    failed: str
    limit: float = 15 * MINUTE


def _row(from_: str, via: str, to: str, failed: str, limit: float = 15 * MINUTE) -> Transition:
    return Transition(frozenset(from_.split("|")), via, to, failed, limit)


ACCOUNT = {
    #                  from                          via          to           when it fails
    "create": _row("VIRTUAL", "CREATING", "CONFIRMED", "DESTROYED"),
    "destroy": _row("CONFIRMED|DISABLED", "DESTROYING", "DESTROYED", PREVIOUS),
}

CLOUDSPACE = {
    "deploy": _row("VIRTUAL|ERROR", "DEPLOYING", "DEPLOYED", "ERROR", 5 * MINUTE),
    "destroy": _row("VIRTUAL|DEPLOYED|DISABLED|ERROR", "DESTROYING", "DESTROYED", PREVIOUS, 5 * MINUTE),
}

MACHINE = {
    "create": _row("VIRTUAL", "DEPLOYING", "RUNNING", "ERROR", 60 * MINUTE),  # its node may fetch a large image
    "start": _row("HALTED", "STARTING", "RUNNING", PREVIOUS, 5 * MINUTE),
    "stop": _row("RUNNING|PAUSED", "STOPPING", "HALTED", PREVIOUS, 5 * MINUTE),
    "destroy": _row("RUNNING|PAUSED|HALTED|ERROR", "DESTROYING", "DESTROYED", PREVIOUS, 5 * MINUTE),
}

DISK = {
    "create": _row("MODELED", "CREATING", "CREATED", "DESTROYED"),
    "attach": _row("MODELED|CREATED", "ATTACHING", "ASSIGNED", PREVIOUS),
    "detach": _row("ASSIGNED", "DETACHING", "CREATED", PREVIOUS),
    "destroy": _row("MODELED|CREATED|ASSIGNED", "DESTROYING", "DESTROYED", PREVIOUS),
}

IMAGE = {
    "create": _row("VIRTUAL|ERROR", "CREATING", "CREATED", "ERROR", 60 * MINUTE),
    "destroy": _row("CREATED|DISABLED|ERROR", "DESTROYING", "DESTROYED", PREVIOUS),
}

STACK = {
    "enable": _row("MAINTENANCE|ERROR", "ENABLING", "ENABLED", PREVIOUS),
    "maintain": _row("ENABLED|ERROR", "DEACTIVATING", "MAINTENANCE", PREVIOUS),
    "decommission": _row("ENABLED|MAINTENANCE|ERROR", "DECOMMISSIONING", "DECOMMISSIONED", PREVIOUS),
}

#: What the world does to an object without being asked, as the reconciler finds it on the node.
DRIFT = {
    "machine": frozenset({("RUNNING", "HALTED"), ("HALTED", "RUNNING"), ("PAUSED", "HALTED"), ("RUNNING", "PAUSED"),
                          ("PAUSED", "RUNNING"), ("HALTED", "PAUSED")}),
}  # fmt: skip

LIFE_CYCLES = {
    "account": ACCOUNT,
    "cloudspace": CLOUDSPACE,
    "machine": MACHINE,
    "disk": DISK,
    "image": IMAGE,
    "stack": STACK,
}

#: An object in one of these is gone.
GONE = frozenset({"DESTROYED", "DECOMMISSIONED"})
#: A machine in one of these uses memory of its node.
CONSUMING = frozenset({"RUNNING", "PAUSED", "DEPLOYING", "STARTING", "STOPPING"})


def transition(kind: str, operation: str) -> Transition:
    """Return the row of an operation on a kind of object, named as its collection."""
    return LIFE_CYCLES[kind][operation]


def transitional(kind: str) -> frozenset[str]:
    """Return the states that only an operation may hold."""
    return frozenset(row.via for row in LIFE_CYCLES[kind].values())
