"""Machines as answers: lists and single ones differ in spelling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from actors.cloud import disks
from actors.cloud.directory import names
from actors.cloud.models import Account, Cloudspace, Image, Stack
from actors.cloudapi.answers.access import AclEntry, acl
from actors.cloudapi.answers.life import Life, Row, life


class NicRow(TypedDict):
    """A network interface; the first one is the private one."""

    type: str  # bridge in the cloudspace, PUBLIC in an external network
    ipAddress: str
    macAddress: str
    deviceName: str
    networkId: int
    status: str
    referenceId: str
    params: str
    guid: str


class MachineDisk(TypedDict):
    """A disk of a machine."""

    id: int
    type: str  # B boot, D data
    name: str
    descr: str
    sizeMax: int  # GiB
    status: str
    acl: dict[str, Any]


class MachineLogin(TypedDict):
    """The first login of a guest."""

    guid: str
    login: str
    password: str


class MachineCore(Life):
    """What list and get of a machine have in common."""

    id: int
    name: str
    hostname: str
    description: str
    cloudspaceid: int
    cloudspaceId: int
    cloudspaceName: str
    accountId: int
    accountName: str
    imageId: int
    imageName: str
    sizeId: int  # 0 for a free choice of memory and vcpus
    stackId: int  # where it runs, 0 for nowhere
    nodeName: str
    referenceId: str  # uuid of the domain
    memory: int  # MiB
    vcpus: int
    storage: int  # GiB, all disks together
    nics: list[NicRow]
    ipAddress: str  # of the private interface


class MachineRow(MachineCore):
    """One machine as lists show it."""

    disks: list[int]  # their ids


class MachineDetail(MachineCore):
    """One machine."""

    disks: list[MachineDisk]
    imageid: int
    osImage: str  # name of the image
    sizeid: int
    locked: bool
    acl: list[AclEntry]
    accounts: list[MachineLogin]
    interfaces: list[NicRow]


def machine_list(rows: Sequence[Row]) -> list[MachineRow]:
    """Return machines as lists show them, with the names that tables need."""
    volumes = disks.of_machines(row["id"] for row in rows)
    return [
        {**core, "disks": [disk["id"] for disk in volumes.get(core["id"], [])]} for core in _machines(rows, volumes)
    ]


def machine_detail(row: Row) -> MachineDetail:
    """Return one machine: disk objects, and the lower-case spellings that get has."""
    volumes = disks.of_machine(row["id"])
    core = _machines([row], {row["id"]: volumes})[0]
    return {
        **core,
        "imageid": row["image_id"],
        "osImage": core["imageName"],
        "sizeid": row["size_id"],
        "locked": False,
        "acl": acl(row["acl"]),
        "accounts": [
            {"guid": "", "login": login["login"], "password": login["password"]} for login in row.get("accounts", [])
        ],
        "interfaces": core["nics"],
        "disks": [_disk(disk) for disk in volumes],
    }


def _machines(rows: Sequence[Row], volumes: dict[int, list[dict[str, Any]]]) -> list[MachineCore]:
    spaces, images = names(Cloudspace, rows, "cloudspace_id"), names(Image, rows, "image_id")
    accounts, stacks = names(Account, rows, "account_id"), names(Stack, rows, "stack_id")
    return [
        {
            "id": row["id"],
            "name": row["name"],
            "hostname": row["hostname"],
            "description": row["description"],
            "cloudspaceid": row["cloudspace_id"],
            "cloudspaceId": row["cloudspace_id"],
            "cloudspaceName": spaces.get(row["cloudspace_id"], ""),
            "accountId": row["account_id"],
            "accountName": accounts.get(row["account_id"], ""),
            "imageId": row["image_id"],
            "imageName": images.get(row["image_id"], ""),
            "sizeId": row["size_id"],
            "stackId": row.get("stack_id") or 0,
            "nodeName": stacks.get(row.get("stack_id") or 0, ""),
            "referenceId": row["reference_id"],
            "memory": row["memory"],
            "vcpus": row["vcpus"],
            "storage": sum(disk["size_max"] for disk in volumes.get(row["id"], [])),
            "nics": [_nic(nic) for nic in row.get("nics", [])],
            "ipAddress": next((nic["ip_address"] for nic in row.get("nics", [])), ""),
            **life(row),
        }
        for row in rows
    ]


def _nic(nic: Row) -> NicRow:
    return {
        "status": "",
        "macAddress": nic["mac_address"],
        "referenceId": "",
        "deviceName": nic["device_name"],
        "type": nic["type"],
        "params": "",
        "networkId": nic["network_id"],
        "guid": "",
        "ipAddress": nic["ip_address"],
    }


def _disk(disk: Row) -> MachineDisk:
    return {
        "id": disk["id"],
        "type": disk["type"],
        "name": disk["name"],
        "descr": disk["description"],
        "sizeMax": disk["size_max"],
        "status": disk["status"],
        "acl": {},
    }
