"""Physical nodes and their stacks as operators see them."""

from __future__ import annotations

from typing import Any

from actors.cloud.models import Machine, Stack
from actors.cloud.stacks import ROLE
from actors.cloudapi.answers import seconds
from portalfw.controller.documents import Node
from portalfw.errors import NotFoundError

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
UP = {"live": True, "status": {"$in": ["RUNNING", "PAUSED"]}}


def nodes(query: dict[str, Any]) -> list[dict[str, Any]]:
    """Return nodes with what their agents told, their stacks and their numbers of machines: three queries in all."""
    stacks = {row["reference_id"]: row for row in Stack.rows()}
    counted = Machine.collection().aggregate([{"$match": UP}, {"$group": {"_id": "$stack_id", "count": {"$sum": 1}}}])
    guests = {row["_id"]: row["count"] for row in counted}
    return [_node(row, stacks.get(row["id"]), guests) for row in Node.rows(query, fields=FIELDS)]


def node(node_id: int) -> dict[str, Any]:
    """Return one node.

    :raises NotFoundError: if it does not exist.
    """
    found = nodes({"_id": node_id})
    if not found:
        raise NotFoundError(f"Node {node_id} does not exist.")
    return found[0]


def compute_nodes() -> list[dict[str, Any]]:
    """Return the nodes that carry machines, by the ids of their stacks."""
    return [row | {"id": row["stackId"]} for row in nodes({"roles": ROLE}) if row["stackId"]]


def _node(row: dict[str, Any], stack: dict[str, Any] | None, guests: dict[int, int]) -> dict[str, Any]:
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
