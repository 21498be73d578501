"""Disks as answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from actors.cloud.directory import names
from actors.cloud.models import Machine
from actors.cloudapi.answers.life import Life, Row, life


class IoTune(TypedDict):
    """How fast a disk may be used."""

    total_iops_sec: int


class DiskDetail(Life):
    """One disk; fields that clients read and nothing fills are empty."""

    id: int
    guid: int
    name: str
    descr: str
    type: str  # B boot, D data
    sizeMax: int  # GiB
    sizeUsed: int
    accountId: int
    gid: int
    referenceId: str
    diskPath: str
    images: list[int]
    pci_bus: int
    pci_slot: int
    role: str
    params: str
    realityDeviceNumber: int
    passwd: str
    login: str
    iqn: str
    iotune: IoTune
    bootPartition: int
    order: int  # 0 is the boot disk
    acl: dict[str, Any]
    _meta: list[int]
    _ckey: str


class DiskRow(DiskDetail):
    """One disk as lists show it."""

    description: str
    username: str | None
    machineId: int  # the machine that holds it, 0 for none
    machineName: str


def disk_list(rows: Sequence[Row]) -> list[DiskRow]:
    """Return disks as lists show them: ``description``, and the machine that holds each."""
    machines = names(Machine, rows, "machine_id")
    return [
        {
            **disk_detail(row),
            "description": row["description"],
            "username": None,
            "machineId": row.get("machine_id") or 0,
            "machineName": machines.get(row.get("machine_id") or 0, ""),
        }
        for row in rows
    ]


def disk_detail(row: Row) -> DiskDetail:
    """Return one disk."""
    return {
        "id": row["id"],
        "guid": row["id"],
        "name": row["name"],
        "descr": row["description"],
        "type": row["type"],
        "sizeMax": row["size_max"],
        "sizeUsed": 0,
        "accountId": row["account_id"],
        "gid": row["gid"],
        "referenceId": "",
        "diskPath": "",
        "images": [],
        "pci_bus": 0,
        "pci_slot": 0,
        "role": "",
        "params": "",
        "realityDeviceNumber": 0,
        "passwd": "",
        "login": "",
        "iqn": "",
        "iotune": {"total_iops_sec": row["iops"]},
        "bootPartition": 0,
        "order": row["order"],
        "acl": {},
        "_meta": [],
        "_ckey": "",
        **life(row),
    }
