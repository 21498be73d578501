"""Physical nodes and their stacks as operators see them."""

from __future__ import annotations

from typing import Any, TypedDict

from actors.cloud.models import Machine, Stack
from actors.cloud.stacks import ROLE
from actors.cloudapi.answers.life import seconds
from portalfw.controller.documents import Node
from portalfw.errors import NotFoundError
from portalfw.rest import Column, Columns

FIELDS = [
    "gid",
    "name",
    "roles",
    "status",
    "reason",
    "connected",
    "last_seen",
    "boot_id",
    "version",
    "facts",
    "abilities",
]
NODES = Columns(
    Node,
    *("id", "gid", "name", "status", "connected"),
    search=("name", "id", "status", "hypervisor"),
    lastSeen=Column("last_seen", "time"),
    simulated=Column("abilities", "flag"),
    hypervisor=Column("abilities"),
    network=Column("abilities"),
    roles="roles",
    cpus=Column("facts", "number"),
    memory=Column("facts", "number"),
    memoryUsed=Column("claims", "number"),
    guests=Column("guests", "number"),
    stackId=Column("stack_id", "number"),
)
UP = {"live": True, "status": {"$in": ["RUNNING", "PAUSED"]}}


class PhysicalNode(TypedDict):
    """A node with what its agent told, its stack and its number of machines."""

    id: int  # of the node; among compute nodes that of its stack
    nid: int
    gid: int
    name: str
    status: str
    statusReason: str
    roles: list[str]
    connected: bool  # its agent is there
    lastSeen: int  # epoch seconds
    bootId: str
    version: str  # of its agent
    cpus: int
    memory: int  # MiB
    memoryForMachines: int  # MiB
    memoryUsed: int  # MiB that machines claim
    guests: int  # machines that run
    hypervisor: str  # libvirt's address of it
    simulated: bool  # by libvirt's test driver
    accelerator: dict[str, Any]  # what the agent found out about KVM; kind is what guests run under
    network: str
    stackId: int  # 0 where it carries no machines
    referenceId: str  # id of the node as text
    images: list[int]  # ids of those that it has
    facts: dict[str, Any]
    abilities: dict[str, Any]


def nodes(query: dict[str, Any]) -> list[PhysicalNode]:
    """Return nodes with what their agents told, their stacks and their numbers of machines: three queries in all."""
    stacks = {row["reference_id"]: row for row in Stack.rows()}
    counted = Machine.collection().aggregate([{"$match": UP}, {"$group": {"_id": "$stack_id", "count": {"$sum": 1}}}])
    guests = {row["_id"]: row["count"] for row in counted}
    return [_node(row, stacks.get(row["id"]), guests) for row in Node.rows(query, fields=FIELDS)]


def node(node_id: int) -> PhysicalNode:
    """Return one node.

    :raises NotFoundError: if it does not exist.
    """
    found = nodes({"_id": node_id})
    if not found:
        raise NotFoundError(f"Node {node_id} does not exist.")
    return found[0]


def compute_nodes() -> list[PhysicalNode]:
    """Return the nodes that carry machines, by the ids of their stacks."""
    return [{**row, "id": row["stackId"]} for row in nodes({"roles": ROLE}) if row["stackId"]]


def _node(row: dict[str, Any], stack: dict[str, Any] | None, guests: dict[int, int]) -> PhysicalNode:
    facts, abilities = row.get("facts") or {}, row.get("abilities") or {}
    hypervisor = abilities.get("hypervisor") or {}
    used = sum(claim["memory"] for claim in stack["claims"]) if stack else 0
    return {
        "id": row["id"],
        "nid": row["id"],
        "gid": row.get("gid") or 1,
        "name": row["name"],
        "status": row["status"],
        "statusReason": row.get("reason", ""),
        "roles": row.get("roles", []),
        "connected": bool(row.get("connected")),
        "lastSeen": seconds(row.get("last_seen")),
        "bootId": row.get("boot_id") or "",
        "version": row.get("version", ""),
        "cpus": facts.get("cpus", 0),
        "memory": facts.get("memory_mib", 0),
        "memoryForMachines": stack["memory"] if stack else 0,
        "memoryUsed": used,
        "guests": guests.get(stack["id"], 0) if stack else 0,
        "hypervisor": hypervisor.get("uri", ""),
        "simulated": hypervisor.get("kind") == "test",
        "accelerator": _accelerator(hypervisor),
        "network": abilities.get("network", ""),
        "stackId": stack["id"] if stack else 0,
        "referenceId": str(row["id"]),
        "images": stack["images"] if stack else [],
        "facts": facts,
        "abilities": abilities,
    }


def _accelerator(hypervisor: dict[str, Any]) -> dict[str, Any]:
    """Return what the agent found out about KVM, and in ``kind`` what guests run under."""
    found = hypervisor.get("accelerator") or {}
    kind = "kvm" if found.get("proven") else "software emulation"
    return {**found, "kind": "simulated" if hypervisor.get("kind") == "test" else kind}
