"""Names of what is made on a node, and the lengths that the kernel allows."""

from __future__ import annotations

import re
from typing import Final

from sal.errors import SpecError

#: IFNAMSIZ of linux/if.h is 16, one of them the closing zero.
LINK_LENGTH: Final = 15
_LONGEST: Final = 64
_SAFE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")


def checked(name: str, what: str) -> str:
    """Return ``name`` if it is safe as a file name, argument and nftables identifier; raise `SpecError` otherwise."""
    if not _SAFE.fullmatch(name) or len(name) > _LONGEST:
        raise SpecError(
            f"{what} name {name!r}: only letters, digits, '.', '_' and '-', first a letter, at most {_LONGEST}"
        )
    return name


def link(name: str) -> str:
    """Return ``name`` if the kernel takes it as the name of a network link; raise `SpecError` otherwise."""
    checked(name, "network link")
    if len(name) > LINK_LENGTH:
        raise SpecError(
            f"network link name {name!r} has {len(name)} characters, the kernel takes {LINK_LENGTH}; use a shorter site"
        )
    return name


def tap(machine: str, index: int) -> str:
    """Return the name of a machine's network link on the node: ``pf3-m12`` has ``pf3-m12n0``, ``pf3-m12n1``..."""
    return link(f"{machine}n{index}")
