"""Who may do what with an object, and how much it may use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from actors.cloudapi.answers.life import Row

ADMIN = frozenset("ARCXDU")


class AclEntry(TypedDict):
    """One entry of an access control list."""

    userGroupId: str  # name of the user or group
    type: str  # U user, G group
    right: str  # R, RCX or ARCXDU
    status: str
    explicit: bool  # given here, not inherited
    guid: str
    canBeDeleted: bool  # false for the last administrator


class NoEntry(TypedDict):
    """Stands for an entry where the list is empty."""


class ResourceLimits(TypedDict):
    """What an object may use at most; -1 is unlimited."""

    CU_M: float  # memory in GB
    CU_C: int  # vcpus
    CU_D: int  # disk in GB
    CU_NP: int  # network transfer in GB
    CU_I: int  # public addresses


def acl(entries: Iterable[Row]) -> list[AclEntry]:
    """Return an access control list; the last administrator's entry cannot be deleted."""
    found = list(entries)
    administrators = [entry for entry in found if frozenset(entry["right"]) == ADMIN]
    return [
        {
            "userGroupId": entry["user_group_id"],
            "type": entry["type"],
            "right": entry["right"],
            "status": entry["status"],
            "explicit": entry["explicit"],
            "guid": "",
            "canBeDeleted": not (len(administrators) == 1 and entry is administrators[0]),
        }
        for entry in found
    ]


def limits(row: Row) -> ResourceLimits:
    """Return resource limits; only memory may be fractional."""
    given = {"CU_M": -1, "CU_C": -1, "CU_D": -1, "CU_NP": -1, "CU_I": -1} | row.get("resource_limits", {})
    return {
        "CU_M": float(given["CU_M"]),
        "CU_C": int(given["CU_C"]),
        "CU_D": int(given["CU_D"]),
        "CU_NP": int(given["CU_NP"]),
        "CU_I": int(given["CU_I"]),
    }
