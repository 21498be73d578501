"""Cloudspaces as answers: lists and single ones differ in spelling."""

from __future__ import annotations

from collections.abc import Sequence

from actors.cloud.directory import by_id
from actors.cloud.models import Account
from actors.cloudapi.answers.access import AclEntry, NoEntry, ResourceLimits, acl, limits
from actors.cloudapi.answers.life import Life, Row, life


class CloudspaceCore(Life):
    """What list and get of a cloudspace have in common."""

    id: int
    name: str
    accountId: int
    accountName: str
    acl: list[AclEntry]
    gid: int
    location: str
    publicipaddress: str  # its external address, empty until it has one
    externalnetworkip: str  # the same
    externalnetworkId: int
    privatenetwork: str  # CIDR
    mode: str
    type: str
    stackId: int  # where its gateway runs, 0 for nowhere


class CloudspaceRow(CloudspaceCore):
    """One cloudspace as lists show it."""

    descr: str
    accountAcl: AclEntry | NoEntry  # the first entry of the account's list


class CloudspaceDetail(CloudspaceCore):
    """One cloudspace."""

    description: str
    resourceLimits: ResourceLimits
    allowedVMSizes: list[int]  # ids of sizes; all if empty
    secret: str


def cloudspace_list(rows: Sequence[Row]) -> list[CloudspaceRow]:
    """Return cloudspaces as lists show them: ``descr``, and the account's name and list."""
    accounts = by_id(Account, (row["account_id"] for row in rows), ["name", "acl"])
    found: list[CloudspaceRow] = []
    for row in rows:
        owner = accounts[row["account_id"]]
        first: AclEntry | NoEntry = next(iter(acl(owner["acl"])), NoEntry())
        found.append({**_core(row, owner), "descr": row["description"], "accountAcl": first})
    return found


def cloudspace_detail(row: Row) -> CloudspaceDetail:
    """Return one cloudspace: ``description``, limits and secret."""
    owner = by_id(Account, [row["account_id"]])[row["account_id"]]
    return {
        **_core(row, owner),
        "description": row["description"],
        "resourceLimits": limits(row),
        "allowedVMSizes": row.get("allowed_vm_sizes", []),
        "secret": row["secret"],
    }


def _core(row: Row, owner: Row) -> CloudspaceCore:
    return {
        "id": row["id"],
        "name": row["name"],
        "accountId": row["account_id"],
        "accountName": owner["name"],
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
