"""Checks of what callers give that several services share."""

from __future__ import annotations

from portalfw.errors import InvalidError

FORBIDDEN = "<>\"'"
LIMITS = {
    "max_memory_capacity": "CU_M",
    "max_cpu_capacity": "CU_C",
    "max_vdisk_capacity": "CU_D",
    "max_network_peer_transfer": "CU_NP",
    "max_num_public_ip": "CU_I",
}


def checked_name(name: str, argument: str = "name") -> str:
    """Return a name without surrounding blanks.

    :raises InvalidError: if it has fewer than two characters or one that breaks pages (cloud.md, section 0).
    """
    found = name.strip()
    if len(found) < 2 or any(character in FORBIDDEN for character in found):  # noqa: PLR2004 - the originals' rule
        raise InvalidError(
            f"{argument} {name!r} must have two characters or more and none of < > \" '.", detail={"argument": argument}
        )
    return found


def resource_limits(**given: float | None) -> dict[str, float]:
    """Return limits by their unit (``CU_M`` …) from arguments as ``max_memory_capacity``; not given means unlimited.

    :raises InvalidError: if one is neither -1 nor above zero.
    """
    limits: dict[str, float] = {}
    for argument, unit in LIMITS.items():
        value = given.get(argument)
        limits[unit] = -1 if value is None else value
        if limits[unit] != -1 and limits[unit] <= 0:
            raise InvalidError(
                f"{argument} {value} must be -1 (unlimited) or more than 0.", detail={"argument": argument}
            )
    return limits
