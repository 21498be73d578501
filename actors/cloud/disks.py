"""Disks: volumes with lives of their own."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from actors.cloud.models import Disk
from portalfw.errors import InvalidError

LARGEST = 2000  # GiB
MOST = 25  # disks a machine


def check_sizes(boot: int, data: Iterable[int], image_size: int) -> list[int]:
    """Return the data disks' sizes in GiB.

    :raises InvalidError: if the boot disk is smaller than its image, or a disk is none or larger than allowed.
    """
    sizes = list(data)
    if not image_size <= boot <= LARGEST:
        raise InvalidError(
            f"disksize {boot} must be {image_size} (what the image needs) to {LARGEST} GiB.",
            detail={"argument": "disksize"},
        )
    if len(sizes) >= MOST or any(not 1 <= size <= LARGEST for size in sizes):
        raise InvalidError(
            f"datadisks: fewer than {MOST} disks of 1 to {LARGEST} GiB each.", detail={"argument": "datadisks"}
        )
    return sizes


def model(machine_id: int, account_id: int, gid: int, boot: int, data: Iterable[int]) -> list[dict[str, Any]]:
    """Write down the disks of a new machine (state MODELED) and return their rows, the boot disk first."""
    now = time.time()
    wanted = [("B", "Boot disk", boot), *(("D", f"Data disk {order}", size) for order, size in enumerate(data, 1))]
    for order, (kind, name, size) in enumerate(wanted):
        Disk.create(
            name=name,
            type=kind,
            size_max=size,
            account_id=account_id,
            gid=gid,
            machine_id=machine_id,
            order=order,
            status="MODELED",
            creation_time=now,
            update_time=now,
        )
    return of_machine(machine_id)


def of_machine(machine_id: int) -> list[dict[str, Any]]:
    """Return the rows of a machine's disks, the boot disk first."""
    return Disk.rows({"machine_id": machine_id, "live": True}, sort="order")


def of_machines(machine_ids: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    """Return the disks of many machines with one query, by machine id."""
    found: dict[int, list[dict[str, Any]]] = {}
    for row in Disk.rows({"machine_id": {"$in": list(machine_ids)}, "live": True}, sort="order"):
        found.setdefault(row["machine_id"], []).append(row)
    return found


def assign(machine_id: int) -> None:
    """Note that a machine's modelled disks exist now and are in use."""
    _move(machine_id, "ASSIGNED", {"status": "MODELED"})


def destroy(machine_id: int, reason: str) -> None:
    """Note that a machine's disks are gone."""
    gone = {"live": False, "deletion_time": time.time(), "status_reason": reason}
    _move(machine_id, "DESTROYED", {"live": True}, gone)


def _move(machine_id: int, status: str, query: dict[str, Any], values: dict[str, Any] | None = None) -> None:
    changes = {"status": status, "update_time": time.time(), **(values or {})}
    Disk.collection().update_many({"machine_id": machine_id, **query}, {"$set": changes})
