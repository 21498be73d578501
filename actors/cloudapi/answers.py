"""Rows of the cloud's documents as the answers that clients expect (field names of clients.md, section 6).

Each function takes plain rows; what a list needs from other collections is looked up once for the whole list.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from actors.cloud import disks
from actors.cloud.directory import by_id, names
from actors.cloud.models import Account, Cloudspace, Image, Machine, Stack

Row = Mapping[str, Any]
Answer = dict[str, Any]
ADMIN = frozenset("ARCXDU")


def seconds(value: float | None) -> int:
    """Return a time as whole epoch seconds; 0 for none."""
    return int(value or 0)


def life(row: Row) -> Answer:
    """Return the fields of an object's life: state, why it is in it, what is being done, times."""
    running = row.get("operation")
    return {
        "status": row["status"],
        "statusReason": row.get("status_reason", ""),
        "operation": running
        and {
            "name": running["name"],
            "step": running.get("step", ""),
            "progress": running.get("progress", 0),
            "jobId": running.get("job_id"),
            "started": seconds(running["started"]),
        },
        "creationTime": seconds(row.get("creation_time")),
        "updateTime": seconds(row.get("update_time")),
        "deletionTime": seconds(row.get("deletion_time")),
    }


def acl(entries: Iterable[Row]) -> list[Answer]:
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


def limits(row: Row) -> Answer:
    """Return resource limits; only memory may be fractional."""
    given = row.get("resource_limits", {})
    return {unit: float(value) if unit == "CU_M" else int(value) for unit, value in given.items()}


def account(row: Row) -> Answer:
    """Return an account."""
    return {
        "id": row["id"],
        "name": row["name"],
        "acl": acl(row["acl"]),
        "resourceLimits": limits(row),
        "sendAccessEmails": row.get("send_access_emails", True),
        **life(row),
    }


def cloudspace(row: Row) -> Answer:
    """Return what list and get of a cloudspace have in common."""
    return {
        "id": row["id"],
        "name": row["name"],
        "accountId": row["account_id"],
        "acl": acl(row["acl"]),
        "gid": row["gid"],
        "location": row["location"],
        "publicipaddress": row["external_ip"],
        "externalnetworkip": row["external_ip"],
        "externalnetworkId": row["external_network_id"],
        "privatenetwork": row["private_network"],
        "mode": row["mode"],
        "type": row["type"],
        "stackId": row.get("stack_id") or 0,
        **life(row),
    }


def cloudspace_list(rows: list[dict[str, Any]]) -> list[Answer]:
    """Return cloudspaces as lists show them: ``descr``, and the account's name and list."""
    accounts = by_id(Account, (row["account_id"] for row in rows), ["name", "acl"])
    found = []
    for row in rows:
        owner = accounts[row["account_id"]]
        entries = acl(owner["acl"])
        found.append(
            cloudspace(row)
            | {"descr": row["description"], "accountName": owner["name"], "accountAcl": entries[0] if entries else {}}
        )
    return found


def cloudspace_detail(row: Row) -> Answer:
    """Return one cloudspace: ``description``, limits and secret."""
    owner = by_id(Account, [row["account_id"]])[row["account_id"]]
    return cloudspace(row) | {
        "description": row["description"],
        "resourceLimits": limits(row),
        "allowedVMSizes": row.get("allowed_vm_sizes", []),
        "secret": row["secret"],
        "accountName": owner["name"],
    }


def nics(row: Row) -> list[Answer]:
    """Return a machine's interfaces, the private one first."""
    return [
        {
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
        for nic in row.get("nics", [])
    ]


def machine_list(rows: list[dict[str, Any]]) -> list[Answer]:
    """Return machines as lists show them, with the names that tables need."""
    volumes = disks.of_machines(row["id"] for row in rows)
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
            "disks": [disk["id"] for disk in volumes.get(row["id"], [])],
            "storage": sum(disk["size_max"] for disk in volumes.get(row["id"], [])),
            "nics": nics(row),
            "ipAddress": next((nic["ip_address"] for nic in row.get("nics", [])), ""),
            **life(row),
        }
        for row in rows
    ]


def machine_detail(row: dict[str, Any]) -> Answer:
    """Return one machine: disk objects, and the lower-case spellings that get has."""
    volumes = disks.of_machine(row["id"])
    return machine_list([row])[0] | {
        "imageid": row["image_id"],
        "osImage": by_id(Image, [row["image_id"]]).get(row["image_id"], {}).get("name", ""),
        "sizeid": row["size_id"],
        "locked": False,
        "acl": acl(row["acl"]),
        "accounts": [
            {"guid": "", "login": login["login"], "password": login["password"]} for login in row.get("accounts", [])
        ],
        "interfaces": nics(row),
        "disks": [
            {
                "id": disk["id"],
                "type": disk["type"],
                "name": disk["name"],
                "descr": disk["description"],
                "sizeMax": disk["size_max"],
                "status": disk["status"],
                "acl": {},
            }
            for disk in volumes
        ],
    }


def disk_list(rows: list[dict[str, Any]]) -> list[Answer]:
    """Return disks as lists show them: ``description``, and the machine that holds each."""
    machines = names(Machine, rows, "machine_id")
    return [
        disk_detail(row)
        | {
            "description": row["description"],
            "username": None,
            "machineId": row.get("machine_id") or 0,
            "machineName": machines.get(row.get("machine_id") or 0, ""),
        }
        for row in rows
    ]


def disk_detail(row: Row) -> Answer:
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


def image(row: Row) -> Answer:
    """Return an image."""
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "type": row["type"],
        "size": row["size"],
        "username": row["username"],
        "accountId": row["account_id"],
        **life(row),
    }


def size(row: Row) -> Answer:
    """Return a size."""
    return {name: row[name] for name in ("id", "name", "description", "memory", "vcpus", "disks")}


def external_network(row: Row) -> Answer:
    """Return an external network as its users see it."""
    fields = ("id", "name", "network", "gateway", "subnetmask", "gid")
    return {name: row[name] for name in fields} | {"accountId": row["account_id"], "dhcp": False}


def port_forward(row: Row) -> Answer:
    """Return a port forward; ports are texts here, and only here."""
    return {
        "id": row["id"],
        "protocol": row["protocol"],
        "localPort": str(row["local_port"]),
        "publicPort": str(row["public_port"]),
        "publicIp": row["public_ip"],
        "localIp": row["local_ip"],
        "machineId": row["machine_id"],
        "machineName": row["machine_name"],
        "cloudspaceId": row["cloudspace_id"],
    }


def prefix_length(row: Row) -> int:
    """Return the prefix length of an external network."""
    return ipaddress.IPv4Network(f"{row['network']}/{row['subnetmask']}").prefixlen
